"""Sums over pairs of groups of the blocks of H = Z'inv(V0)Z: what second derivatives of log|V0| need, where inv(S) is dense.

For symmetric block-diagonal W_k, repeated over groups, tr(H W_k H W_l) is a sum over pairs of groups of products of two entries
of a block H_ij, however many W_k there are. H follows from A = Z'Z with the first term eliminated: with A~ = Z'inv(V_1)Z, where
V_1 = I + Z_0 Lambda_0 Lambda_0'Z_0',

- A~_02 = E A_02 and A~_00 = E A_00 with E = inv(I + A_00 Lambda_0 Lambda_0'), group by group;
- H_02 = A~_02 C and H_00 = A~_00 - A~_02 C G A~_20, with G = Lambda_2 Lambda_2' and C = I - G H_22;
- H_22 = inv(Lambda_2)'(I - N_22)inv(Lambda_2) and C = Lambda_2 N_22 inv(Lambda_2), with N_22 = inv(S), unless Lambda_2 is nearly
  singular.

So H takes no dense product of order q2 that inv(S) has not taken already, and no inverse of Lambda_0. From few sparse cells H_00
is summed as it comes (`solver.factored.projected_pairs`). Where that is more work, its sums follow from the (q2, q2) matrices
A~_20 B A~_02 C G, one for every B of a basis of what the W_k are in term 0 (`solver.factored.projected_basis`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.solver.crossproducts.block_products import Factors
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.projected_blocks import Stretch, own_sum, pair_sums, scalar_rows, stretches
from sparsemixed.solver.factored.projected_head import Piece, head_of, takes_rows
from sparsemixed.solver.factored.projected_remainder import remainder_of
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.threads import shared_out
from sparsemixed.solver.vectors import WIDTH

CHUNK, LEAST_ROWS = 1 << 17, 64
"""Numbers in the rows of H that are at hand at a time, about, and how many rows at least; of many, whole pairs of vectors of the
processor."""
SPENT_ORDER = 1000
"""Order of the Schur complement from which inv(S) is given up for what is made of its rows: 8 MB and more."""


class ProjectedSums:
    """Block sums of H, and traces of its products.

    Parameters
    ----------
    system : FactoredSystem
        Whose Schur complement is `schur`.
    schur : FactoredDense
    factors : list of (k, k)
        Lambda.
    moves : list of (n, k, k)
        For each term its part of W_k, symmetric.

    Attributes
    ----------
    own : list of (k, k)
        For each term the sum over its groups of the diagonal blocks of H.
    products : (n, n)
        tr(H W_k H W_l).
    """

    def __init__(self, system: FactoredSystem, schur: FactoredDense, factors: Factors, moves: Sequence[np.ndarray]):
        cp = self._cp = system.cp
        self._weights = [move.reshape(len(move), -1) for move in moves]
        spend = cp.q_schur >= SPENT_ORDER and takes_rows(schur, self._weights[0])
        if spend:
            _ = system.inverse_blocks  # while inv(S) is there
        self._remainder = remainder_of(system, schur, factors, spend)
        # Numbers in the longest row that is taken.
        width = max(cp.q_schur, cp.sizes[0]) if schur.storage.full else cp.q_schur
        most = max(CHUNK // width, LEAST_ROWS)
        most -= most % (2 * WIDTH) if most > 2 * WIDTH else 0
        ahead = [stretch for t in range(1, len(cp.k)) for stretch in stretches(cp, t, most)]
        self._head = head_of(system, schur, factors, self._weights[0], self._remainder, ahead)
        self.own = [np.zeros((k, k)) for k in cp.k]
        self.products = np.zeros((len(moves[0]),) * 2)
        for t in range(1, len(cp.k)):
            self._add(t, [(self._of_remainder, stretch) for stretch in ahead if stretch.t == t])
        self._add(0, [(self._of_head, piece) for piece in self._head.pieces(most)])
        own, sums = self._head.rest()
        self.own[0] += own
        self.products += sums

    def _add(self, t: int, work: list) -> None:
        numbers = range(len(work))
        for own, products in shared_out(lambda n, _: work[n][0](work[n][1]), numbers, numbers):
            self.own[t] += own
            self.products += products

    def _of_remainder(self, stretch: Stretch) -> tuple[np.ndarray, np.ndarray]:
        """The share of some rows of H_22, and of H_20 where the head takes them."""
        cp, t, through = self._cp, stretch.t, self._head.through
        H, C = self._remainder.rows(stretch, through is not None)
        where, w = scalar_rows(cp, stretch), self._weights[t]
        square = H[:, where]
        products = w @ pair_sums(square, cp.k[t], cp.k[t]) @ w.T
        for u in range(t, len(cp.k)):
            start = cp.schur_offsets[u - 1]
            # Of its own term only what stands to the right of the diagonal blocks, for both sides.
            first = where.stop if u == t else start
            products += self._both(t, u, pair_sums(H[:, first : start + cp.sizes[u]], cp.k[t], cp.k[u]))
        if through is not None and C is not None:
            products += self._both(t, 0, through(stretch, C))
        return own_sum(square, cp.k[t]), products

    def _of_head(self, piece: Piece) -> tuple[np.ndarray, np.ndarray]:
        """The share of some rows of H_00, and of H_02 where the head has it."""
        found, w = piece(), self._weights[0]
        products = w @ found.inside @ w.T + self._both(0, 0, found.beside)
        for t, sums in enumerate(found.below, 1):
            products += self._both(t, 0, sums)
        return found.own, products

    def _both(self, t: int, u: int, sums: np.ndarray) -> np.ndarray:
        """What blocks of terms t and u, whose `pair_sums` are given, and their transposes have in tr(H W_k H W_l)."""
        part = self._weights[t] @ sums @ self._weights[u].T
        return part + part.T
