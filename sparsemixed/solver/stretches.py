"""Stretches of rows that are alike: of data in order there are few, and what holds for one holds for all of its rows."""

from __future__ import annotations

import numpy as np

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


def spread(values: np.ndarray, begins: np.ndarray, n: int) -> np.ndarray:
    """The values of stretches of rows in each of their rows, (n,)."""
    return np.repeat(values, np.diff(begins, append=n))
