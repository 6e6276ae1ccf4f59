"""Data split by the levels of a variable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from sparsemixed.design.data.frame import Frame
from sparsemixed.errors import DataError, suggestion


class Levels:
    """The rows of a frame by the levels of a variable, in their order; rows without a level belong to none.

    Parameters
    ----------
    frame : Frame
    name : str
        Of the variable.

    Raises
    ------
    DataError
        There is no such variable, or it has no level.
    """

    def __init__(self, frame: Frame, name: str):
        if name not in frame:
            raise DataError(f"by: variable `{name}` not found{suggestion(name, frame.names)}")
        self.frame, self.name = frame, name
        series = frame.series(name)
        try:
            codes, levels = pd.factorize(series, sort=True)
        except TypeError:  # texts among numbers have no order
            codes, levels = pd.factorize(series)
        if not len(levels):
            raise DataError(f"by: variable `{name}` is missing in all rows")
        self._order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[self._order], np.arange(len(levels) + 1))
        self._slices = {_scalar(level): slice(ends[i], ends[i + 1]) for i, level in enumerate(levels)}
        self._columns: dict[int, Any] = {}

    def __iter__(self) -> Iterator[Any]:
        """Levels as JSON has them: numbers, truth values or texts."""
        return iter(self._slices)

    def rows(self, level: Any) -> Frame:
        """The frame with the rows of one level alone."""
        frame, place = self.frame, self._slices[level]
        names = list(frame.names)
        index = None if frame.index is None else frame.index[self._order[place]]
        return Frame(names, place.stop - place.start, lambda i: self._stretch(i, place), frame.value_labels, index)

    def _stretch(self, position: int, place: slice) -> pd.Series:
        """The rows of a level of a column; without a copy, because the column is kept in the order of the levels."""
        if position not in self._columns:
            whole = self.frame.series(self.frame.names[position])
            self._columns[position] = (whole.array[self._order], whole.dtype)
        values, dtype = self._columns[position]
        return pd.Series(values[place], dtype=dtype, copy=False)

    def written(self, level: Any) -> str:
        """A level as headings and names of files have it: by its value label where it has one."""
        labels = self.frame.value_labels.get(self.name, {})
        return str(labels.get(level, level) if isinstance(level, int) else level)


def _scalar(level: Any) -> Any:
    """A level as JSON has it: a number, a truth value or a text."""
    value = level.item() if isinstance(level, np.generic) else level
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (str, int, float, bool)) else str(level)


def file_for(pattern: str, level: str) -> str:
    """The file of one level: {} in its name becomes the level, whose special characters become %xx.

    Examples
    --------
    >>> file_for("fits/{}.fit", "North/West")
    'fits/North%2FWest.fit'
    """
    path = Path(pattern)
    return str(path.with_name(path.name.replace("{}", quote(level, safe=" "))))
