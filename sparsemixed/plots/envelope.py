"""What is left to see of more lines than there are points on paper: the lowest and the highest of neighbours."""

from __future__ import annotations

import numpy as np

BINS = 2_000
"""Neighbours are drawn together beyond as many lines."""


def envelope(place: np.ndarray, low: np.ndarray, middle: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, ...]:
    """Places (m,), lowest, middle and highest values of `BINS` groups of neighbours; missing values are left out.

    Examples
    --------
    >>> x = np.arange(10_000.0)
    >>> place, low, middle, high = envelope(x, x - 1, x, x + 1)
    >>> len(place), low[0], middle[0], high[0]
    (2000, np.float64(-1.0), np.float64(2.0), np.float64(5.0))
    """
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    starts = np.unique(np.linspace(0, len(known), min(BINS, len(known)) + 1).astype(np.int64))[:-1]
    if not len(starts):
        return (np.empty(0),) * 4
    inner = known[np.minimum(starts + np.diff(np.append(starts, len(known))) // 2, len(known) - 1)]
    return place[inner], np.minimum.reduceat(low[known], starts), middle[inner], np.maximum.reduceat(high[known], starts)
