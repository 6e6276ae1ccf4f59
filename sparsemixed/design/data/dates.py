"""Dates as numbers: Stata's, which count from the beginning of 1960, so that both programs print the same coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

DAYS = "days since 1 January 1960"
DURATION = "days"
STATA_UNITS = {
    "%tc": "milliseconds since 1 January 1960",
    "%td": DAYS,
    "%d": DAYS,
    "%tw": "weeks since the first of 1960",
    "%tm": "months since January 1960",
    "%tq": "quarters since the first of 1960",
    "%th": "half-years since the first of 1960",
    "%ty": "years",
}
"""Beginning of the format of a variable of Stata's -> what its numbers count, when they are read as dates."""
UNITS = {unit: form for form, unit in reversed(STATA_UNITS.items())}
_ORIGIN = pd.Timestamp("1960-01-01")
_DAY = pd.Timedelta(days=1)


def unit_of(values: Sequence[Any]) -> str:
    """What distinct dates count when they are taken as numbers; empty for those that cannot be (times of day).

    Examples
    --------
    >>> unit_of([pd.Timestamp("2020-01-01")]), unit_of([pd.Period("2020-01", "M")]), unit_of([])
    ('days since 1 January 1960', 'periods (M) since the first of 1960', '')
    """
    if not len(values):
        return ""
    first = values[0]
    if isinstance(first, pd.Period):
        return f"periods ({first.freqstr}) since the first of 1960"
    # Durations before dates: what a Timedelta counts has no origin.
    for convert, unit in ((pd.to_timedelta, DURATION), (pd.to_datetime, DAYS)):
        try:
            convert([first])
        except (TypeError, ValueError, OverflowError):
            continue
        return unit
    return ""


def date_numbers(values: Sequence[Any], unit: str, from_first: bool = False) -> np.ndarray:
    """(k,) float64: k distinct dates, in order, in their unit.

    Parameters
    ----------
    values : sequence
    unit : str
        As `unit_of` or Stata's format has it. Days have fractions; zones keep the time that their clocks show.
    from_first : bool
        Count from the first of the values: differences of times that lie close together keep their digits.

    Examples
    --------
    >>> date_numbers(pd.to_datetime(["1960-01-02 00:00", "1960-01-03 12:00"]), DAYS)
    array([1. , 2.5])
    """
    if not len(values):
        return np.zeros(0)
    if isinstance(values[0], pd.Period):
        origin = values[0] if from_first else pd.Period("1960-01-01", values[0].freq)
        return np.array([value.ordinal - origin.ordinal for value in values], dtype=np.float64)
    if unit == DURATION:
        durations = pd.TimedeltaIndex(pd.to_timedelta(list(values)))
        return np.asarray((durations - durations[0] if from_first else durations) / _DAY, dtype=np.float64)
    dates = pd.DatetimeIndex(pd.to_datetime(list(values))).tz_localize(None)
    if UNITS[unit] in ("%td", "%tc"):
        days = np.asarray((dates - (dates[0] if from_first else _ORIGIN)) / _DAY, dtype=np.float64)
        return days if unit == DAYS else np.rint(86_400_000.0 * days)
    numbers = _periods(dates, UNITS[unit]).astype(np.float64)
    return numbers - numbers[0] if from_first else numbers


def _periods(dates: pd.DatetimeIndex, form: str) -> np.ndarray:
    """Whole periods: Stata's numbers of the dates at which they begin."""
    year, month = np.asarray(dates.year), np.asarray(dates.month) - 1
    since = year - 1960
    if form == "%tw":  # 52 in every year, the first from 1 January
        return 52 * since + np.minimum((np.asarray(dates.day_of_year) - 1) // 7, 51)
    return {"%tm": 12 * since + month, "%tq": 4 * since + month // 3, "%th": 2 * since + month // 6, "%ty": year}[form]
