"""The only door to scikit-sparse: one small class over the interfaces of 0.4 (SuiteSparse 5) and 0.5 (SuiteSparse >= 7.4).

An extra of the installation, `cholmod`: `sparse_factor.py` beside it opens the door where it is there.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sksparse import cholmod as _cholmod

from sparsemixed.delayed import sp
from sparsemixed.errors import FactorTooLargeError, NumericalError

_NEW_INTERFACE = hasattr(_cholmod, "CholeskyFactor")
_FAILURE = "the Schur complement of the random effects is not positive definite"
_OVERFLOW = _cholmod.CholmodOverflowError if _NEW_INTERFACE else _cholmod.CholmodTooLargeError
_TOO_LARGE = (_OVERFLOW, _cholmod.CholmodOutOfMemoryError, MemoryError)


def _too_large(lower: sp.csc_matrix) -> str:
    return (
        f"a sparse factor of the Schur complement, which is of order {lower.indptr.size - 1:,}, is too large for CHOLMOD or for "
        "the memory; solver(krylov) does without"
    )


class SymbolicFactor:
    """The analysis of symmetric matrices that share one pattern: order of elimination and pattern of the factor.

    Parameters
    ----------
    lower : csc_matrix (q, q)
        Lower triangle of S; only its pattern is used here.
    natural : bool
        Keep the order of the columns instead of looking for one with less fill.

    Raises
    ------
    FactorTooLargeError
        More nonzeros than CHOLMOD counts, or than the memory holds.
    """

    def __init__(self, lower: sp.csc_matrix, natural: bool = False):
        self._analysis: Any
        order = "natural" if natural else "default"
        try:
            if _NEW_INTERFACE:
                self._analysis = _cholmod.CholeskyFactor(sp.csc_array(lower), order=order, lower=True)
            else:
                self._analysis = _cholmod.analyze(lower, mode="auto", ordering_method=order)
        except _TOO_LARGE as error:
            raise FactorTooLargeError(_too_large(lower)) from error

    def factor(self, lower: sp.csc_matrix) -> SparseFactor:
        """Factor S from its lower triangle; raises NumericalError when S is not positive definite."""
        try:
            if not _NEW_INTERFACE:
                return SparseFactor(self._analysis.cholesky(lower))
            # CHOLMOD writes numbers into the analysis that it is given: a copy of it, which is small while it has none.
            factor = self._analysis.copy()
            factor.factorize(sp.csc_array(lower))
            return SparseFactor(factor)
        except _cholmod.CholmodNotPositiveDefiniteError as error:
            raise NumericalError(_FAILURE) from error
        except _TOO_LARGE as error:
            raise FactorTooLargeError(_too_large(lower)) from error

    def permutation(self) -> np.ndarray:
        """p (q,) with L L' = S[p][:, p]."""
        if not _NEW_INTERFACE:
            return np.asarray(self._analysis.P()).astype(np.int64)
        order_of_elimination = np.asarray(self._analysis.get_perm()).astype(np.int64)
        _forget_views(self._analysis)
        return order_of_elimination


class SparseFactor:
    """Cholesky factor P S P' = L L' of one matrix."""

    def __init__(self, factor: Any):
        self._factor = factor

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(S) b, b (q, m) float64; raises NumericalError when S is singular."""
        b = np.asfortranarray(b)
        if not _NEW_INTERFACE:
            return self._factor.solve_A(b)
        try:
            with warnings.catch_warnings():
                # It warns of pivots of unlike size, which variances of unlike size have.
                warnings.simplefilter("ignore", _cholmod.CholmodWarning)
                return self._factor.solve(b)
        except _cholmod.CholmodNotPositiveDefiniteError as error:
            raise NumericalError(_FAILURE) from error

    def lower(self) -> sp.csc_matrix:
        """A copy of L (q, q), numerically zero entries included, rows sorted.

        scikit-sparse 0.4 reports an indefinite matrix here, or not at all: its factor then holds nan, which is checked.
        """
        if _NEW_INTERFACE:
            # Its get_factor() leaves out the entries that happen to be zero.
            factor = sp.csc_matrix(self._factor.factor, copy=True)
            _forget_views(self._factor)
            factor.prune()
        else:
            try:
                factor = sp.csc_matrix(self._factor.L())
            except _cholmod.CholmodNotPositiveDefiniteError as error:
                raise NumericalError(_FAILURE) from error
        factor.sort_indices()
        if not np.all(np.isfinite(factor.diagonal())) or np.any(factor.diagonal() <= 0):
            raise NumericalError(_FAILURE)
        return factor


def _forget_views(factor: Any) -> None:
    """Let go of the arrays that a factor of 0.5 keeps as views of its own memory: no collector sees that circle, and the factor
    would stay for ever."""
    factor._clear_cache()
