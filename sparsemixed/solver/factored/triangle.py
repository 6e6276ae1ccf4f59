"""The triangle R of many sparse columns, R'R = X'X, and whether inner products know it well.

It is as good as Householder's where no column is nearly a combination of others: where the columns' correlations have no
eigenvalue below `FAR_FROM_SINGULAR`, so that every column keeps a thousandth of its length beside all others. The sparse factor
of X'X tells, in a hundredth of the time that the dense one takes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.errors import NumericalError
from sparsemixed.lapack import lapack
from sparsemixed.solver.linalg import FAR_FROM_SINGULAR

STEPS = 16
"""Inverse iterations, after which the least eigenvalue is known well enough to judge by its order of magnitude."""
FULL_SHARE = 0.1
"""Share of the entries of X'X from which its factor is made as that of a dense matrix."""


def knows_triangle(X: sp.csr_array) -> bool:
    """Whether inner products of the columns X (n, p) give a good R."""
    return _sound_products(X) is not None


def triangle(X: sp.csr_array) -> np.ndarray | None:
    """Upper triangular R (p, p), C-contiguous, with R'R = X'X; None where inner products give no good one."""
    gram = _sound_products(X)
    if gram is None:
        return None
    lower, failed = lapack.dpotrf(gram.toarray().T, lower=1, clean=1, overwrite_a=1)
    return None if failed else lower.T


def _sound_products(X: sp.csr_array) -> sp.csr_array | None:
    """X'X; None where the columns are too nearly collinear for it."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        gram = sp.csr_array(X.T @ X)
    squares = gram.diagonal()
    if not (np.isfinite(gram.data).all() and np.all(squares > 0)):
        return None
    scaling = sp.diags_array(1.0 / np.sqrt(squares))
    correlations = scaling @ gram @ scaling
    solve = _dense_solve(correlations) if gram.nnz > FULL_SHARE * float(len(squares)) ** 2 else _sparse_solve(correlations)
    return None if solve is None or _least_eigenvalue(solve, len(squares)) < FAR_FROM_SINGULAR else gram


def _dense_solve(matrix: sp.csr_array) -> Callable[[np.ndarray], np.ndarray] | None:
    """The product with inv(S) of a matrix S (p, p); None where S is not positive definite."""
    lower, failed = lapack.dpotrf(matrix.toarray().T, lower=1, overwrite_a=1)
    return None if failed else lambda x: lapack.dpotrs(lower, x, lower=1)[0]


def _sparse_solve(matrix: sp.csr_array) -> Callable[[np.ndarray], np.ndarray] | None:
    """The same by a sparse factor."""
    from sparsemixed.solver.factored.sparse_factor import analyse  # sparse factors load only when they are used

    lower = sp.csc_matrix(sp.tril(matrix))
    lower.sort_indices()
    try:
        factor = analyse(lower).factor(lower)
    except NumericalError:
        return None
    return lambda x: factor.solve(x[:, None])[:, 0]


def _least_eigenvalue(solve: Callable[[np.ndarray], np.ndarray], order: int) -> float:
    """About the least eigenvalue of a positive definite matrix, from above."""
    x, value = np.random.default_rng(0).standard_normal(order), np.inf
    for _ in range(STEPS):
        x /= np.linalg.norm(x)
        x = solve(x)
        value = 1.0 / float(np.linalg.norm(x))
    return value
