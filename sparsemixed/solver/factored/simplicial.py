"""A sparse Cholesky factor without any library: column by column, on a pattern found once.

What `solver/factored/cholmod.py` does, for installations without it. The order of elimination is SuperLU's, which SciPy brings;
the pattern follows from the elimination tree (Liu 1990); the loops are those of the selected inverse's derivatives.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spilu

from sparsemixed.errors import FactorTooLargeError, NumericalError
from sparsemixed.solver.factored.kernels import column_counts, column_rows, factor_in_place, solve_in_place
from sparsemixed.solver.factored.places import places_in_factor

MOST_NONZEROS = 2**31 - 1
"""Nonzeros of a factor that 32-bit integers count: 24 GB with their indices."""


def minimum_degree(lower: sp.csc_matrix) -> np.ndarray:
    """An order of elimination p (q,) with little fill: multiple minimum degree (Liu 1985), by SuperLU.

    SuperLU gives its order with a factor only. The incomplete one asked for here drops all that lies beside the diagonal, and
    costs next to nothing.

    Parameters
    ----------
    lower : csc_matrix (q, q)
        Lower triangle; only its pattern is used.
    """
    tiny = sp.csc_matrix((np.full(lower.indices.size, 1e-9), lower.indices, lower.indptr), shape=lower.shape)
    whole = sp.csc_matrix(tiny + tiny.T)
    whole.setdiag(1.0)
    incomplete = spilu(
        whole, drop_tol=1.0, fill_factor=1.0, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    return np.argsort(incomplete.perm_c).astype(np.int64)


def _too_large(order: int) -> str:
    return (
        f"a sparse factor of the Schur complement, which is of order {order:,}, is too large for the memory; "
        "solver(krylov) does without"
    )


class SymbolicFactor:
    """The analysis of symmetric matrices that share one pattern: order of elimination and pattern of the factor.

    Parameters
    ----------
    lower : csc_matrix (q, q)
        Lower triangle of S, columns sorted, with its diagonal; only its pattern is used here.
    natural : bool
        Keep the order of the columns instead of looking for one with less fill.

    Raises
    ------
    FactorTooLargeError
        The memory does not hold what the order is found from.
    """

    def __init__(self, lower: sp.csc_matrix, natural: bool = False):
        self._lower, q = lower, lower.indptr.size - 1
        try:
            self._permutation = np.arange(q) if natural else minimum_degree(lower)
        except MemoryError as error:
            raise FactorTooLargeError(_too_large(q)) from error

    def permutation(self) -> np.ndarray:
        """p (q,) with L L' = S[p][:, p]."""
        return self._permutation

    def factor(self, lower: sp.csc_matrix) -> SparseFactor:
        """Factor S from its lower triangle.

        Raises
        ------
        NumericalError
            S is not positive definite.
        FactorTooLargeError
            More nonzeros than `MOST_NONZEROS`, or than the memory holds.
        """
        try:
            pattern = self._pattern
            data = np.zeros(pattern.indices.size)
            data[self._places] = lower.data
            work = np.zeros(self._permutation.size)
        except MemoryError as error:
            raise FactorTooLargeError(_too_large(self._permutation.size)) from error
        broken = factor_in_place(pattern.indptr, pattern.indices, data, work)
        if broken >= 0 or not np.all(np.isfinite(data[pattern.indptr[:-1]])):
            raise NumericalError("the Schur complement of the random effects is not positive definite")
        return SparseFactor(self._permutation, sp.csc_matrix((data, pattern.indices, pattern.indptr), shape=lower.shape))

    @cached_property
    def _pattern(self) -> sp.csc_matrix:
        """The pattern of L, whose values mean nothing; not found before it is needed, because an order takes far less room."""
        q = self._permutation.size
        order = self._permutation
        ones = sp.csc_matrix((np.ones(self._lower.indices.size, np.int8), self._lower.indices, self._lower.indptr), shape=(q, q))
        below = sp.csr_matrix(sp.tril(sp.csr_matrix(ones + sp.tril(ones, -1).T)[order][:, order], -1))
        counts = np.ones(q, np.int64)
        if not column_counts(below.indptr, below.indices, MOST_NONZEROS - q, counts):
            raise FactorTooLargeError(_too_large(q))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        indices = np.empty(indptr[-1], np.int32)
        column_rows(below.indptr, below.indices, indptr, indices)
        # Values that take no room: a matrix of SciPy wants some.
        return sp.csc_matrix((np.broadcast_to(np.int8(1), indices.shape), indices, indptr), shape=(q, q))

    @cached_property
    def _places(self) -> np.ndarray:
        return places_in_factor(self._lower, self._permutation, self._pattern)


class SparseFactor:
    """Cholesky factor P S P' = L L' of one matrix."""

    def __init__(self, permutation: np.ndarray, lower: sp.csc_matrix):
        self._permutation, self._lower = permutation, lower

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(S) b, b (q, m) float64."""
        x = np.ascontiguousarray(b[self._permutation], dtype=np.float64)
        solve_in_place(self._lower.indptr, self._lower.indices, self._lower.data, x)
        out = np.empty_like(x)
        out[self._permutation] = x
        return out

    def lower(self) -> sp.csc_matrix:
        """L (q, q), numerically zero entries included, rows sorted."""
        return self._lower
