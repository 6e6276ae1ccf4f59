"""Passes over many rows, compiled and shared out to threads: what would be several passes over memory by NumPy is one here.

Rows are taken in pieces of fixed length, so that sums do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.solver.kernels_rows import add_group_products, subtract_fitted, times_matrix
from sparsemixed.solver.threads import shared_out

MANY = 50_000
"""Rows from which these passes pay for what it takes to compile or load them."""
FEW = 16
"""Columns up to which they are faster than BLAS."""
PIECE = 1 << 14


def suits(matrix: np.ndarray) -> bool:
    """Whether a matrix (n, c) is one of many rows and few columns."""
    return len(matrix) >= MANY and 0 < matrix.shape[1] <= FEW and matrix.dtype == np.float64 and matrix.flags.c_contiguous


def rows_times(rows: np.ndarray, matrix: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """rows (n, a) times a matrix (a, b), every row in the same way, and the product's (b, b) inner products.

    `out` may be `rows` where the matrix is upper triangular.
    """
    product = np.empty((len(rows), matrix.shape[1])) if out is None else out
    matrix = np.ascontiguousarray(matrix)

    def piece(begin: int, end: int) -> np.ndarray:
        times_matrix(rows, matrix, begin, end, product)
        part = product[begin:end]
        return part.T @ part

    return product, _total(len(rows), piece)


def less_fitted(y: np.ndarray, Q: np.ndarray, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y - Q fitted (n,), and its inner products (p,) with Q (n, p)."""
    out = np.empty(len(y))

    def piece(begin: int, end: int) -> np.ndarray:
        subtract_fitted(Q, fitted, y, begin, end, out)
        return out[begin:end] @ Q[begin:end]

    return out, _total(len(y), piece)


def in_order(codes: np.ndarray) -> bool:
    """Whether the rows of every group stand together, group by group, by codes (n,)."""
    return bool((codes[1:] >= codes[:-1]).all())


def group_products(codes: np.ndarray, Z: np.ndarray, X: np.ndarray, y: np.ndarray, n_groups: int) -> np.ndarray:
    """Z_i'[X y Z] (J, k, p + 1 + k) of every group i of rows that are in order, by codes (n,) int32."""
    out = np.zeros((n_groups, Z.shape[1], X.shape[1] + 1 + Z.shape[1]))
    # Pieces end with a group, so that no two threads have the same one.
    ends = np.unique(np.append(np.searchsorted(codes, codes[PIECE::PIECE]), len(codes))).tolist()
    shared_out(lambda begin, end: add_group_products(codes, Z, X, y, begin, end, out), [0, *ends[:-1]], ends)
    return out


def inner_products(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[X y]'[X y] (p + 1, p + 1)."""
    p = X.shape[1]

    def piece(begin: int, end: int) -> np.ndarray:
        own, right, out = X[begin:end], y[begin:end], np.empty((p + 1, p + 1))
        out[:p, :p], out[p, p] = own.T @ own, right @ right
        out[:p, p] = out[p, :p] = right @ own
        return out

    return _total(len(y), piece)


def _total(n: int, piece: Callable[[int, int], np.ndarray]) -> np.ndarray:
    """The sum over pieces of n rows, in order."""
    begins = range(0, n, PIECE)
    parts = shared_out(piece, begins, [*begins[1:], n])
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total
