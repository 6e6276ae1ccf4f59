"""The Schur complement as one dense matrix, by LAPACK."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import blas, lapack

from sparsemixed.errors import NumericalError
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, pair_indices
from sparsemixed.solver.factored.elimination_pattern import Layout
from sparsemixed.solver.factored.system import Schur
from sparsemixed.solver.kernels import gather_dense, subtract_dense

FULL = 0.3
"""Share of the cells that occur above which BLAS on all of them beats loops over those that do."""
MOST_SPREAD = 5e7
"""Numbers (0.4 GB) up to which all cells are laid out."""


class DenseRest:
    """S in the upper triangle of a C-ordered (q2, q2) array, which LAPACK sees as a lower triangle."""

    name = "dense"

    def __init__(self, cp: CrossProducts, layout: Layout):
        self.cp, self.layout = cp, layout
        self._places = [pair_indices(cp, pair) for pair in cp.pairs]
        self._lower = np.empty((cp.q_rest, cp.q_rest))
        self.dense_inverse: np.ndarray | None = None
        cells = float(cp.n_groups[0]) * cp.q_rest
        full = cp.columns.size >= FULL * cells and cells * cp.k[0] <= MOST_SPREAD
        # The group of every entry, where all cells are laid out.
        self._group = np.repeat(np.arange(cp.n_groups[0]), np.diff(cp.indptr)) if full else None

    def _spread(self, entries: np.ndarray) -> np.ndarray:
        """Entries (nnz, k0) as a full (q0, q2) matrix."""
        cp = self.cp
        out = np.zeros((cp.n_groups[0], cp.k[0], cp.q_rest))
        for a in range(cp.k[0]):
            out[self._group, a, cp.columns] = entries[:, a]
        return out.reshape(-1, cp.q_rest)

    def _assemble(self, pairs: Sequence[np.ndarray], products: Sequence[tuple[np.ndarray, np.ndarray]], out: np.ndarray):
        """out = pairs - sum of left'right over `products`, upper triangle."""
        out[:] = 0.0
        for (row, col), values in zip(self._places, pairs, strict=True):
            out[row, col] = values
        lay = self.layout
        for left, right in products:
            if self._group is None:
                subtract_dense(lay.schedule, lay.colptr, lay.entry, lay.end, self.cp.columns, left, right, out)
            else:
                out -= self._spread(right).T @ self._spread(left)

    def factor(self, pairs: Sequence[np.ndarray], half: np.ndarray) -> float:
        self._assemble(pairs, [(half, half)], self._lower)
        np.einsum("ii->i", self._lower)[:] += 1.0
        factor, info = lapack.dpotrf(self._lower.T, lower=1, clean=0, overwrite_a=1)
        if info:
            raise NumericalError(f"the Schur complement of the random effects is not positive definite (pivot {info})")
        self._lower = factor.T
        return 2.0 * float(np.log(np.einsum("ii->i", self._lower)).sum())

    def solve(self, b: np.ndarray) -> np.ndarray:
        return lapack.dpotrs(self._lower.T, b, lower=1)[0]

    def invert(self) -> None:
        if self.dense_inverse is None:
            self.dense_inverse = np.empty_like(self._lower)
        self.dense_inverse[:] = self._lower
        inverse, info = lapack.dpotri(self.dense_inverse.T, lower=1, overwrite_c=1)
        if info:
            raise NumericalError("the Schur complement of the random effects cannot be inverted")
        self.dense_inverse = mirrored(inverse.T)

    def gather(self, entries: np.ndarray) -> np.ndarray:
        if self._group is not None:
            cp = self.cp
            product = (self._spread(entries) @ self.dense_inverse).reshape(-1, cp.k[0], cp.q_rest)
            return np.ascontiguousarray(product[self._group, :, cp.columns])
        out, lay = np.empty_like(entries), self.layout
        gather_dense(lay.schedule, lay.colptr, lay.entry, lay.begin, lay.end, self.cp.columns, entries, self.dense_inverse, out)
        return out

    def inverse_pairs(self) -> tuple[np.ndarray, ...]:
        assert self.dense_inverse is not None
        return tuple(self.dense_inverse[row, col] for row, col in self._places)

    def derivative_times_inverse(self, direction: Schur) -> np.ndarray:
        assert self.dense_inverse is not None
        derivative = np.empty_like(self._lower)
        left, right = direction.left, direction.right
        self._assemble(direction.pairs, [(left, right), (right, left)], derivative)
        # Into memory of our own: the wrapper would first fill its result with zeros.
        out = np.empty_like(derivative)
        return blas.dsymm(1.0, derivative.T, self.dense_inverse.T, c=out.T, overwrite_c=1, lower=1)

    def trace_products(self, directions: Sequence[Schur]) -> np.ndarray:
        solved = [self.derivative_times_inverse(direction) for direction in directions]
        return np.array([[np.vdot(a, b.T) for b in solved] for a in solved])


def mirrored(upper: np.ndarray) -> np.ndarray:
    """Copy the upper triangle of a square array onto its lower one, in place, block by block to stay in cache."""
    size, step = upper.shape[0], 256
    for i in range(0, size, step):
        stop = min(i + step, size)
        block = upper[i:stop, i:stop]
        block[:] = np.triu(block) + np.triu(block, 1).T
        for j in range(stop, size, step):
            end = min(j + step, size)
            upper[j:end, i:stop] = upper[i:stop, j:end].T
    return upper
