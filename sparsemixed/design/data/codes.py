"""Numbering of distinct values, fast for millions of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sparsemixed.solver.stretches import in_order, runs, spread


def compress(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the distinct values in sorted order.

    Of equal values that stand together one is looked at. Integers of a narrow range are numbered by a table of which occur;
    everything else is hashed, so that only the distinct values are ever sorted.

    Parameters
    ----------
    values : (n,) array of numbers, no NaN

    Returns
    -------
    codes : (n,) int32
    distinct : (g,) array, increasing

    Examples
    --------
    >>> compress(np.array([7, 3, 7]))
    (array([1, 0, 1], dtype=int32), array([3, 7]))
    """
    begins = runs(values)
    if begins is not None:
        own, distinct = compress(values[begins])
        return spread(own, begins, len(values)), distinct
    if values.dtype.kind == "i" and values.size:
        low, high = int(values.min()), int(values.max())
        if high - low <= 4 * values.size + 1024:
            offset = values - low if values.dtype == np.int64 else values.astype(np.int64) - low
            occurs = np.zeros(high - low + 1, dtype=bool)
            occurs[offset] = True
            rank = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
            return rank[offset], np.flatnonzero(occurs) + low
    codes, distinct = pd.factorize(values, sort=True)
    return codes.astype(np.int32), np.asarray(distinct)


def combine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number the combinations of two codes that occur, in order of (first, second).

    Parameters
    ----------
    first, second : (n,) int32, numbered from 0

    Returns
    -------
    codes : (n,) int32
    """
    begins = runs(first, second)
    if begins is not None:
        return spread(combine(first[begins], second[begins]), begins, len(first))
    width = int(second.max()) + 1 if second.size else 1
    return compress(first.astype(np.int64) * width + second)[0]


def combine_all(codes: Sequence[np.ndarray], n_rows: int) -> np.ndarray:
    """Number the combinations of any number of codes that occur; of none, all rows share the code 0."""
    if not codes:
        return np.zeros(n_rows, dtype=np.int32)
    together = codes[0]
    for following in codes[1:]:
        together = combine(together, following)
    return together


def group_sizes(codes: np.ndarray, n_groups: int) -> np.ndarray:
    """How many rows each group has, (n_groups,) int64.

    Examples
    --------
    >>> group_sizes(np.array([0, 0, 1]), 2)
    array([2, 1])
    """
    begins = runs(codes)
    if begins is None:
        return np.bincount(codes, minlength=n_groups)
    sizes = np.diff(begins, append=len(codes))
    if len(begins) == n_groups and in_order(codes[begins]):
        return sizes
    return np.bincount(codes[begins], sizes, n_groups).astype(np.int64)


def first_rows(codes: np.ndarray, n_groups: int) -> np.ndarray:
    """The first row of each group, (n_groups,) int64."""
    rows = np.empty(n_groups, dtype=np.int64)
    begins = runs(codes)
    own = codes if begins is None else codes[begins]
    # Of repeated indices NumPy keeps the last assignment, hence backwards.
    rows[own[::-1]] = np.arange(len(codes) - 1, -1, -1) if begins is None else begins[::-1]
    return rows
