"""Dates, times and decimals as texts: groups may be named by them."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Written:
    """How one type is written as a text or a list of texts, and read again."""

    kind: type
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _zone(value: datetime.datetime) -> str | None:
    """The name of a zone, where it has one by which it is found again; its offset is in the time itself."""
    return None if value.tzinfo is None or not is_zone(str(value.tzinfo)) else str(value.tzinfo)


def is_zone(name: str) -> bool:
    """Whether a time zone is found by this name."""
    try:
        pd.Timestamp(0, tz=name)
    except Exception:  # each library of time zones has its own
        return False
    return True


def _timestamp(text: str, zone: str | None) -> pd.Timestamp:
    time = pd.Timestamp(text)
    if not isinstance(time, pd.Timestamp):
        raise ValueError(f"{text} is no time")
    if zone is None:
        return time
    return time.tz_localize(zone) if time.tz is None else time.tz_convert(zone)  # without an offset in older files


DATES: dict[str, Written] = {
    "timestamp": Written(
        datetime.datetime,
        lambda value: [pd.Timestamp(value).isoformat(), _zone(value)],
        lambda text: _timestamp(text[0], text[1]),
    ),
    "date": Written(datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    "timedelta": Written(datetime.timedelta, lambda value: pd.Timedelta(value).isoformat(), pd.Timedelta),
    "time": Written(datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
    "decimal": Written(decimal.Decimal, str, decimal.Decimal),
    "period": Written(pd.Period, lambda value: [str(value), value.freqstr], lambda text: pd.Period(*text)),
}
"""Tag -> type; one stands before those that it is a kind of (a datetime is a date)."""
