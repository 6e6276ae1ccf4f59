"""Levels of confidence and of credibility, in per cent."""

from __future__ import annotations

from numbers import Real
from typing import Any

from sparsemixed.errors import OptionError


def check_level(level: Any, where: str = "level()") -> float:
    """A level in per cent, between 10 and 99.99 as in Stata.

    Parameters
    ----------
    level : number
        Python's or numpy's.
    where : str
        What it was given to, for the message.

    Raises
    ------
    OptionError
        For what is not a number, and for numbers outside.
    """
    if isinstance(level, bool) or not isinstance(level, Real) or not 10 <= level <= 99.99:
        raise OptionError(f"{where}: {level!r} is not a level in per cent, which must lie between 10 and 99.99")
    return float(level)
