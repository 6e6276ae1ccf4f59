"""A sparse matrix with a fixed pattern in both orientations, for products with blocks of vectors on all threads."""

from __future__ import annotations

import numba
import numpy as np

from sparsemixed.solver.iterative.kernels import sparse_times_block, transpose_pattern
from sparsemixed.solver.kernels_aligned import aligned
from sparsemixed.solver.vectors import WIDTH

PARTS_PER_THREAD = 8
"""Stretches of rows for each thread, equal in entries: small enough to even out, large enough not to count."""
OFTEN = 50
"""Times that a row is read, on average, from which a copy that is faster to read pays."""


class SparsePattern:
    """Pattern of an (n, q) matrix in CSR, with its transpose.

    Parameters
    ----------
    indptr : (n + 1,) int64
    indices : (nnz,) int32
    n_columns : int
    """

    def __init__(self, indptr: np.ndarray, indices: np.ndarray, n_columns: int):
        self.indptr, self.indices, self.shape = indptr, indices, (indptr.size - 1, n_columns)
        self.column_indptr = np.zeros(n_columns + 1, np.int64)
        self.rows = np.empty(indices.size, np.int32)
        self.place = np.empty(indices.size, np.int32 if indices.size < 2**31 else np.int64)
        transpose_pattern(indptr, indices, n_columns, self.column_indptr, self.rows, self.place)
        self.bounds, self.column_bounds = shared_out(self.indptr), shared_out(self.column_indptr)

    def times(self, data: np.ndarray, x: np.ndarray) -> np.ndarray:
        """A x (n, m) for entries `data` (nnz,) and x (q, m)."""
        out = aligned.py_func(self.shape[0], x.shape[1])
        sparse_times_block(self.bounds, self.indptr, self.indices, data, self._at_hand(x), out)
        return out

    def transposed(self, data: np.ndarray) -> np.ndarray:
        """The entries in the order of the transpose, for `times_transposed`."""
        return data[self.place]

    def times_transposed(self, transposed: np.ndarray, x: np.ndarray) -> np.ndarray:
        """A'x (q, m) from entries as `transposed` gives them."""
        out = aligned.py_func(self.shape[1], x.shape[1])
        sparse_times_block(self.column_bounds, self.column_indptr, self.rows, transposed, self._at_hand(x), out)
        return out

    def _at_hand(self, x: np.ndarray) -> np.ndarray:
        """x (r, m), C-contiguous; where its rows are read often, each begins where vectors of the processor do."""
        whole = x.shape[1] % WIDTH == 0 and x.ctypes.data % (8 * WIDTH) != 0
        if not whole or self.indices.size < OFTEN * len(x):
            return np.ascontiguousarray(x)
        out = aligned.py_func(*x.shape)
        out[:] = x
        return out


def shared_out(indptr: np.ndarray) -> np.ndarray:
    """(parts + 1,) int64 bounds of stretches of rows with about the same number of entries."""
    parts = PARTS_PER_THREAD * numba.get_num_threads()
    wanted = np.linspace(0, indptr[-1], parts + 1)[1:-1]
    inner = np.searchsorted(indptr, wanted)
    return np.concatenate([[0], inner, [indptr.size - 1]]).astype(np.int64)
