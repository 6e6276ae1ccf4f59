"""A stand-in for `sksparse.cholmod` as scikit-sparse 0.5 has it: its names, signatures and side effects, by dense algebra."""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp


class CholmodError(Exception):
    pass


class CholmodNotPositiveDefiniteError(CholmodError):
    pass


class CholmodOutOfMemoryError(MemoryError, CholmodError):
    pass


class CholmodOverflowError(CholmodError):
    pass


class CholmodWarning(Warning):
    pass


class CholeskyFactor:
    """An analysis at first; `factorize` writes the numbers into it."""

    def __init__(self, A, *, lower=True, order="default", sym_kind=None, supernodal_mode=None):
        assert lower
        A, n = checked(A), A.shape[0]
        self._integers = A.indices.dtype  # what CHOLMOD computes with, and gives back
        if n and A.nnz == 0:
            raise CholmodNotPositiveDefiniteError("Input matrix not positive definite.")
        self._perm = None
        self._order = np.arange(n) if order == "natural" else np.lexsort((np.arange(n), entries_of_columns(A)))
        self._pattern = filled(symmetric(A, np.ones(A.nnz))[np.ix_(self._order, self._order)] != 0)
        self._L, self._factor_view, self.rcond = None, None, -1.0

    def copy(self):
        other = object.__new__(CholeskyFactor)
        other.__dict__ = {**self.__dict__, "_L": None if self._L is None else self._L.copy()}
        other._clear_cache()
        return other

    def factorize(self, A, ldl=None, beta=0.0):
        self._clear_cache()
        S = symmetric(checked(A), A.data)[np.ix_(self._order, self._order)]
        try:
            self._L = np.linalg.cholesky(S)
        except np.linalg.LinAlgError:
            raise CholmodNotPositiveDefiniteError("Input matrix is not positive definite.") from None
        pivots = np.diag(self._L)
        self.rcond = (pivots.min() / pivots.max()) ** 2
        return self

    def solve(self, b, system="A"):
        if self._L is None:
            raise CholmodError("Factor is symbolic.")
        if self.rcond == 0:
            raise CholmodNotPositiveDefiniteError("Matrix is indefinite or singular to working precision.")
        if self.rcond < len(self._L) * np.finfo(float).eps:
            warnings.warn("Matrix is nearly singular.", CholmodWarning, stacklevel=2)
        out = np.empty_like(b)
        out[self._order] = np.linalg.solve(self._L.T, np.linalg.solve(self._L, b[self._order]))
        return out

    @property
    def perm(self):
        if self._perm is None:
            self._perm = self._order
        return self._perm

    def get_perm(self):
        return self.perm.copy()

    @property
    def factor(self):
        """A view that cannot be written, with room behind its entries, rows in no order."""
        if self._factor_view is None:
            rows, cols = (index[::-1] for index in np.nonzero(np.tril(self._pattern)))
            data = np.append(self._L[rows, cols], np.nan)
            sorting = np.argsort(cols, kind="stable")
            indptr = np.concatenate([[0], np.cumsum(np.bincount(cols, minlength=len(self._L)))])
            data[:-1] = data[:-1][sorting]
            integers = (np.append(rows[sorting], 0).astype(self._integers), indptr.astype(self._integers))
            self._factor_view = sp.csc_array((data, *integers), shape=self._L.shape)
            self._factor_view.data.flags.writeable = False
        return self._factor_view

    def get_factor(self, kind=None, lower=None):
        found = self.factor.copy()
        found.eliminate_zeros()
        return found

    def _clear_cache(self):
        self._factor_view = None
        self._perm = None


def checked(A):
    """Only csc_array is taken without a warning."""
    if not isinstance(A, sp.csc_array):
        warnings.warn("Input matrix not in CSC format.", sp.SparseEfficiencyWarning, stacklevel=3)
    return A


def entries_of_columns(A):
    return np.diff((A + A.T).tocsc().indptr)


def symmetric(A, data):
    lower = sp.csc_array((data, A.indices, A.indptr), shape=A.shape).toarray()
    return np.tril(lower) + np.tril(lower, -1).T


def filled(pattern):
    """The pattern with the entries that elimination fills in."""
    pattern = pattern.copy()
    for j in range(len(pattern)):
        below = np.flatnonzero(pattern[j + 1 :, j]) + j + 1
        pattern[np.ix_(below, below)] = True
    return pattern
