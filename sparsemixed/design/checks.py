"""Checks of values against groups that several rules share; each rule words its own message."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.data.codes import first_rows


def changing_rows(values: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """Rows (m,) int64, ascending, whose value is not that of the first row of their group; none where values are constant.

    Parameters
    ----------
    values : (n,) array
    codes : (n,) int, 0 .. n_groups - 1
        Group of each row.

    Examples
    --------
    >>> changing_rows(np.array([5, 5, 7, 6]), np.array([0, 0, 1, 1]), 2)
    array([3])
    """
    return np.flatnonzero(values != values[first_rows(codes, n_groups)[codes]])
