"""Which distances in time the data have."""

from __future__ import annotations

import numpy as np

NEIGHBOURS = 8
"""Places apart up to which all lags are looked at; beyond it every doubling of the places."""
LARGEST_INTEGER = 2.0**53
"""Beyond it floating point has no odd numbers."""


def neighbouring_gaps(t: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Differences of successive times of a group; t and codes (n,)."""
    return _apart(*_in_time_order(t, codes), 1)


def observed_lags(t: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The distinct lags within groups, sorted: all of groups of up to nine times, of longer ones a selection with both ends."""
    times, groups = _in_time_order(t, codes)
    first = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    last = np.append(first[1:], groups.size) - 1
    largest = int((last - first).max()) + 1
    places = [*range(1, min(largest, NEIGHBOURS + 1)), *(2**k for k in range(4, largest.bit_length()))]
    lags = [np.unique(_apart(times, groups, apart)) for apart in places if apart < largest]
    spans = np.unique((times[last] - times[first])[last > first])
    return np.unique(np.concatenate([*lags, spans]))


def _in_time_order(t: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times and groups, sorted by group and time; most data come so, and telling costs a twentieth of sorting."""
    if np.all((codes[1:] > codes[:-1]) | ((codes[1:] == codes[:-1]) & (t[1:] >= t[:-1]))):
        return t, codes
    order = np.lexsort((t, codes))
    return t[order], codes[order]


def _apart(times: np.ndarray, groups: np.ndarray, places: int) -> np.ndarray:
    """Differences of times so many places from each other within a group, from rows in order."""
    return (times[places:] - times[:-places])[groups[places:] == groups[:-places]]


def common_divisor(gaps: np.ndarray) -> int:
    """Greatest common divisor of integer gaps; 1 without any, and where they are beyond exact integers."""
    if gaps.size == 0 or gaps.max() > LARGEST_INTEGER:
        return 1
    return int(np.gcd.reduce(np.unique(gaps).astype(np.int64)))
