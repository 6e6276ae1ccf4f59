"""Time-series operators as part of a name: `L2D.x` is the second lag of the first difference of `x`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_OPERATED = re.compile(r"(?P<operators>(?:[LFDS]\d{0,9})+)\.(?P<variable>.+)", re.DOTALL)
_MARKED = re.compile(r"(?P<mark>[a-z0-9.]*?)(?P<operated>(?:[LFDS]\d{0,9})+\..+)", re.DOTALL)
_ONE = re.compile(r"(?P<letter>[LFDS])(?P<number>\d*)")

MOST_DIFFERENCES = 50
"""Repeated differences beyond this are a slip; their weights would no longer be exact."""


@dataclass(frozen=True)
class TimeOperator:
    """A product of lags, leads and differences, which commute: L^lag (1 - L)^differences (1 - L^s) for each seasonal s.

    Attributes
    ----------
    lag : int
        Negative for a lead.
    differences : int
    seasonal : tuple of int
        Increasing, each at least 2.

    Examples
    --------
    >>> TimeOperator(lag=2, differences=1).on("x")
    'L2D.x'
    """

    lag: int = 0
    differences: int = 0
    seasonal: tuple[int, ...] = ()

    def __mul__(self, other: TimeOperator) -> TimeOperator:
        seasonal = tuple(sorted(self.seasonal + other.seasonal))
        return TimeOperator(self.lag + other.lag, self.differences + other.differences, seasonal)

    @property
    def shifts_only(self) -> bool:
        """Whether it takes values from other times without computing with them."""
        return not self.differences and not self.seasonal

    @property
    def text(self) -> str:
        """As Stata writes it, without the dot; empty for what changes nothing (`L0`, `FL`)."""
        parts = [("L" if self.lag > 0 else "F", abs(self.lag)), ("D", self.differences)]
        written = "".join(f"{letter}{number if number > 1 else ''}" for letter, number in parts if number)
        return written + "".join(f"S{season}" for season in self.seasonal)

    @property
    def heading(self) -> str:
        """As a row under the variable's name in a table.

        Examples
        --------
        >>> TimeOperator(lag=1).heading, TimeOperator(lag=1, differences=1).heading, TimeOperator(seasonal=(12,)).heading
        ('L1.', 'LD.', 'S12.')
        """
        return f"{self.text}1." if len(self.text) == 1 else f"{self.text}."

    def on(self, variable: str) -> str:
        """The name of the variable with the operator before it."""
        return f"{self.text}.{variable}" if self.text else variable

    def weights(self) -> dict[int, int]:
        """Lag -> weight: the value at time t is the sum of weight times the value at time t - lag.

        Examples
        --------
        >>> TimeOperator(differences=2).weights()
        {0: 1, 1: -2, 2: 1}
        """
        found = {self.lag: 1}
        for step in (*[1] * self.differences, *self.seasonal):
            differenced: Counter[int] = Counter()
            for lag, weight in found.items():
                differenced[lag] += weight
                differenced[lag + step] -= weight
            found = dict(differenced)
        return {lag: weight for lag, weight in sorted(found.items()) if weight}


def elementary(letter: str, number: int) -> TimeOperator:
    """One operator: `elementary("S", 12)` for `S12.`; S1 is D, and 0 changes nothing.

    Raises
    ------
    ValueError
        A seasonal difference over no time, or very many differences.
    """
    letter = letter.upper()
    if letter in "LF":
        return TimeOperator(lag=number if letter == "L" else -number)
    if number < (1 if letter == "S" else 0) or (letter == "D" and number > MOST_DIFFERENCES):
        limits = "at least 1" if letter == "S" else f"between 0 and {MOST_DIFFERENCES}"
        raise ValueError(f"the number after {letter} must be {limits}, found {number}")
    if letter == "D" or number == 1:
        return TimeOperator(differences=number)
    return TimeOperator(seasonal=(number,))


def split_name(name: str) -> tuple[TimeOperator, str] | None:
    """Operator and variable of a name such as `L2D.x`; None for a name without operator.

    Examples
    --------
    >>> split_name("FS12.x")
    (TimeOperator(lag=-1, differences=0, seasonal=(12,)), 'x')
    >>> split_name("x") is None
    True
    """
    match = _OPERATED.fullmatch(name)
    if match is None:
        return None
    operator = TimeOperator()
    try:
        for one in _ONE.finditer(match["operators"]):
            operator *= elementary(one["letter"], int(one["number"] or 1))
    except ValueError:
        return None
    return operator, match["variable"]


def unmarked(text: str) -> tuple[str, str]:
    """What stands before a variable, without its dot, and the variable with its time-series operators.

    Examples
    --------
    >>> unmarked("2.a"), unmarked("cL.x"), unmarked("i.L2.a"), unmarked("x")
    (('2', 'a'), ('c', 'L.x'), ('i', 'L2.a'), ('', 'x'))
    """
    match = _MARKED.fullmatch(text)
    if match is None:
        mark, _, variable = text.rpartition(".")
        return mark, variable
    return match["mark"].removesuffix("."), match["operated"]


def marked(mark: str, variable: str) -> str:
    """A variable with a mark of factor notation before it, which time-series operators join unless it is a text.

    Examples
    --------
    >>> marked("c", "x"), marked("1b", "L2.a"), marked("new", "L2.a")
    ('c.x', '1bL2.a', 'new.L2.a')
    """
    joins = split_name(variable) is not None and (mark in ("c", "co", "o") or mark[:1].isdigit())
    return f"{mark}{'' if joins else '.'}{variable}" if mark else variable
