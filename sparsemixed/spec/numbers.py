"""Numbers given as arguments: Python's and numpy's alike, and truth values are none."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np

from sparsemixed.errors import OptionError


def is_number(value: Any) -> TypeGuard[float]:
    """Whether this is a real number.

    Examples
    --------
    >>> is_number(0.5), is_number(np.float32(0.5)), is_number(True), is_number("0.5")
    (True, True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether this is an integer.

    Examples
    --------
    >>> is_whole(3), is_whole(np.int64(3)), is_whole(3.0), is_whole(True)
    (True, True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


def check_level(level: Any, where: str = "level()") -> float:
    """A level in per cent, between 10 and 99.99 as in Stata.

    Parameters
    ----------
    level : number
    where : str
        What it was given to, for the message.

    Raises
    ------
    OptionError
        For what is not a number, and for numbers outside.
    """
    if not is_number(level) or not 10 <= level <= 99.99:
        raise OptionError(f"{where}: {level!r} is not a level in per cent, which must lie between 10 and 99.99")
    return float(level)
