"""The sparse matrix of the eliminated term's cells, for products with blocks of vectors on all threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sparsemixed.solver.aligned import aligned_in
from sparsemixed.solver.buffers import Buffers
from sparsemixed.solver.iterative.kernels_groups import (
    add_parts,
    columns_times_block,
    padded,
    rows_times_block,
    square_times_block,
    times_blocks,
)
from sparsemixed.solver.stretches import shares
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
        self.bounds = shares(indptr, parts)
        # Memory that one product after another works in: to ask for it anew each time takes longer than to fill it.
        self.buffers = Buffers()

    def times(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H x (q0, m) for x (q2, m)."""
        q0, work = (self.indptr.size - 1) * entries.shape[1], _Work()
        parts = []
        for panel, m in self._panels(x, work):
            parts.append(np.empty((q0, m)))
            rows_times_block(self.bounds, self.indptr, self.columns, entries, panel, parts[-1])
        return _side_by_side(parts)

    def times_transposed(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H'x (q2, m) for x (q0, m)."""
        return self._summed(columns_times_block, entries, x)

    def times_square(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H'H x (q2, m) for x (q2, m)."""
        return self._summed(square_times_block, entries, x)

    def scale(self, blocks: np.ndarray, entries: np.ndarray, out: np.ndarray) -> None:
        """out (nnz, k0): the rows of every group multiplied with its block of blocks (J0, k0, k0)."""
        times_blocks(self.bounds, blocks, self.indptr, entries, out)

    def _summed(self, product: Callable[..., None], entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """A product (q2, m) that is summed in each part of the groups by itself."""
        rows, parts, work = (self.bounds.size - 1) * self.n_columns, [], _Work()
        numbers = self.buffers.lend(work, (rows * COLUMNS + WIDTH,))
        for panel, m in self._panels(x, work):
            sums = aligned_in(numbers, rows, panel.shape[1])
            product(self.bounds, self.indptr, self.columns, entries, panel, sums)
            parts.append(np.empty((self.n_columns, m)))
            add_parts(sums, parts[-1])
        return _side_by_side(parts)

    def _panels(self, x: np.ndarray, work: _Work) -> Iterator[tuple[np.ndarray, int]]:
        """Columns of x as the products take them, and how many there are; a panel stays until the next is asked for."""
        numbers = self.buffers.lend(work, (len(x) * COLUMNS + WIDTH,))
        for first in range(0, max(x.shape[1], 1), COLUMNS):
            some = np.ascontiguousarray(x[:, first : first + COLUMNS])
            panel = aligned_in(numbers, *_whole_vectors(some))
            padded(some, panel)
            yield panel, some.shape[1]


def _whole_vectors(x: np.ndarray) -> tuple[int, int]:
    """Shape of the panel of x (q, m)."""
    return len(x), -(-x.shape[1] // WIDTH) * WIDTH


class _Work:
    """Owner of the memory of one product."""


def _side_by_side(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
