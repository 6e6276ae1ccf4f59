"""Dates and times as texts: groups may be named by them."""

from __future__ import annotations

import datetime
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


DATES: dict[str, Written] = {
    "timestamp": Written(
        datetime.datetime,
        lambda value: [pd.Timestamp(value).tz_localize(None).isoformat(), None if value.tzinfo is None else str(value.tzinfo)],
        lambda text: pd.Timestamp(text[0]) if text[1] is None else pd.Timestamp(text[0]).tz_localize(text[1]),
    ),
    "date": Written(datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    "timedelta": Written(datetime.timedelta, lambda value: pd.Timedelta(value).isoformat(), pd.Timedelta),
    "time": Written(datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
    "period": Written(pd.Period, lambda value: [str(value), value.freqstr], lambda text: pd.Period(*text)),
}
"""Tag -> type; one stands before those that it is a kind of (a datetime is a date)."""
