"""The eliminated term's part of H = Z'inv(V0)Z by a basis of what the W_k are in it (see `solver.factored.projected`)."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.aligned import aligned
from sparsemixed.solver.crossproducts.block_products import Factors, remaining_rows
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.kernels_projected import through_groups
from sparsemixed.solver.factored.projected_blocks import Stretch, blocks_times, scalar_rows
from sparsemixed.solver.factored.projected_columns import COLUMNS, ColumnTraces, column_entries, panels_of
from sparsemixed.solver.factored.projected_reduced import Laid, Piece, block_sums, through_inverse
from sparsemixed.solver.factored.system import FactoredSystem


class BasisHead(Laid):
    """tr(H_00 B_m H_00 B_n) by K_m = A~_20 B_m A~_02 C (q2, q2), for a basis B_m of symmetric matrices (k0, k0).

    With X the diagonal blocks of A~_02 C G A~_20 and A the blocks of A~_00, it is
    sum tr(A B_m A B_n) - sum tr(A B_m X B_n) - sum tr(X B_m A B_n) + tr(G K_m G K_n).

    Parameters
    ----------
    basis, coordinates : (m, k0, k0), (n, m)
        From `symmetric_basis`: its members are orthogonal.
    ahead : list of Stretch
        All that will come through.
    spent : (q2, q2), optional
        Memory, a row of which is free once that of C has been made.
    """

    def __init__(
        self,
        system: FactoredSystem,
        schur: FactoredDense,
        factors: Factors,
        basis: np.ndarray,
        coordinates: np.ndarray,
        ahead: list[Stretch],
        spent: np.ndarray | None = None,
    ):
        super().__init__(system, schur, factors)
        self.basis, self.coordinates = basis, coordinates
        self.diagonal = through_inverse(system, schur, remaining_rows(self.cp, self.entries, factors), factors[0])
        self._order = None if self.full is not None else column_entries(self.cp, schur.storage.pattern, self.entries)
        self._products = ColumnTraces([scalar_rows(self.cp, stretch) for stretch in ahead], spent)

    def through(self, stretch: Stretch, C: np.ndarray) -> np.ndarray:
        """Columns of every K_m, and `pair_sums` of H_20."""
        cp, k, k0 = self.cp, self.cp.k[stretch.t], self.cp.k[0]
        K = self._columns(C)
        left = np.ascontiguousarray(C.T).reshape(-1, k)
        inner = np.array([left.T @ part.reshape(-1, k) for part in K]).reshape(len(K), k * k)
        flat = self.basis.reshape(len(K), k0 * k0)
        for t, G in enumerate(self.G[1:], 1):
            rows = scalar_rows(cp, Stretch(t, 0, cp.n_groups[t]))
            for part in K:
                part[rows] = blocks_times(G, part[rows])
        self._products.add(scalar_rows(cp, stretch), K)
        # Of symmetric matrices alone, which is what the sums are multiplied by.
        return inner.T @ (flat / (flat * flat).sum(axis=1)[:, None])

    def _columns(self, C: np.ndarray) -> np.ndarray:
        """A~_20 B_m A~_02 C, some columns of C (as rows), for every member (m, q2, columns)."""
        cp, k0, members = self.cp, self.cp.k[0], len(self.basis)
        if self.full is not None:
            R = (C @ self.full.T).reshape(len(C), -1, k0)
            through = [((R @ B).reshape(len(C), -1) @ self.full).T for B in self.basis]
            return np.array(through).reshape(members, cp.q_schur, len(C))  # the shape also of none
        width = -(-len(C) // COLUMNS) * COLUMNS
        out: np.ndarray = np.zeros((members * cp.q_schur, width))
        assert self._order is not None
        R = aligned(self._order.most_groups * k0, COLUMNS)
        through_groups(cp.indptr, cp.columns, self.entries, *self._order, self.basis, panels_of(C), R, out)
        return out.reshape(members, cp.q_schur, width)[:, :, : len(C)]

    def pieces(self, most: int) -> list[Piece]:
        return []

    def rest(self) -> tuple[np.ndarray, np.ndarray]:
        k0 = self.cp.k[0]
        A, X = self.blocks.reshape(-1, k0), self.diagonal.reshape(-1, k0)
        flat = self.basis.reshape(len(self.basis), k0 * k0)
        mixed = block_sums(A, X, k0)
        sums = flat @ (block_sums(A, A, k0) - mixed - mixed.T) @ flat.T + self._products.traces()
        own = (self.blocks - self.diagonal).sum(axis=0)
        return own, self.coordinates @ sums @ self.coordinates.T
