"""Products of sparse blocks with a few columns, cell by cell where the cells stand: no other layout of them is made or kept.

A column is gone through after the other, so that the sum of a row stays in a register.

`scipy.sparse` has such products, and takes 8 MB and a tenth of a second to load. Those of `iterative.sparse_operator`, many of
which are taken on all threads, take seven times as long to be compiled, and memory to work in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.crossproducts.kernels import add_cells_times, add_columns_times, add_rows_times


class PairBlocks(NamedTuple):
    """Z_t'Z_u of two remaining terms, t <= u, cell by cell.

    rows, cols (c,) levels of t and of u that meet; values (c, k_t, k_u). For t == u every level meets itself, and others
    only where errors are correlated across levels; then both orders are listed.
    """

    t: int
    u: int
    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray

    @property
    def own(self) -> np.ndarray:
        """(J,) cells where a level of t == u meets itself, by level."""
        return np.flatnonzero(self.rows == self.cols)


def times(indptr: np.ndarray, columns: np.ndarray, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
    """H x (J0 k0, m) for entries (nnz, k0) of H (J0 k0, q2) on the pattern of Z_0'Z_2, and x (q2, m)."""
    out = np.zeros((x.shape[1], (indptr.size - 1) * entries.shape[1]))
    add_rows_times(indptr, columns, entries, np.ascontiguousarray(x.T), out)
    return np.ascontiguousarray(out.T)


def transposed_times(indptr: np.ndarray, columns: np.ndarray, entries: np.ndarray, x: np.ndarray, q2: int) -> np.ndarray:
    """H'x (q2, m), likewise, for x (J0 k0, m)."""
    out = np.zeros((x.shape[1], q2))
    add_columns_times(indptr, columns, entries, np.ascontiguousarray(x.T), out)
    return np.ascontiguousarray(out.T)


def remaining_times(pairs: Sequence[PairBlocks], offsets: Sequence[int] | np.ndarray, x: np.ndarray) -> np.ndarray:
    """G x (q2, m) for the symmetric G of the remaining terms that has these blocks; offsets: where each term begins."""
    x = np.ascontiguousarray(x.T)
    out = np.zeros(x.shape)
    for pair in pairs:
        row, col = offsets[pair.t], offsets[pair.u]
        add_cells_times(pair.rows, pair.cols, np.ascontiguousarray(pair.values), row, col, pair.t != pair.u, x, out)
    return np.ascontiguousarray(out.T)
