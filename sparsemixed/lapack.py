"""LAPACK for one matrix at a time: of a few rows, what numpy does before and after its call takes several times the call.

`blas` and `lapack` are scipy's modules of these names. Their functions come from two files, which are loaded alone: the whole of
`scipy.linalg` takes longer to load than numpy.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import scipy


def _alone(name: str) -> ModuleType:
    """scipy.linalg.`name` by its file of compiled code, or as scipy has it where that is not found, with the same functions."""
    spec = PathFinder.find_spec(f"scipy.linalg._f{name}", [str(Path(scipy.__file__).parent / "linalg")])
    if spec is None or spec.loader is None:
        return import_module(f"scipy.linalg.{name}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from scipy.linalg import blas, lapack
else:
    blas, lapack = _alone("blas"), _alone("lapack")

dgeqrf, dorgqr, dpotrf, dsyevd, dtrtri = lapack.dgeqrf, lapack.dorgqr, lapack.dpotrf, lapack.dsyevd, lapack.dtrtri
dtrsm, dtrtrs = blas.dtrsm, lapack.dtrtrs


def cholesky(matrix: np.ndarray) -> np.ndarray:
    """Lower triangular L (p, p) with LL' the symmetric matrix (p, p).

    Raises
    ------
    LinAlgError
        It is not positive definite.

    Examples
    --------
    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
    array([[2., 0.],
           [1., 2.]])
    """
    lower, failed = dpotrf(matrix, lower=1, clean=1)
    if failed:
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    return lower


def eigh(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (p,), ascending, and eigenvectors (p, p) as columns, of a symmetric matrix (p, p), of whose lower triangle.

    Raises
    ------
    LinAlgError
        They were not found, because the matrix is not finite, say.

    Examples
    --------
    >>> eigh(np.diag([3.0, 1.0]))[0]
    array([1., 3.])
    """
    values, vectors, failed = dsyevd(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("Eigenvalues did not converge")
    return values, vectors


def inverse_of_lower(L: np.ndarray) -> np.ndarray:
    """The inverse of a lower triangular matrix (p, p) that is not singular.

    Examples
    --------
    >>> inverse_of_lower(np.array([[2.0, 0.0], [1.0, 4.0]]))
    array([[ 0.5  ,  0.   ],
           [-0.125,  0.25 ]])
    """
    return dtrtri(L, lower=1)[0]


def solve_triangular(A: np.ndarray, right: np.ndarray, lower: bool = False, transposed: bool = False) -> np.ndarray:
    """inv(A), or inv(A') if `transposed`, times a vector (p,) or matrix (p, c), for a triangular A (p, p).

    Raises
    ------
    LinAlgError
        A is singular.

    Examples
    --------
    >>> solve_triangular(np.array([[2.0, 0.0], [1.0, 4.0]]), np.array([4.0, 10.0]), lower=True)
    array([2., 2.])
    """
    if not right.size:
        return right
    if A.flags.c_contiguous:
        A, lower, transposed = A.T, not lower, not transposed
    if right.ndim == 1 or right.shape[1] == 1:
        found, failed = dtrtrs(A, right, lower=lower, trans=transposed)
    else:
        # By BLAS: OpenBLAS's dtrtrs shares even two columns of two rows out to threads, and waits for them for as long as their
        # cores are busy with anything else, some 20 ms at a time.
        failed = not A.diagonal().all()
        found = right if failed else dtrsm(1.0, A, right, lower=lower, trans_a=transposed)
    if failed:
        raise np.linalg.LinAlgError("singular matrix")
    return found.reshape(right.shape)


def qr(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Q (n, p) with orthonormal columns, C-contiguous, and upper triangular R (p, p), X = QR; p at most n, and not zero.

    Examples
    --------
    >>> Q, R = qr(np.array([[3.0], [4.0]]))
    >>> np.abs(Q.ravel()), np.abs(R)
    (array([0.6, 0.8]), array([[5.]]))
    """
    reflections, tau, _, _ = dgeqrf(X)
    R = np.where(_upper(X.shape[1]), reflections[: X.shape[1]], 0.0)
    return np.ascontiguousarray(dorgqr(reflections, tau, overwrite_a=1)[0]), R


@lru_cache(maxsize=64)
def _upper(p: int) -> np.ndarray:
    """(p, p) bool: the upper triangle; not to be changed."""
    return np.triu(np.ones((p, p), bool))
