"""Fixed effects with many columns of which a row meets few: cross-products without rows of dense columns.

X'X, Z'X and X'y of sparse columns are sums over what is not zero. With X'X = R'R (`factored.triangle`), Z'Q = Z'X inv(R) for the
orthonormal Q = X inv(R), which is never formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.lapack import blas, lapack
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, TermData, cross_products


def coefficients_on(X: sp.csr_array, R: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares coefficients (p,) of y (n,) on X with X'X = R'R, and what they leave of y."""
    beta, residual = np.zeros(len(R)), y
    for _ in range(3):  # each takes off what the one before left of rounding in R'R
        beta = beta + lapack.dpotrs(R.T, X.T @ residual, lower=1)[0]
        residual = y - X @ beta
    return beta, residual


def sparse_cross_products(
    terms: Sequence[TermData], X: sp.csr_array, R: np.ndarray, residual: np.ndarray, n: float
) -> CrossProducts:
    """`cross_products` of X inv(R), which is orthonormal, and of a response (n,) that is orthogonal to it.

    Parameters
    ----------
    terms : sequence of TermData, at least one
    X : (n, p) sparse
    R : (p, p) upper triangular, C-contiguous
    residual : (n,) float64
    n : float
        Observations that the rows stand for.
    """
    plain = cross_products(terms, np.empty((len(residual), 0)), residual, n)
    p = len(R)
    ZtXy, begin = np.empty((plain.q, p + 1)), 0
    for term, size in zip(terms, plain.sizes, strict=True):
        ZtXy[begin : begin + size, :p] = _times_inverse(_group_sums(term, X, p), R)
        begin += size
    ZtXy[:, p] = plain.ZtXy[:, 0]
    return replace(plain, ZtXy=ZtXy, XytXy=np.append(np.ones(p), plain.square))


def _group_sums(term: TermData, X: sp.csr_array, p: int) -> np.ndarray:
    """Z'X (J k, p) of one term."""
    k = term.columns.shape[1]
    out = np.empty((term.n_groups, k, p))
    ends = np.arange(len(term.codes) + 1)
    for a in range(k):
        column = sp.csr_array(
            (np.ascontiguousarray(term.columns[:, a]), term.codes, ends), shape=(len(term.codes), term.n_groups)
        )
        out[:, a] = (column.T @ X).toarray()
    return out.reshape(-1, p)


def _times_inverse(rows: np.ndarray, R: np.ndarray) -> np.ndarray:
    """rows inv(R) in place of rows (m, p), C-contiguous."""
    return blas.dtrsm(1.0, R.T, rows.T, lower=1, overwrite_b=1).T
