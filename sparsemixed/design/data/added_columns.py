"""Arrays beside a data frame, as columns of it: one value for each of its rows, in their order or by their index."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.data.frame import Frame
from sparsemixed.errors import DataError


def is_array(value: Any) -> bool:
    """Whether a keyword's value holds values for the rows rather than the name of a column.

    Examples
    --------
    >>> is_array([1.0, 2.0]), is_array("w"), is_array({"": "w"}), is_array(None), is_array(2.0)
    (True, False, False, False, False)
    """
    if isinstance(value, (str, bytes, Mapping)) or value is None:
        return False
    return isinstance(value, (list, tuple, pd.Series, pd.Index)) or (hasattr(value, "__array__") and np.ndim(value) > 0)


def aligned(name: str, values: Any, frame: Frame) -> pd.Series:
    """One value for every row of the data, (n_rows,).

    Parameters
    ----------
    name : str
        Of the keyword, for messages.
    values : array_like or Series
        A pandas Series with another index than the data frame's goes by its index, everything else by position.
    frame : Frame

    Raises
    ------
    DataError
        Another number of values than rows, several columns, or an index that does not name every row once.
    """
    series = values if isinstance(values, pd.Series) else None
    if series is None and np.ndim(values) != 1:
        shape, rows = np.shape(values), frame.n_rows
        raise DataError(f"{name} has the shape {shape}; it takes one value for each of the {rows} rows of the data")
    n = len(values)
    by_index = series is not None and frame.index is not None and not series.index.equals(frame.index)
    if by_index and series is not None and frame.index is not None:
        if series.index.is_unique and frame.index.is_unique and frame.index.isin(series.index).all():
            return series.loc[frame.index].reset_index(drop=True)
        if n == frame.n_rows:
            raise DataError(
                f"{name} is a Series whose index is not that of the data: it does not name each of their rows once; pass "
                f"{name}=series.to_numpy() if its values are in the order of the rows"
            )
    if n != frame.n_rows:
        raise DataError(f"{name} has {n} values and the data have {frame.n_rows} rows; it takes one value for each row")
    return series.reset_index(drop=True) if series is not None else pd.Series(np.asarray(values))


def with_columns(frame: Frame, columns: Mapping[str, pd.Series]) -> Frame:
    """The frame with more columns, whose names it must not have yet."""
    names, added = list(frame.names), list(columns.values())
    own = len(names)

    def fetch(position: int) -> pd.Series:
        return frame.series(names[position]) if position < own else added[position - own]

    return Frame([*names, *columns], frame.n_rows, fetch, frame.value_labels, frame.index, frame.units)


def new_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, with as many underscores after it as it takes to be no column yet."""
    while wanted in taken:
        wanted += "_"
    return wanted
