"""`statsby` and `rolling`: some numbers of every fit, in a data frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.data.frame import Frame
from sparsemixed.errors import DataError, OptionError, SparseMixedError
from sparsemixed.fitting.levels import Levels
from sparsemixed.repeated.by_level import message_of, quietly
from sparsemixed.repeated.statistics import Statistic, values_of
from sparsemixed.solver.groups.profiled import expect

MESSAGE = "message"
"""Column with what went wrong; None where nothing did."""


@dataclass(frozen=True)
class Windows:
    """Which windows of time a model is fitted to.

    Attributes
    ----------
    length, step : int
        Times in a window, and from the start of one to that of the next.
    recursive : {"", "recursive", "rrecursive"}
        Windows that keep their start, or their end, and grow or shrink.
    first, last : float or None
        Limits of the times that are used; those of the data by default.
    """

    length: int
    step: int = 1
    recursive: str = ""
    first: float | None = None
    last: float | None = None


def statistics_by_level(
    levels: Levels, fit: Callable[[Frame], Any], statistics: Sequence[Statistic], total: bool
) -> pd.DataFrame:
    """One row for each level: the variables, the statistics, and the message where there is no fit.

    Parameters
    ----------
    total : bool
        A last row for all rows together, whose level is missing.

    Raises
    ------
    SparseMixedError
        No level could be fitted: the error of the first.
    """
    expect(len(levels))
    rows = [(dict(zip(levels.names, levels.values(level), strict=True)), levels.rows(level)) for level in levels]
    if total:
        rows.append((dict.fromkeys(levels.names), levels.frame))
    return _collected(iter(rows), fit, statistics)


def statistics_in_windows(
    frame: Frame, time: str, windows: Windows, fit: Callable[[Frame], Any], statistics: Sequence[Statistic]
) -> pd.DataFrame:
    """One row for each window: `start`, `end`, the statistics, and the message where there is no fit.

    Raises
    ------
    DataError
        The variable of times is not there, holds no whole numbers, or no window fits within its values.
    """
    if time not in frame:
        raise DataError(f"rolling: there is no variable `{time}`")
    if not frame[time].counts_as_number:
        raise DataError(f"rolling: `{time}` is no variable of times, which are numbers")
    values = frame[time].numbers()
    if np.any(np.mod(values[np.isfinite(values)], 1.0)):
        raise DataError(f"rolling: `{time}` is to hold whole numbers, as times of tsset do; make a column of periods first")
    limits = list(_limits(values, windows))
    if not limits:
        raise DataError(f"rolling: no window of {windows.length} times fits within the values of `{time}`")
    expect(len(limits))
    rows = (({"start": start, "end": end}, frame.rows(_inside(values, start, end))) for start, end in limits)
    return _collected(rows, fit, statistics)


def _inside(values: np.ndarray, start: float, end: float) -> np.ndarray:
    return np.flatnonzero((values >= start) & (values <= end))


def _limits(values: np.ndarray, windows: Windows) -> Iterator[tuple[int, int]]:
    """First and last time of every window."""
    known = values[np.isfinite(values)]
    if not len(known):
        return
    first = int(known.min() if windows.first is None else max(windows.first, known.min()))
    last = int(known.max() if windows.last is None else min(windows.last, known.max()))
    for start in range(first, last - windows.length + 2, windows.step):
        end = start + windows.length - 1
        yield (first if windows.recursive == "recursive" else start), (last if windows.recursive == "rrecursive" else end)


def _collected(
    rows: Iterator[tuple[dict[str, Any], Frame]], fit: Callable[[Frame], Any], statistics: Sequence[Statistic]
) -> pd.DataFrame:
    found: list[dict[str, Any]] = []
    first_error: SparseMixedError | None = None
    for keys, frame in rows:
        try:
            found.append({**keys, **values_of(quietly(fit, frame), statistics), MESSAGE: None})
        except SparseMixedError as error:
            first_error = first_error or error
            found.append({**keys, MESSAGE: message_of(error)})
    if first_error is not None and all(row[MESSAGE] is not None for row in found):
        raise first_error
    table = pd.DataFrame(found)
    return table.reindex(columns=[*(name for name in table if name != MESSAGE), MESSAGE])


def one_time(time: Any, spec_time: str | None) -> str:
    """The variable of times: as asked for, or that of tsset().

    Raises
    ------
    OptionError
        There is neither.
    """
    if time is None and spec_time is None:
        raise OptionError("rolling needs times: name their variable, time=, or the option tsset(panelvar timevar) of the command")
    found = spec_time if time is None else time
    if not isinstance(found, str):
        raise OptionError(f"rolling: time is the name of a variable, found {found!r}")
    return found
