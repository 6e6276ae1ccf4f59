"""The Schur complement as one dense matrix, by LAPACK."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from threading import RLock

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.lapack import blas, lapack, solve_triangular
from sparsemixed.solver.buffers import Buffers
from sparsemixed.solver.crossproducts.block_products import Factors
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, pair_indices
from sparsemixed.solver.definite import inverted
from sparsemixed.solver.factored.elimination_pattern import EliminationPattern
from sparsemixed.solver.factored.kernels import gather_dense, sandwich_dense, subtract_dense
from sparsemixed.solver.factored.kernels_intercepts import gather_products, subtract_products
from sparsemixed.solver.factored.projected_blocks import times_blocks
from sparsemixed.solver.factored.schur import SchurDerivative
from sparsemixed.solver.linalg import mirrored
from sparsemixed.solver.unlocked import cholesky

FULL_SHARE = 0.3
"""Share of the cells that occur above which BLAS on all of them beats loops over those that do."""
MAX_SPREAD_NUMBERS = 5e7
"""Numbers (0.4 GB) up to which all cells are laid out."""


class DenseSchur:
    """S in the upper triangle of a C-ordered (q2, q2) array, which LAPACK sees as a lower triangle."""

    name = "dense"

    def __init__(self, cp: CrossProducts, pattern: EliminationPattern):
        self.cp, self.pattern, self.buffers = cp, pattern, Buffers()
        self.places = [pair_indices(cp, pair) for pair in cp.pairs]
        cells = float(cp.n_groups[0]) * cp.q_schur
        full = cp.columns.size >= FULL_SHARE * cells and cells * cp.k[0] <= MAX_SPREAD_NUMBERS
        self.full = full
        """Whether all cells are laid out."""

    @property
    def numbers(self) -> float:
        """Numbers in one factored S with its inverse, about."""
        return float(self.cp.q_schur) ** 2

    def factor(self, pairs: Sequence[np.ndarray], half: np.ndarray) -> FactoredDense:
        return FactoredDense(self, pairs, half)

    def spread(self, entries: np.ndarray) -> np.ndarray:
        """Entries (nnz, k0) as a full (q0, q2) matrix."""
        out = np.zeros((self.cp.sizes[0], self.cp.q_schur))
        out.reshape(-1)[self._spread_places] = entries
        return out

    def picked(self, full: np.ndarray) -> np.ndarray:
        """The entries (nnz, k0) of a full (q0, q2) matrix."""
        return full.reshape(-1)[self._spread_places]

    @cached_property
    def _spread_places(self) -> np.ndarray:
        """Where the entries (nnz, k0) stand in a full matrix."""
        cp = self.cp
        group = np.repeat(np.arange(cp.n_groups[0]), np.diff(cp.indptr))
        return (group[:, None] * cp.k[0] + np.arange(cp.k[0])) * cp.q_schur + cp.columns[:, None]

    def assemble(self, pairs: Sequence[np.ndarray], products: Sequence[tuple[np.ndarray, np.ndarray]], out: np.ndarray) -> None:
        """out = pairs - sum of left'right over `products`, upper triangle; below it anything may stand."""
        lay = self.pattern
        if self.full:
            out[:] = 0.0
        for n, (left, right) in enumerate(products):
            if not self.full:
                # Zeros first, by the threads: to be the first to touch the memory takes longer than to fill it.
                places = lay.schedule, lay.colptr, lay.entry, lay.end, self.cp.columns
                if self.cp.k[0] == 1:
                    subtract_products(*places, left.ravel(), right.ravel(), n == 0, out)
                else:
                    subtract_dense(*places, left, right, n == 0, out)
            elif left is right:
                spread = self.spread(left)
                out -= spread.T @ spread
            else:
                out -= self.spread(right).T @ self.spread(left)
        for (row, col), values in zip(self.places, pairs, strict=True):
            out[row, col] += values


class FactoredDense:
    """S factored by LAPACK, in a buffer that the storage lends.

    Once inv(S) is asked for it takes the place of the factor, and solves. Who needs the factor after that, or anything once
    inv(S) has been spent, has S factored again, in memory of its own, from `half`, which is lent to the whole system's
    factorization: nothing is asked of this one after that has gone. Whoever reads inv(S) has the turn, because another may
    overwrite it.
    """

    def __init__(self, storage: DenseSchur, pairs: Sequence[np.ndarray], half: np.ndarray):
        self.storage, self._pairs, self._half, self._order = storage, pairs, half, storage.cp.q_schur
        self._lower: np.ndarray | None = self._factored(storage.buffers.lend(self, (self._order, self._order)))
        self._inverse: np.ndarray | None = None
        self._turn = RLock()
        self.logdet = 2.0 * float(np.log(np.einsum("ii->i", self._lower)).sum())

    def _factored(self, memory: np.ndarray) -> np.ndarray:
        """L in the upper triangle of `memory` (q2, q2)."""
        self.storage.assemble(self._pairs, [(self._half, self._half)], memory)
        np.einsum("ii->i", memory)[:] += 1.0
        if pivot := cholesky(memory.T):
            raise NumericalError(f"the Schur complement of the random effects is not positive definite (pivot {pivot})")
        return memory

    def _factor(self) -> np.ndarray:
        """L, made again where inv(S) has taken its place; for whoever has the turn."""
        if self._lower is None:
            self._lower = self._factored(np.empty((self._order, self._order)))
        return self._lower

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(S) b for b (q2, m)."""
        with self._turn:
            if self._lower is None and self._inverse is not None:
                return blas.dsymm(1.0, self._inverse.T, b, lower=1)
            return lapack.dpotrs(self._factor().T, b, lower=1)[0]

    def half_solve(self, z: np.ndarray) -> np.ndarray:
        """inv(L') z for z (q2, m)."""
        with self._turn:
            return solve_triangular(self._factor().T, z, lower=True, transposed=True)

    @property
    def inverse(self) -> np.ndarray:
        """inv(S) (q2, q2)."""
        with self._turn:
            if self._inverse is None:
                inverse, self._lower = self._factor(), None
                if inverted(inverse.T):
                    raise NumericalError("the Schur complement of the random effects cannot be inverted")
                self._inverse = inverse
            return self._inverse

    def spent_inverse(self) -> np.ndarray:
        """inv(S) (q2, q2), for the caller to overwrite: it is computed once more if it is asked for again."""
        with self._turn:
            inverse, self._inverse = self.inverse, None
            return inverse

    def gather(self, entries: np.ndarray) -> np.ndarray:
        """Entries (nnz, k0) of each group times N among that group's columns."""
        storage, cp = self.storage, self.storage.cp
        with self._turn:
            if storage.full:
                return storage.picked(storage.spread(entries) @ self.inverse)
            out, lay = np.empty_like(entries), storage.pattern
            places = lay.schedule, lay.colptr, lay.entry, lay.begin, lay.end, cp.columns
            if cp.k[0] == 1:
                gather_products(*places, entries.ravel(), self.inverse, out.reshape(-1))
            else:
                gather_dense(*places, entries, self.inverse, out)
            return out

    def inverse_pairs(self) -> tuple[np.ndarray, ...]:
        """N on the remaining terms' pair blocks."""
        with self._turn:
            return tuple(self.inverse[row, col] for row, col in self.storage.places)

    def sandwich(self, columns: np.ndarray, rows: np.ndarray, together: bool = True) -> np.ndarray:
        """(G, m, m) of G sets: rows (G, m, w) N rows', N among the columns (G, w) of each."""
        with self._turn:
            if len(columns) == 1:
                return rows @ self.inverse[columns[:, :, None], columns[:, None, :]] @ rows.transpose(0, 2, 1)
            out = np.empty((*rows.shape[:2], rows.shape[1]))
            sandwich_dense(columns, np.ascontiguousarray(rows), self.inverse, out)
            return out

    def projected(self, pairs: Sequence[np.ndarray], half: np.ndarray, factors: Factors) -> np.ndarray:
        """A - A Lambda inv(S) Lambda'A (q2, q2), where A is `pairs` less half'half and S = Lambda'A Lambda + I."""
        A = np.empty((self._order, self._order))
        self.storage.assemble(pairs, [(half, half)], A)
        mirrored(A)
        through = times_blocks(self.storage.cp, A, factors)  # A Lambda, which LAPACK sees as Lambda'A
        with self._turn:
            half = lapack.dtrtrs(self._factor().T, through.T, lower=1, overwrite_b=1)[0]
        return mirrored(blas.dsyrk(-1.0, half, beta=1.0, c=A.T, trans=1, lower=1, overwrite_c=1).T)

    def derivative_times_inverse(self, direction: SchurDerivative) -> np.ndarray:
        """S_k inv(S), transposed."""
        derivative = np.empty((self._order, self._order))
        left, right = direction.left, direction.right
        self.storage.assemble(direction.pairs, [(left, right), (right, left)], derivative)
        # Into memory of our own: the wrapper would first fill its result with zeros.
        out = np.empty_like(derivative)
        with self._turn:
            return blas.dsymm(1.0, derivative.T, self.inverse.T, c=out.T, overwrite_c=1, lower=1)

    def trace_products(self, directions: Sequence[SchurDerivative]) -> np.ndarray:
        """tr(inv(S) S_k inv(S) S_l) for all directions, weighted by D."""
        solved = [self.derivative_times_inverse(direction) for direction in directions]
        return np.array([[np.vdot(a, b.T) for b in solved] for a in solved])
