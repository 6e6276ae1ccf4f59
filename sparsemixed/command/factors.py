"""Operators: what stands before the dot in `i.a`, `ib3.a`, `2.a`, `c.x`, `L.x`, `cL(1/3).x`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from sparsemixed.command.arguments import MOST_DIGITS
from sparsemixed.command.time_operators import SERIES, multiplied, time_operators
from sparsemixed.errors import CommandError, shortened
from sparsemixed.exact_numbers import LARGEST_WHOLE
from sparsemixed.spec import Base, Factor
from sparsemixed.time_series import TimeOperator

MOST_LEVELS = 10_000
"""A list such as `i(1/999999999).a` is a slip, not a wish."""

_FACTOR = re.compile(
    r"(?P<letter>[ic]?)(?P<levels>\d+|\([^()]*\))?"
    r"(?:(?P<bare_base>bn)|b(?P<base>\d+|\([^()]*\))?|(?P<omitted>o)(?P<omitted_levels>\d+|\([^()]*\))?)?"
)
_PIECE = re.compile(rf"(?P<series>{SERIES})|.", re.DOTALL)
_RANK = re.compile(r"#\s*0*(?P<rank>[1-9]\d{0,8})")
_LEVEL = re.compile(r"\"(?P<text>[^\"]*)\"|(?P<low>-?\d+)\s*/\s*(?P<high>-?\d+)|(?P<number>-?\d+(?:\.\d+)?)")
_BASE_RULES: dict[str, Base] = {"first": "first", "last": "last", "freq": "frequent", "frequent": "frequent"}


@dataclass(frozen=True)
class Operator:
    """What an operator asks of the variables that follow it.

    Attributes
    ----------
    kind : {"", "continuous", "categorical", "values"}
        "values" is `R.`, random effects among the values of a variable; empty where only time-series operators stand.
    base : Base or None
        None if the operator names none; it is then the first level, or none when levels are selected.
    levels, omitted
        As in `Factor`.
    series : tuple of TimeOperator
        One for each variable that is made of the one that follows.
    """

    kind: str
    base: Base | None = None
    levels: tuple[float | str, ...] = ()
    omitted: bool = False
    series: tuple[TimeOperator, ...] = (TimeOperator(),)

    def before(self, inner: Operator) -> Operator:
        """This operator before one nearer to the variable, whose kind has precedence; time-series operators multiply.

        Raises
        ------
        ValueError
            Too many of them.
        """
        return replace(inner if inner.kind else self, series=multiplied(self.series, inner.series))

    def factors(self, variable: str, position: int, pattern: bool = False) -> list[Factor]:
        """The factors for one variable or pattern, one for each time-series operator.

        Raises
        ------
        ValueError
            A difference of a categorical variable.
        """
        names = [one.on(variable) for one in self.series]
        if self.kind != "categorical":
            return [Factor(name, omitted=self.omitted, pattern=pattern, position=position) for name in names]
        computed = next((one.text for one in self.series if not one.shifts_only), None)
        if computed is not None:
            raise ValueError(f"{computed}.{variable} is a difference and has no levels; write c{computed}.{variable}")
        base = self.base if self.base is not None else "none" if self.levels else "first"
        return [Factor(name, "categorical", base, self.levels, self.omitted, pattern, position) for name in names]


def read_operator(text: str, source: str, position: int) -> Operator:
    """Understand an operator with its dot.

    Examples
    --------
    >>> read_operator("ib3.", "ib3.a", 0).base
    3.0
    >>> read_operator("i(2/4).", "i(2/4).a", 0).levels
    (2.0, 3.0, 4.0)
    >>> [one.text for one in read_operator("cL(1/2).", "cL(1/2).x", 0).series]
    ['L', 'L2']
    """
    word = text.removesuffix(".")
    if word == "R":
        return Operator("values")
    before, series = _factor_and_series(word)
    try:
        if not before and series:
            return Operator("", series=time_operators(series))
        operator = _factor_operator(_FACTOR.fullmatch(before))
        return replace(operator, series=time_operators(series)) if series else operator
    except ValueError as error:
        detail = f": {error}" if str(error) else "; operators are i., c., o., ib#., ibn., #., R., L., F., D. and S."
        quoted = (
            f" (a column whose name has a dot goes in backquotes: `{word}.x`)"
            if not str(error) and word.isalpha() and len(word) < 60
            else ""
        )
        raise CommandError(f"operator {shortened(text)} is not understood{detail}{quoted}", source, position) from None


def _factor_and_series(word: str) -> tuple[str, str]:
    """What is left of the time-series operators at the end, and these."""
    start: int | None = None
    for piece in _PIECE.finditer(word):
        start = None if piece["series"] is None else piece.start() if start is None else start
    start = len(word) if start is None else start
    return word[:start], word[start:]


def _factor_operator(match: re.Match | None) -> Operator:
    if match is None:
        raise ValueError
    has_base = match["bare_base"] or match["base"]
    levels = _levels(match["levels"] or match["omitted_levels"] or "")
    if match["letter"] == "c" or (match["omitted"] and not match["letter"] and not levels):
        if levels or has_base or "b" in match[0]:
            raise ValueError("a continuous variable has no levels")
        return Operator("continuous", omitted=bool(match["omitted"]))
    if match["levels"] and match["omitted_levels"]:
        raise ValueError("two lists of levels")
    base: Base | None = "none" if match["bare_base"] else _base(match["base"])
    if base is None and match[0].endswith("b"):
        # `1b.a` is how results name a base level; `ib.a` names none.
        if len(levels) != 1:
            raise ValueError("b takes the base level: ib3., ib(last). or ibn.")
        base = levels[0]
    return Operator("categorical", base, levels, bool(match["omitted"]))


def _base(text: str | None) -> Base | None:
    """The base named after `b`: a level, or a rule in parentheses."""
    if text is None:
        return None
    inside = text.strip("() \t\n")
    if inside in _BASE_RULES:
        return _BASE_RULES[inside]
    if rank := _RANK.fullmatch(inside):
        return f"#{rank['rank']}"
    levels = _levels(text)
    if len(levels) != 1:
        raise ValueError("the base is one level, first, last, freq, or #2 for the second level")
    return levels[0]


def _levels(text: str) -> tuple[float | str, ...]:
    """Levels in `3`, `(2 3)`, `(2/4)` or `("a" "b")`."""
    inside = text.removeprefix("(").removesuffix(")").strip()
    levels: list[float | str] = []
    while inside:
        match = _LEVEL.match(inside)
        if match is None:
            raise ValueError(f"found {shortened(inside.split()[0])} where a level should be")
        levels += _listed(match)
        inside = inside[match.end() :].lstrip(" \t\n,")
    if text and not levels:
        raise ValueError("no level is listed")
    return tuple(dict.fromkeys(levels))


def _level(text: str) -> float:
    """A level as typed: a whole number that float64 would round stays an integer."""
    level = float(text)
    if math.isinf(level):
        raise ValueError(f"the level {shortened(text)} is beyond the range of floating point")
    return level if "." in text or abs(level) < LARGEST_WHOLE else int(text)


def _listed(match: re.Match) -> list[float | str]:
    if match["text"] is not None:
        return [match["text"]]
    if match["number"] is not None:
        return [_level(match["number"])]
    if max(len(match["low"]), len(match["high"])) > MOST_DIGITS:
        raise ValueError(f"{shortened(match[0])} is a range of numbers that are too large")
    low, high = int(match["low"]), int(match["high"])
    if not low <= high < low + MOST_LEVELS:
        raise ValueError(f"{shortened(match[0])} is not an increasing range of at most {MOST_LEVELS} levels")
    return [_level(str(level)) for level in range(low, high + 1)]
