"""Stretches of rows that are alike: of data in order there are few, and what holds for one holds for all of its rows."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.kernels import sort_rows

MANY = 1 << 12
"""Rows from which it pays to look whether equal values stand together."""
LENGTH = 3
"""Rows of a stretch of equal values, on average, from which it pays to number the stretches."""


def runs(*columns: np.ndarray) -> np.ndarray | None:
    """Where stretches of rows begin that are alike in all columns (n,), increasing; None where there are few such rows.

    Examples
    --------
    >>> runs(np.repeat([7, 3], [5000, 4000]))
    array([   0, 5000])
    """
    n = len(columns[0])
    if n < MANY:
        return None
    changes = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        changes |= column[1:] != column[:-1]
    if np.count_nonzero(changes) * LENGTH > n:
        return None
    return np.concatenate([[0], np.flatnonzero(changes) + 1])


def in_order(codes: np.ndarray) -> bool:
    """Whether the rows of every group stand together, group by group, by codes (n,)."""
    return bool((codes[1:] >= codes[:-1]).all())


def sorted_rows(codes: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows (n,) int32 by group, and where each group begins (n_groups + 1,) int64, by codes (n,) int32.

    Examples
    --------
    >>> order, start = sorted_rows(np.array([1, 0, 1], np.int32), 3)
    >>> order.tolist(), start.tolist()
    ([1, 0, 2], [0, 1, 3, 3])
    """
    start, order = np.zeros(n_groups + 1, np.int64), np.empty(codes.size, np.int32)
    np.cumsum(np.bincount(codes, minlength=n_groups), out=start[1:])
    sort_rows(codes, start[:-1].copy(), order)
    return order, start


def shares(begins: np.ndarray, parts: int) -> np.ndarray:
    """Where parts of the groups begin and end (parts + 1,) int64, of about as many rows each; begins (J + 1,): those of groups.

    Examples
    --------
    >>> shares(np.array([0, 1, 2, 10, 12]), 2)
    array([0, 3, 4])
    """
    wanted = np.linspace(begins[0], begins[-1], parts + 1)[1:-1]
    return np.concatenate([[0], np.searchsorted(begins, wanted), [begins.size - 1]]).astype(np.int64)


def spread(values: np.ndarray, begins: np.ndarray, n: int) -> np.ndarray:
    """The values of stretches of rows in each of their rows, (n,)."""
    return np.repeat(values, np.diff(begins, append=n))
