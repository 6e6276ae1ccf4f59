"""BLAS and LAPACK without Python's lock, which scipy's wrappers hold: threads with a matrix each would wait for one another.

Blocks of a matrix are worked on where they stand: scipy's wrappers would copy them.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from sparsemixed.lapack import blas, lapack

_WORD, _INT, _REAL, _ARRAY = ctypes.c_char_p, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_double), ctypes.c_void_p


_ROUTINES: dict[str, tuple[Any, tuple[type, ...]]] = {
    "dpotrf": (lapack, (_WORD, _INT, _ARRAY, _INT, _INT)),
    "dpotri": (lapack, (_WORD, _INT, _ARRAY, _INT, _INT)),
    "dgemm": (blas, (_WORD, _WORD, *[_INT] * 3, _REAL, _ARRAY, _INT, _ARRAY, _INT, _REAL, _ARRAY, _INT)),
    "dtrsm": (blas, (*[_WORD] * 4, *[_INT] * 2, _REAL, _ARRAY, _INT, _ARRAY, _INT)),
}
"""Name -> its library, and the types of its arguments."""

_address = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))


@cache
def _routine(name: str) -> ctypes._CFuncPtr:
    """A routine, by the address that f2py keeps of it; ctypes lets go of the lock while a foreign function runs."""
    library, arguments = _ROUTINES[name]
    return ctypes.CFUNCTYPE(None, *arguments)(_address(getattr(library, name)._cpointer, None))


def cholesky(matrix: np.ndarray) -> int:
    """Replace the lower triangle of a symmetric matrix by its Cholesky factor; what stands above is neither read nor written.

    Parameters
    ----------
    matrix : (n, n) float64, stored by columns, or a block of one that is

    Returns
    -------
    int
        Zero, or the order of the first leading minor that is not positive.
    """
    info = ctypes.c_int()
    _routine("dpotrf")(b"L", ctypes.c_int(len(matrix)), matrix.ctypes.data, _leading(matrix), info)
    return info.value


def inverse_of_factor(lower: np.ndarray) -> int:
    """Replace a Cholesky factor L, where `cholesky` left it, by the lower triangle of inv(LL'); not zero where L is singular."""
    info = ctypes.c_int()
    _routine("dpotri")(b"L", ctypes.c_int(len(lower)), lower.ctypes.data, _leading(lower), info)
    return info.value


def add_product(out: np.ndarray, left: np.ndarray, right: np.ndarray, share: float, keep: float = 1.0) -> None:
    """out = keep out + share left right; all (blocks of) matrices stored by columns, or transposes of such but for `out`."""
    (a, left_as), (b, right_as) = _stored(left), _stored(right)
    m, n, k = ctypes.c_int(len(out)), ctypes.c_int(out.shape[1]), ctypes.c_int(left.shape[1])
    A, B, C = ((each.ctypes.data, _leading(each)) for each in (a, b, out))
    _routine("dgemm")(left_as, right_as, m, n, k, ctypes.c_double(share), *A, *B, ctypes.c_double(keep), *C)


def times_inverse(block: np.ndarray, lower: np.ndarray) -> None:
    """block = block inv(L) for a lower triangular L; both (blocks of) matrices stored by columns."""
    m, n = ctypes.c_int(len(block)), ctypes.c_int(block.shape[1])
    L, B = ((each.ctypes.data, _leading(each)) for each in (lower, block))
    _routine("dtrsm")(b"R", b"L", b"N", b"N", m, n, ctypes.c_double(1.0), *L, *B)


def _stored(matrix: np.ndarray) -> tuple[np.ndarray, bytes]:
    """A matrix as it is stored, by columns, and whether it is the transpose of that."""
    return (matrix, b"N") if matrix.strides[0] == matrix.itemsize else (matrix.T, b"T")


def _leading(matrix: np.ndarray) -> ctypes.c_int:
    """Numbers from one column to the next."""
    assert matrix.dtype == np.float64
    assert matrix.strides[0] == matrix.itemsize or len(matrix) <= 1
    return ctypes.c_int(max(matrix.strides[1] // matrix.itemsize, len(matrix), 1))
