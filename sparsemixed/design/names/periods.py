"""Dates counted in periods: the numbers that lags count in when the time variable holds dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import DataError
from sparsemixed.spec import TIME_UNITS


def period_numbers(name: str, categories: Sequence[Any], unit: str) -> np.ndarray:
    """(len(categories),) float64: consecutive numbers for consecutive periods.

    Parameters
    ----------
    name : str
        The time variable, for messages.
    categories : sequence
        Distinct dates, or pandas periods, which need no unit.
    unit : {"daily", "weekly", "monthly", "quarterly", "halfyearly", "yearly", ""}
        Weeks are Stata's: 52 in every year, the first from 1 January.

    Raises
    ------
    DataError
        The values are no dates, or nothing says what a period is.

    Examples
    --------
    >>> period_numbers("t", pd.to_datetime(["2024-11-30", "2024-12-01", "2025-01-05"]), "monthly") - 12 * 2024
    array([10., 11., 12.])
    """
    if all(isinstance(value, pd.Period) for value in categories):
        if unit:
            raise DataError(
                f"tsset: the time variable `{name}` holds periods, which say themselves how long they are: leave {unit} out"
            )
        return np.array([value.ordinal for value in categories], dtype=np.float64)
    try:
        dates = pd.DatetimeIndex(pd.to_datetime(list(categories)))
    except (TypeError, ValueError):
        raise DataError(
            f"tsset: the time variable `{name}` holds times of day or durations, not dates; number the periods 1, 2, ..."
        ) from None
    if not unit:
        units = f"{', '.join(TIME_UNITS[:-1])} or {TIME_UNITS[-1]}"
        raise DataError(f"tsset: the time variable `{name}` holds dates; say how long a period is: tsset({name}, {units})")
    return _numbers(dates, unit).astype(np.float64)


def _numbers(dates: pd.DatetimeIndex, unit: str) -> np.ndarray:
    """Periods since the year 0 (days since the epoch of Julian dates), whole numbers."""
    year, month = np.asarray(dates.year), np.asarray(dates.month) - 1
    numbers = {
        "daily": lambda: np.asarray(dates.tz_localize(None).normalize().to_julian_date()) + 0.5,
        "weekly": lambda: 52 * year + np.minimum((np.asarray(dates.day_of_year) - 1) // 7, 51),
        "monthly": lambda: 12 * year + month,
        "quarterly": lambda: 4 * year + month // 3,
        "halfyearly": lambda: 2 * year + month // 6,
        "yearly": lambda: year,
    }
    return numbers[unit]()
