"""The eliminated term's part of H = Z'inv(V0)Z where its groups have one effect each (see `solver.factored.projected`)."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.aligned import aligned
from sparsemixed.solver.crossproducts.block_products import Factors, remaining_rows
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.kernels_intercepts import times_squares
from sparsemixed.solver.factored.projected_blocks import Stretch, blocks_times, scalar_rows, trace_product
from sparsemixed.solver.factored.projected_reduced import Piece, through_inverse
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.vectors import WIDTH


class InterceptHead:
    """The sums of H_00 (J0, J0) by K = A~_20 A~_02 C G (q2, q2), whose rows are those of C' times A~_20 A~_02.

    With a the diagonal of A~_00 and x that of A~_02 C G A~_20, tr(H_00) is the sum of a - x, and tr(H_00 H_00) = a'a - 2 a'x +
    tr(KK). H_20 itself is not needed: the products of its rows are those of C' times A~_20 A~_02 with C'.

    Parameters
    ----------
    weights : (n, 1)
        The W_k of the first term.
    spent : (q2, q2), optional
        Memory for K, a row of which is free once that of C has been made.
    """

    def __init__(
        self,
        system: FactoredSystem,
        schur: FactoredDense,
        factors: Factors,
        weights: np.ndarray,
        spent: np.ndarray | None = None,
    ):
        cp = self.cp = system.cp
        self._weights = weights
        self._G = [factor @ factor.T for factor in factors]
        E = 1.0 / (1.0 + cp.first[:, 0, 0] * self._G[0][0, 0])
        self._diagonal = E * cp.first[:, 0, 0]
        entries = np.repeat(E, np.diff(cp.indptr))[:, None] * cp.cross
        self._entries = entries.ravel()
        self._less = through_inverse(system, schur, remaining_rows(cp, entries, factors), factors[0])[:, 0, 0]
        self._K = np.empty((cp.q_schur, cp.q_schur)) if spent is None else spent

    def through(self, stretch: Stretch, C: np.ndarray) -> np.ndarray:
        """Rows of K, and `pair_sums` of H_20."""
        cp, k = self.cp, self.cp.k[stretch.t]
        K = self._K[scalar_rows(cp, stretch)]
        panel, back = (aligned(cp.q_schur, 2 * WIDTH) for _ in range(2))
        times_squares(cp.indptr, cp.columns, self._entries, C, panel, back, K)
        if k == 1:
            sums = np.array([[np.vdot(K, C)]])
            K *= self._G[stretch.t][0, 0]
            return sums
        sums = np.einsum("jac,jbc->ab", K.reshape(-1, k, cp.q_schur), C.reshape(-1, k, cp.q_schur), optimize=True)
        K[:] = blocks_times(self._G[stretch.t], K)
        return sums.reshape(k * k, 1)

    def pieces(self, most: int) -> list[Piece]:
        return []

    def rest(self) -> tuple[np.ndarray, np.ndarray]:
        a, x = self._diagonal, self._less
        square = a @ a - 2.0 * (a @ x) + trace_product(self._K, self._K)
        return np.array([[(a - x).sum()]]), square * (self._weights @ self._weights.T)
