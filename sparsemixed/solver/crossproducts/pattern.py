"""The pattern of Z_0'Z_2, level by level of the remaining terms, or of many rows group by group of term 0.

Group by group, what a group meets fits into the processor's cache; rows in any order are sorted by group first. Level by level
takes less where there are few rows, and several times as long where each of millions is far from the one before in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.solver.crossproducts.kernels import count_levels, fill_levels
from sparsemixed.solver.kernels import number_cells
from sparsemixed.solver.stretches import in_order, shares, sorted_rows

LONG = 1 << 21
"""Rows from which that is so (measured: to a million, level by level takes two thirds of the time, and less to be compiled)."""
PARTS = 16
"""Parts of the groups, one by each thread at a time."""


Levels = Sequence[tuple[np.ndarray, int, int]]
"""Of each remaining term: codes (n,) int32, number of levels, columns of a level."""


def pattern_by_levels(groups: np.ndarray, n_groups: int, levels: Levels) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """indptr, columns, and for each remaining term the first entry of each row's cell; groups (n,) int32 of term 0."""
    met, n, offset = np.empty(n_groups, np.int64), groups.size, 0
    cells, own, columns, widths = [], [], [], []
    for codes, size, width in levels:
        order, start = sorted_rows(codes, size)
        cell, group, level = (np.empty(n, np.int32) for _ in range(3))
        met.fill(-1)
        count = number_cells(order, start, groups, met, cell, group, level)
        cells.append(cell)
        own.append(group[:count])
        columns.append(offset + width * level[:count])
        widths.append(np.full(count, width, np.int32))
        offset += width * size
    # Cells stand term by term and level by level, and so they will within each group.
    order, start = sorted_rows(np.concatenate(own), n_groups)
    first, width = np.concatenate(columns)[order], np.concatenate(widths)[order]
    ends = np.concatenate([[0], np.cumsum(width)])
    place, before = np.empty(order.size, np.int32), 0
    place[order] = ends[:-1]
    for t, group in enumerate(own):
        cells[t] = place[before + cells[t]]
        before += group.size
    return ends[start], _all_columns(first, width, ends), cells


def _all_columns(first: np.ndarray, width: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """All columns of cells (nnz,) int32 by the first one of each, and their number."""
    if (width == 1).all():
        return first
    return (np.repeat(first - ends[:-1], width) + np.arange(ends[-1])).astype(np.int32)


def pattern_by_groups(groups: np.ndarray, n_groups: int, levels: Levels) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The same as `pattern_by_levels`."""
    if in_order(groups):
        order, start = np.empty(0, np.int32), np.searchsorted(groups, np.arange(n_groups + 1))
    else:
        order, start = sorted_rows(groups, n_groups)
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
