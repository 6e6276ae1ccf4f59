"""Passes over many rows, compiled and shared out to threads: what would be several passes over memory by NumPy is one here.

Rows are taken in pieces of fixed length, so that sums do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.solver.kernels_rows import (
    add_group_products,
    add_inner_products,
    add_scattered_products,
    orthonormalize,
    subtract_fitted,
    times_matrix,
)
from sparsemixed.solver.stretches import in_order
from sparsemixed.solver.threads import shared_out

MANY = 100_000
"""Rows from which these passes pay for what it takes to compile and load them: of fewer NumPy takes a millisecond or two more."""
FEW = 16
"""Columns up to which they are faster than BLAS."""
PIECE = 1 << 14


def suits(matrix: np.ndarray, many: int | None = None) -> bool:
    """Whether a matrix (n, c) is one of many rows, by default `MANY`, and few columns."""
    enough = len(matrix) >= (MANY if many is None else many)
    return enough and 0 < matrix.shape[1] <= FEW and matrix.dtype == np.float64 and matrix.flags.c_contiguous


def rows_times(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """rows (n, a) times a matrix (a, b), every row in the same way."""
    product, matrix = np.empty((len(rows), matrix.shape[1])), np.ascontiguousarray(matrix)
    shared_out(lambda begin, end: times_matrix(rows, matrix, begin, end, product), *_pieces(len(rows)))
    return product


def turned(
    X: np.ndarray, y: np.ndarray, matrix: np.ndarray, fitted: np.ndarray, in_place: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Q = X matrix (n, p), upper triangular, y - Q fitted (n,), and the inner products (p + 1, p + 1) of both: in one pass."""
    if len(y) < MANY:
        Q = X @ matrix
        out = y - Q @ fitted
        return Q, out, inner_products(Q, out)
    Q, out = (X, y) if in_place else (np.empty_like(X), np.empty(len(y)))
    matrix = np.ascontiguousarray(matrix)

    def piece(begin: int, end: int) -> np.ndarray:
        gram = np.zeros((X.shape[1] + 1, X.shape[1] + 1))
        orthonormalize(X, y, matrix, fitted, begin, end, Q, out, gram)
        return gram

    return Q, out, _mirrored(_total(len(y), piece))


def less_fitted(y: np.ndarray, Q: np.ndarray, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y - Q fitted (n,), and its inner products (p,) with Q (n, p)."""
    out = np.empty(len(y))

    def piece(begin: int, end: int) -> np.ndarray:
        subtract_fitted(Q, fitted, y, begin, end, out)
        return out[begin:end] @ Q[begin:end]

    return out, _total(len(y), piece)


def group_products(codes: np.ndarray, Z: np.ndarray, X: np.ndarray, y: np.ndarray, n_groups: int) -> np.ndarray:
    """Z_i'[X y Z] (J, k, p + 1 + k) of every group i, by codes (n,) int32; on all threads where the rows are in order."""
    out = np.zeros((n_groups, Z.shape[1], X.shape[1] + 1 + Z.shape[1]))
    if not in_order(codes):
        add_scattered_products(codes, Z, X, y, out)
        return out
    # Pieces end with a group, so that no two threads have the same one.
    ends = np.unique(np.append(np.searchsorted(codes, codes[PIECE::PIECE]), len(codes))).tolist()
    shared_out(lambda begin, end: add_group_products(codes, Z, X, y, begin, end, out), [0, *ends[:-1]], ends)
    return out


def inner_products(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[X y]'[X y] (p + 1, p + 1)."""
    p = X.shape[1]
    if len(y) < MANY:
        crossed = X.T @ y
        return np.block([[X.T @ X, crossed[:, None]], [crossed, y @ y]])

    def piece(begin: int, end: int) -> np.ndarray:
        right, out = y[begin:end], np.zeros((p + 1, p + 1))
        add_inner_products(X, begin, end, out)
        out[p, :p], out[p, p] = right @ X[begin:end], right @ right
        return out

    return _mirrored(_total(len(y), piece))


def squares(rows: np.ndarray) -> np.ndarray:
    """rows'rows (c, c) of rows (n, c)."""

    def piece(begin: int, end: int) -> np.ndarray:
        out = np.zeros((rows.shape[1], rows.shape[1]))
        add_inner_products(rows, begin, end, out)
        return out

    return _mirrored(_total(len(rows), piece))


def _mirrored(lower: np.ndarray) -> np.ndarray:
    """A symmetric matrix of which the upper triangle is zero."""
    return lower + np.tril(lower, -1).T


def _pieces(n: int) -> tuple[list[int], list[int]]:
    """Where the pieces of n rows begin and end."""
    begins = [*range(0, n, PIECE)]
    return begins, [*begins[1:], n]


def _total(n: int, piece: Callable[[int, int], np.ndarray]) -> np.ndarray:
    """The sum over pieces of n rows, in order."""
    parts = shared_out(piece, *_pieces(n))
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total
