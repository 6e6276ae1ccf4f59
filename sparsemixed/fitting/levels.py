"""Data split by the levels of a variable."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.variable import Variable, all_finite, is_plain, part_of
from sparsemixed.errors import DataError, suggestion


class Levels:
    """The rows of a frame by the levels of variables, in their order; rows without a level belong to none.

    Parameters
    ----------
    frame : Frame
    names : str or tuple of str
        Of the variable; of several, whose levels are tuples then.

    Raises
    ------
    DataError
        There is no such variable, or it has no level.
    """

    def __init__(self, frame: Frame, names: str | tuple[str, ...]):
        self.names = (names,) if isinstance(names, str) else names
        unknown = next((name for name in self.names if name not in frame), None)
        if unknown is not None:
            raise DataError(f"by: variable `{unknown}` not found{suggestion(unknown, frame.names)}")
        self.frame = frame
        codes, levels = _factorized(frame, self.names)
        if not len(levels):
            raise DataError(f"by: variable `{' '.join(self.names)}` is missing in all rows")
        self._order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[self._order], np.arange(len(levels) + 1))
        self._slices = {level: slice(ends[i], ends[i + 1]) for i, level in enumerate(levels)}
        self._columns: dict[int, Any] = {}
        self._numbers: dict[str, Variable | None] = {}

    def __iter__(self) -> Iterator[Any]:
        """Levels as JSON has them: numbers, truth values or texts."""
        return iter(self._slices)

    def __len__(self) -> int:
        return len(self._slices)

    def values(self, level: Any) -> tuple[Any, ...]:
        """A level as a tuple, also of a single variable."""
        return level if len(self.names) > 1 else (level,)

    def place(self, level: Any) -> np.ndarray:
        """Positions (m,) of the rows of a level, in their order."""
        return self._order[self._slices[level]]

    def rows(self, level: Any) -> Frame:
        """The frame with the rows of one level alone."""
        return _OneLevel(self, self._slices[level])

    def index(self, place: slice) -> pd.Index | None:
        """The index of the rows at a stretch of the order of levels."""
        return None if self.frame.index is None else self.frame.index[self._order[place]]

    def numbers(self, name: str) -> Variable | None:
        """A column of numbers, all of its rows in the order of the levels; None for what a part may make another kind of."""
        if name not in self._numbers:
            whole = self.frame[name] if is_plain(self.frame.series(name)) else None
            self._numbers[name] = None if whole is None else part_of(whole, self._order)
        return self._numbers[name]

    def stretch(self, position: int, place: slice) -> pd.Series:
        """A stretch of a column; without a copy, because the column is kept in the order of the levels."""
        if position not in self._columns:
            whole = self.frame.series(self.frame.names[position])
            self._columns[position] = (whole.array[self._order], whole.dtype)
        values, dtype = self._columns[position]
        return pd.Series(values[place], dtype=dtype, copy=False)

    def written(self, level: Any) -> str:
        """A level as headings and names of files have it: by its value label where it has one."""
        return ", ".join(self._each_written(level))

    def heading(self, level: Any) -> str:
        """`school = 1`, or `arm = new, site = 2`."""
        return ", ".join(f"{name} = {text}" for name, text in zip(self.names, self._each_written(level), strict=True))

    def _each_written(self, level: Any) -> list[str]:
        found = []
        for name, value in zip(self.names, self.values(level), strict=True):
            labels = self.frame.value_labels.get(name, {})
            found.append(str(labels.get(value, value) if isinstance(value, int) else value))
        return found


class _OneLevel(Frame):
    """The rows of one level; columns of numbers are parts of those that were converted for all levels at once."""

    def __init__(self, levels: Levels, place: slice):
        whole = levels.frame
        fetch = partial(levels.stretch, place=place)
        super().__init__(whole.names, place.stop - place.start, fetch, whole.value_labels, levels.index(place), whole.units)
        self._levels, self._place = levels, place

    def __getitem__(self, name: str) -> Variable:
        if name not in self._converted:
            whole = self._levels.numbers(name)
            if whole is None:
                return super().__getitem__(name)
            self._converted[name] = part_of(whole, self._place)
        return self._converted[name]

    def plain_numbers(self, name: str) -> np.ndarray | None:
        whole = self._levels.numbers(name) if name in self else None
        if whole is None:
            return None
        values = whole.values[self._place]
        return values if whole.is_finite or all_finite(values) else None


def _factorized(frame: Frame, names: tuple[str, ...]) -> tuple[np.ndarray, list[Any]]:
    """Codes (n,) of the levels in their order, -1 where one is missing, and the levels that there are."""
    each = [_levels_of(frame.series(name)) for name in names]
    if len(names) == 1:
        return each[0]
    codes = np.zeros(frame.n_rows, np.int64)
    for own, levels in each:
        codes = codes * max(len(levels), 1) + own
    codes[np.any([own < 0 for own, _ in each], axis=0)] = -1
    there = np.unique(codes[codes >= 0])
    places = [np.unravel_index(there, [max(len(levels), 1) for _, levels in each])]
    levels = [tuple(each[i][1][k] for i, k in enumerate(row)) for row in zip(*places[0], strict=True)]
    return np.where(codes < 0, -1, np.searchsorted(there, codes)), levels


def _levels_of(series: pd.Series) -> tuple[np.ndarray, list[Any]]:
    try:
        codes, levels = pd.factorize(series, sort=True)
    except TypeError:  # texts among numbers have no order
        codes, levels = pd.factorize(series)
    return codes, [_scalar(level) for level in levels]


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
