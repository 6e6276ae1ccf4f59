"""The eliminated term's part of H = Z'inv(V0)Z (see `solver.factored.projected`) by pairs of groups, from entries alone.

With F = A~_02 Lambda_2 and N_22 = inv(S), for which C G = Lambda_2 N_22 Lambda_2' whatever Lambda_2 is,

- H_00 = A~_00 - F N_22 F';
- H_02 = F N_22 inv(Lambda_2), if Lambda_2 is not nearly singular.

F N_22 is taken for some groups j at a time, and summed with all groups i after them: nothing of order q2 is stored.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sparsemixed.solver.aligned import aligned
from sparsemixed.solver.crossproducts.block_products import Factors, remaining_rows
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.kernels_pairs import pair_products
from sparsemixed.solver.factored.projected_blocks import Stretch, stretches
from sparsemixed.solver.factored.projected_reduced import HeadSums, Piece, Reduced, block_sums
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.vectors import WIDTH

ROWS_SHARE, STRETCHES = 0.25, 16
"""Rows of F N_22 that a thread has at a time, in units of those of N_22, which is read once for each such set of rows; and how
many sets there should be at least, to be shared out evenly."""
PANEL_NUMBERS = 3 << 16
"""Numbers (1.5 MB) in the columns of N_22 F' that are met in any order: they should stay in a core's own cache."""

VECTORS = 4
"""Vectors of these columns that are best taken at a time."""


class PairHead(Reduced):
    """H_00 and H_02 of some groups at a time.

    Parameters
    ----------
    factor_inverses : list of (k, k)
        inv(Lambda) of the remaining terms.
    """

    through = None

    def __init__(self, system: FactoredSystem, schur: FactoredDense, factors: Factors, factor_inverses: Factors):
        super().__init__(system, factors)
        self.inverse, self.factor_inverses = schur.inverse, factor_inverses
        self.right = np.ascontiguousarray(remaining_rows(self.cp, self.entries, factors))
        k0 = self.cp.k[0]
        self.lanes = int(np.clip(PANEL_NUMBERS // (self.cp.q_schur * k0 * WIDTH), 1, -(-VECTORS // k0)))

    def pieces(self, most: int) -> list[Piece]:
        cp, k0 = self.cp, self.cp.k[0]
        panel = self.lanes * WIDTH * k0
        panels = int(min(ROWS_SHARE * cp.q_schur, cp.sizes[0] / STRETCHES)) // panel
        return [partial(self._sums, stretch) for stretch in stretches(cp, 0, panel * max(panels, 1))]

    def _sums(self, stretch: Stretch) -> HeadSums:
        cp, k0 = self.cp, self.cp.k[0]
        widths = np.array(cp.k[1:], np.int64)
        sizes = [k * k0 for k in (*cp.k[1:], k0)]
        lanes: np.ndarray = np.zeros((sum(size * size for size in sizes), WIDTH))
        X = np.empty((stretch.end - stretch.begin, k0, k0))
        terms = np.array([*cp.schur_offsets, cp.q_schur], np.int64)
        scratch = pair_memory(cp.q_schur, k0, len(X), self.lanes)
        groups = stretch.begin, stretch.end, self.lanes
        pair_products(cp.indptr, cp.columns, self.right, self.inverse, *groups, terms, widths, *scratch, lanes, X)
        parts = np.split(lanes.sum(axis=1), np.cumsum([size * size for size in sizes[:-1]]))
        grams = [_symmetric(part, size) for part, size in zip(parts, sizes, strict=True)]
        crossed = []
        for gram, k, inverse in zip(grams, cp.k[1:], self.factor_inverses, strict=False):
            left = np.kron(inverse.T, np.eye(k0))
            crossed.append(_by_sides(left @ gram @ left.T, k, k0))
        own = self.blocks[stretch.begin : stretch.end] - X
        return HeadSums(own.sum(axis=0), block_sums(own, own, k0), _by_sides(grams[-1], k0, k0), crossed)

    def rest(self) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros_like(self.G[0]), np.zeros(())


def pair_memory(q2: int, k0: int, groups: int, lanes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `pair_products` works in, for that many groups j at a time.

    Returns
    -------
    panel, X : (q2, w), (k0, w)
        w = 8 lanes k0.
    R : (rows, columns)
        Rows of whole panels of groups, of which those beyond the last group are zeros; columns: the multiple of w from q2 on.
    """
    width = lanes * k0 * WIDTH
    R = aligned(-(-groups // (lanes * WIDTH)) * width, -(-q2 // width) * width)
    R[groups * k0 :] = 0.0
    return aligned(q2, width), aligned(k0, width), R


def _symmetric(lower: np.ndarray, size: int) -> np.ndarray:
    """The symmetric matrix (size, size) of which the lower triangle is given, row by row with whatever stands above it."""
    matrix = lower.reshape(size, size)
    return np.tril(matrix) + np.tril(matrix, -1).T


def _by_sides(gram: np.ndarray, k: int, m: int) -> np.ndarray:
    """(k k, m m): sums of X_ac X_bd, X (k, m), at place (a, c), (b, d) of `gram`, at place (a, b), (c, d)."""
    return gram.reshape(k, m, k, m).transpose(0, 2, 1, 3).reshape(k * k, m * m)
