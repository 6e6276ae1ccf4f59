"""The sparse matrix of the eliminated term's cells, for products with blocks of vectors on all threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.solver.iterative.kernels_groups import (
    add_parts,
    columns_times_panels,
    padded,
    rows_times_panels,
    square_times_panels,
    zeros_of_parts,
)

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

    def times(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H x (q0, m) for x (q2, m)."""

        def product(panel: np.ndarray, out: np.ndarray) -> None:
            rows_times_panels(self.bounds, self.indptr, self.columns, entries, panel, out)

        return _by_columns(product, x, (self.indptr.size - 1) * entries.shape[1])

    def times_transposed(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H'x (q2, m) for x (q0, m)."""
        return self._summed(columns_times_panels, entries, x)

    def times_square(self, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """H'H x (q2, m) for x (q2, m)."""
        return self._summed(square_times_panels, entries, x)

    def _summed(self, product: Callable[..., None], entries: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Sums over parts of the groups."""

        def summed(panel: np.ndarray, out: np.ndarray) -> None:
            sums = zeros_of_parts(self.bounds.size - 1, *out.shape)
            product(self.bounds, self.indptr, self.columns, entries, panel, sums)
            add_parts(sums, out)

        return _by_columns(summed, x, self.n_columns)


def _by_columns(product: Callable[[np.ndarray, np.ndarray], None], x: np.ndarray, rows: int) -> np.ndarray:
    """A product (rows, m) with x (_, m), `COLUMNS` at a time."""
    parts = []
    for first in range(0, max(x.shape[1], 1), COLUMNS):
        out = np.empty((rows, min(COLUMNS, x.shape[1] - first)))
        product(padded(np.ascontiguousarray(x[:, first : first + COLUMNS])), out)
        parts.append(out)
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
