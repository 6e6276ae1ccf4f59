"""Which distances in time the data have."""

from __future__ import annotations

import numpy as np

NEIGHBOURS = 8
"""Places apart up to which all lags are looked at; beyond it every doubling of the places."""
LARGEST_INTEGER = 2.0**53
"""Beyond it floating point has no odd numbers."""


def neighbouring_gaps(t: np.ndarray, codes: np.ndarray, apart: int = 1) -> np.ndarray:
    """Differences of times `apart` places from each other in the order of time of a group; t and codes (n,)."""
    order = np.lexsort((t, codes))
    times, groups = t[order], codes[order]
    return (times[apart:] - times[:-apart])[groups[apart:] == groups[:-apart]]


def observed_lags(t: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The distinct lags within groups, sorted: all of groups of up to nine times, of longer ones a selection with both ends."""
    largest = int(np.bincount(codes).max())
    places = [*range(1, min(largest, NEIGHBOURS + 1)), *(2**k for k in range(4, largest.bit_length()))]
    found = [np.unique(neighbouring_gaps(t, codes, apart)) for apart in places if apart < largest]
    low, high = np.full(codes.max() + 1, np.inf), np.full(codes.max() + 1, -np.inf)
    np.minimum.at(low, codes, t)
    np.maximum.at(high, codes, t)
    spans = np.unique((high - low)[high > low])
    return np.unique(np.concatenate([*found, spans]))


def common_divisor(gaps: np.ndarray) -> int:
    """Greatest common divisor of integer gaps; 1 without any, and where they are beyond exact integers."""
    if gaps.size == 0 or gaps.max() > LARGEST_INTEGER:
        return 1
    return int(np.gcd.reduce(np.unique(gaps).astype(np.int64)))
