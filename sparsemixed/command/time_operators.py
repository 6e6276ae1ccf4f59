"""Time-series operators as typed: `L`, `L2D`, `L(1/3)`, `S12`, `l(0 2 4)d`."""

from __future__ import annotations

import re
from itertools import product

from sparsemixed.errors import shortened
from sparsemixed.time_series import TimeOperator, elementary

SERIES = r"[lfdsLFDS](?:\d+|\([^()]*\))?"
"""One operator, as a regular expression."""
MOST_OPERATORS = 1000
"""A list such as `L(0/999999).x` is a slip, not a wish."""
MOST_LAGS = 10**9
MOST_SEASONAL = 6

_ONE = re.compile(r"(?P<letter>[lfdsLFDS])(?P<number>\d+)?(?:\((?P<list>[^()]*)\))?")
_ITEM = re.compile(r"(?P<low>-?\d{1,9})(?:\s*/\s*(?P<high>-?\d{1,9}))?(?![\d/])")


def time_operators(text: str) -> tuple[TimeOperator, ...]:
    """All operators that a sequence stands for, those of its first list slowest.

    Raises
    ------
    ValueError
        For lists that are no lists of numbers, and for too many operators.

    Examples
    --------
    >>> [one.text for one in time_operators("L(0/2)d")]
    ['D', 'LD', 'L2D']
    >>> [one.text for one in time_operators("L(-1 1)")]
    ['F', 'L']
    """
    choices = [[elementary(one["letter"], number) for number in _numbers(one)] for one in _ONE.finditer(text)]
    operators = (TimeOperator(),)
    for choice in choices:
        operators = multiplied(operators, tuple(choice))
    return operators


def multiplied(outer: tuple[TimeOperator, ...], inner: tuple[TimeOperator, ...]) -> tuple[TimeOperator, ...]:
    """Each of the first times each of the second, every product once.

    Raises
    ------
    ValueError
        Too many operators, or one that no series is long enough for.
    """
    size = len(outer) * len(inner)
    if size > MOST_OPERATORS:
        raise ValueError(f"it stands for {size} variables, more than {MOST_OPERATORS}")
    found = tuple(dict.fromkeys(one * other for one, other in product(outer, inner)))
    for operator in found:
        elementary("D", operator.differences)  # limits it
        if abs(operator.lag) >= MOST_LAGS or len(operator.seasonal) > MOST_SEASONAL:
            raise ValueError(f"{operator.text} goes too far")
    return found


def _numbers(one: re.Match) -> list[int]:
    """The numbers after a letter: none is 1, `12`, or a list in parentheses, whose ranges may fall."""
    if one["list"] is None:
        if len(one["number"] or "") > 9:
            raise ValueError(f"the number after {one['letter']} is too large")
        return [int(one["number"] or 1)]
    numbers: list[int] = []
    rest = one["list"].strip(" \t\n,")
    while rest:
        match = _ITEM.match(rest)
        if match is None:
            raise ValueError(f"found {shortened(rest.split()[0])} where numbers should be, as in L(1/3).x or L(0 2 4).x")
        low, high = int(match["low"]), int(match["high"] or match["low"])
        if abs(high - low) >= MOST_OPERATORS:
            raise ValueError(f"{match[0]} is a range of more than {MOST_OPERATORS} numbers")
        numbers += range(low, high + 1) if low <= high else range(low, high - 1, -1)
        rest = rest[match.end() :].lstrip(" \t\n,")
    if not numbers:
        raise ValueError("no number is listed")
    return numbers
