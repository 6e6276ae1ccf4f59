"""LAPACK without Python's lock, which scipy's wrappers hold: threads with a factorization each would wait for one another."""

from __future__ import annotations

import ctypes

import numpy as np
from numba.extending import get_cython_function_address

_INT = ctypes.POINTER(ctypes.c_int)
# ctypes lets go of the lock while a foreign function runs.
_dpotrf = ctypes.CFUNCTYPE(None, ctypes.c_char_p, _INT, ctypes.c_void_p, _INT, _INT)(
    get_cython_function_address("scipy.linalg.cython_lapack", "dpotrf")
)


def cholesky(matrix: np.ndarray) -> int:
    """Replace the lower triangle of a symmetric matrix by its Cholesky factor; what stands above is neither read nor written.

    Parameters
    ----------
    matrix : (n, n) float64, stored by columns

    Returns
    -------
    int
        Zero, or the order of the first leading minor that is not positive.
    """
    assert matrix.flags.f_contiguous
    assert matrix.dtype == np.float64
    n, info = ctypes.c_int(len(matrix)), ctypes.c_int()
    _dpotrf(b"L", n, matrix.ctypes.data, ctypes.c_int(max(len(matrix), 1)), info)
    return info.value
