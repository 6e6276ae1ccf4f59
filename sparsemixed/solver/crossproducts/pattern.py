"""The pattern of Z_0'Z_2 of many rows, group by group of term 0: what a group meets fits into the processor's cache.

Rows in any order are sorted by group first. `cells_of` finds the same level by level of the remaining terms, which takes less
where there are few rows, and several times as long where each of millions is far from the one before in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.solver.crossproducts.kernels import count_levels, fill_levels
from sparsemixed.solver.kernels import sort_rows
from sparsemixed.solver.stretches import in_order, shares

LONG = 1 << 21
"""Rows from which that is so (measured: to a million, level by level takes two thirds of the time, and less to be compiled)."""
PARTS = 16
"""Parts of the groups, one by each thread at a time."""


def pattern_by_groups(
    groups: np.ndarray, n_groups: int, levels: Sequence[tuple[np.ndarray, int, int]]
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """indptr, columns, and for each remaining term the first entry of each row's cell.

    Parameters
    ----------
    groups : (n,) int32
        Of term 0.
    levels : sequence of (codes (n,) int32, number of levels, columns of a level)
        Of each remaining term.
    """
    if in_order(groups):
        order, start = np.empty(0, np.int64), np.searchsorted(groups, np.arange(n_groups + 1))
    else:
        order, start = sort_rows(groups, n_groups)
    bounds, counts = shares(start, PARTS), np.zeros(n_groups, np.int64)
    for codes, size, width in levels:
        count_levels(bounds, start, order, codes, size, width, counts)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    columns, cursor, offset, cells = np.empty(indptr[-1], np.int32), indptr[:-1].copy(), 0, []
    for codes, size, width in levels:
        cells.append(np.empty(codes.size, np.int32))
        fill_levels(bounds, start, order, codes, size, width, offset, cursor, columns, cells[-1])
        offset += width * size
    return indptr, columns, cells
