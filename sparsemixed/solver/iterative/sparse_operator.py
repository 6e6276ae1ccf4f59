"""The sparse matrix of the eliminated term's cells, for products with blocks of vectors on all threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.solver.buffers import Buffers
from sparsemixed.solver.iterative.kernels_groups import columns_times_block, rows_times_block, square_times_block, times_blocks
from sparsemixed.solver.vectors import WIDTH

MOST_PARTS = 16
"""Parts of the groups that are summed by themselves, one by each thread at a time."""
COLUMNS = 16
"""Columns that are taken at a time."""


class SparseCells:
    """H (q0, q2) on a fixed pattern; its entries (nnz, k0) are given with every product.

    Parameters
    ----------
    indptr : (J0 + 1,) int64
    columns : (nnz,) int32
    n_columns : int
    """

    def __init__(self, indptr: np.ndarray, columns: np.ndarray, n_columns: int):
        self.indptr, self.columns, self.n_columns = indptr, columns, n_columns
        # Their sums must cost little beside the products themselves.
        parts = int(np.clip(columns.size // (8 * max(n_columns, 1)), 1, MOST_PARTS))
        wanted = np.linspace(0, indptr[-1], parts + 1)[1:-1]
        self.bounds = np.concatenate([[0], np.searchsorted(indptr, wanted), [indptr.size - 1]]).astype(np.int64)
        # Memory that one product after another works in: to ask for it anew each time takes longer than to fill it.
        self.buffers = Buffers()

    def times(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H x (q0, m) for x (q2, m)."""
        return self._product(rows_times_block, entries, x, (self.indptr.size - 1) * entries.shape[1])

    def times_transposed(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H'x (q2, m) for x (q0, m)."""
        return self._product(columns_times_block, entries, x, self.n_columns)

    def times_square(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H'H x (q2, m) for x (q2, m)."""
        return self._product(square_times_block, entries, x, self.n_columns)

    def scale(self, blocks: np.ndarray, entries: np.ndarray, out: np.ndarray) -> None:
        """out (nnz, k0): the rows of every group multiplied with its block of blocks (J0, k0, k0)."""
        times_blocks(self.bounds, blocks, self.indptr, entries, out)

    def _product(self, product: Callable[..., None], entries: np.ndarray, x: np.ndarray, rows: int) -> np.ndarray:
        parts, work = [], _Work()
        panel = self.buffers.lend(work, (len(x) * COLUMNS + WIDTH,))
        sums = self.buffers.lend(work, ((self.bounds.size - 1) * self.n_columns * COLUMNS + WIDTH,))
        for first in range(0, max(x.shape[1], 1), COLUMNS):
            out = np.empty((rows, min(COLUMNS, x.shape[1] - first)))
            some = np.ascontiguousarray(x[:, first : first + COLUMNS])
            product(self.bounds, self.indptr, self.columns, entries, some, panel, sums, out)
            parts.append(out)
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


class _Work:
    """Owner of the memory of one product."""
