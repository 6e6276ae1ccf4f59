"""`statsby` and `rolling` as functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

import pandas as pd

from sparsemixed.command.keywords import ModelKeywords
from sparsemixed.errors import OptionError
from sparsemixed.fitting.call import Call, asked, frame_of, run, settled
from sparsemixed.fitting.levels import Levels
from sparsemixed.repeated.by_level import names_of
from sparsemixed.repeated.kept_statistics import Windows, one_time, statistics_by_level, statistics_in_windows
from sparsemixed.repeated.statistics import read_statistics
from sparsemixed.results import Results
from sparsemixed.spec.numbers import is_whole
from sparsemixed.storage.table_file import check_format, write_table

Statistics = str | Sequence[str] | Mapping[str, str | Callable[[Results], float]] | None
"""Of `statsby` and `rolling`: `"_b _se"`, `"ll=e(ll)"`, several texts, or texts and functions of a fit by name; None is `_b`."""


class StatsbyKeywords(ModelKeywords, total=False):
    """Options of `mixed`, and those of `statsby`."""

    total: bool
    saving: str | None


class RollingKeywords(ModelKeywords, total=False):
    """Options of `mixed`, and those of `rolling`."""

    time: str | None
    """The variable of times, whole numbers; by default that of the option `tsset`."""
    step: int
    """From the start of one window to that of the next."""
    recursive: bool
    """Windows that all start at the first time, and grow."""
    rrecursive: bool
    """Windows that all end at the last time, and shrink."""
    start: float | None
    """First time used."""
    end: float | None
    """Last time used."""
    saving: str | None
    """A file for the table: .csv, .parquet, .feather or .dta."""


def statsby(
    model: str, data: Any, by: str | Sequence[str], statistics: Statistics = None, **options: Unpack[StatsbyKeywords]
) -> pd.DataFrame:
    """Fit a model to the rows of each level and keep some numbers of each fit.

    Parameters
    ----------
    model, data, by
        As of `by`; the model has no prefix.
    statistics : str, list of str or mapping
        `"_b"` and `"_se"`, every entry of e(b) and its standard error; expressions, `"ratio=_b[x]/_b[z]"`, `"e(ll)"`,
        `"_se[x]"`; a mapping of names to expressions or to functions of a fit. By default `"_b"`.
    **options
        Those of `mixed`; `total=True` adds a row for all rows together, `saving="table.csv"` writes the table.

    Returns
    -------
    DataFrame
        One row for each level: the variables, the statistics, and `message`, which is None unless the fit failed.

    Raises
    ------
    SparseMixedError
        No level could be fitted, or a statistic cannot be understood.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    >>> found = sparsemixed.statsby("y time || id:", data.assign(arm=data.id % 2), "arm", "_b[time] n=e(N)")
    >>> found[["arm", "n"]].values.tolist()
    [[0.0, 180.0], [1.0, 180.0]]
    """
    total, saving = bool(options.pop("total", False)), options.pop("saving", None)
    wanted, plain = read_statistics(statistics), _plain(model, data, options, saving)
    names = names_of(by, "statsby")
    levels = Levels(frame_of(plain, "statsby"), names[0] if len(names) == 1 else names)
    return _saved(statistics_by_level(levels, _fitter(plain), wanted, total), saving)


def rolling(
    model: str, data: Any, window: int, statistics: Statistics = None, **options: Unpack[RollingKeywords]
) -> pd.DataFrame:
    """Fit a model to one window of time after another and keep some numbers of each fit.

    All groups are in every window, with the rows that they have there.

    Parameters
    ----------
    model, data, statistics
        As of `statsby`.
    window : int
        Times in a window.
    **options
        Those of `mixed`, and `time`, `step`, `recursive`, `rrecursive`, `start`, `end`, `saving`: see `RollingKeywords`.

    Returns
    -------
    DataFrame
        One row for each window: `start`, `end`, the statistics, `message`.

    Raises
    ------
    OptionError
        No variable of times; a window or a step that is no positive whole number.
    DataError
        Times that are no whole numbers; no window fits.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    >>> found = sparsemixed.rolling("y || id:", data, 3, "n=e(N)", time="time")
    >>> found[["start", "end", "n"]].values.tolist()
    [[0.0, 2.0, 180.0], [1.0, 3.0, 180.0], [2.0, 4.0, 180.0], [3.0, 5.0, 180.0]]
    """
    wanted = read_statistics(statistics)
    own: dict[str, Any] = {
        name: options.pop(name, None) for name in ("time", "step", "recursive", "rrecursive", "start", "end", "saving")
    }
    windows = _windows(window, own)
    plain = _plain(model, data, options, own["saving"])
    tsset = asked(plain).tsset
    variable = one_time(own["time"], None if tsset is None else tsset.time)
    return _saved(statistics_in_windows(frame_of(plain, "rolling"), variable, windows, _fitter(plain), wanted), own["saving"])


def _windows(window: Any, own: Mapping[str, Any]) -> Windows:
    """The windows asked for.

    Raises
    ------
    OptionError
    """
    step = 1 if own["step"] is None else own["step"]
    for name, value in (("window", window), ("step", step)):
        if not is_whole(value) or value < 1:
            raise OptionError(f"rolling: {name} is a number of times, 1 or more; found {value!r}")
    if own["recursive"] and own["rrecursive"]:
        raise OptionError("rolling: recursive and rrecursive exclude each other")
    kind = "recursive" if own["recursive"] else "rrecursive" if own["rrecursive"] else ""
    return Windows(window, step, kind, own["start"], own["end"])


def _plain(model: str, data: Any, options: Any, saving: str | None) -> Call:
    if saving is not None:
        check_format(saving)
    return settled(Call(model, data, dict(options)))


def _fitter(plain: Call) -> Callable[[Any], Results]:
    def fit(rows: Any) -> Results:
        call = Call(plain.model, rows, plain.options, plain.options_win)
        return Results(run(call), call)

    return fit


def _saved(table: pd.DataFrame, path: str | None) -> pd.DataFrame:
    if path is not None:
        write_table(table, path)
    return table
