"""What may stand inside an option's parentheses: readers from text to value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sparsemixed.errors import OptionError, shortened, suggestion
from sparsemixed.spec import DFMETHODS, SmallSample

Reader = Callable[[str], object]
"""Raises OptionError without a place; the caller adds it."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_RANGE = re.compile(r"(?P<low>\d+)(?:\s*[/-]\s*(?P<high>\d+))?")
_NUMBERS = re.compile(
    rf"\s*{_RANGE.pattern}(?:(?:\s*,\s*|\s+){_RANGE.pattern})*\s*".replace("?P<low>", "").replace("?P<high>", "")
)
_FIRST_WORD = re.compile(r"\s*(?P<word>\w+)\s*(?P<rest>.*)", re.DOTALL)


MOST_DIGITS = 18
"""No whole number in a command needs more, and beyond a few thousand Python reads none."""

MOST_CONSTRAINTS = 1999
"""The largest number that a constraint may have, as in Stata."""


@dataclass(frozen=True)
class Word:
    """A word with its shortest abbreviation in capitals, as Stata's manuals underline it.

    Examples
    --------
    >>> Word("UNstructured").matches("unstr"), Word("UNstructured").matches("u")
    (True, False)
    >>> Word("xtset").matches("x"), Word("xtset").matches("xtset")
    (False, True)
    """

    pattern: str

    @property
    def name(self) -> str:
        """The whole word."""
        return self.pattern.lower()

    @property
    def shortest(self) -> str:
        """The shortest abbreviation; a word without capitals has none."""
        return "".join(letter for letter in self.pattern if not letter.islower()).lower() or self.name

    def matches(self, typed: str) -> bool:
        """Whether `typed` is the word or one of its abbreviations."""
        return typed.startswith(self.shortest) and self.name.startswith(typed)


def digits(text: str) -> int:
    """The whole number that a run of digits is.

    Raises
    ------
    OptionError
        For more than `MOST_DIGITS` of them.
    """
    if len(text.lstrip("0")) > MOST_DIGITS:
        raise OptionError(f"a number of {len(text)} digits is too large")
    return int(text.lstrip("0") or 0)


def number(low: float, high: float = math.inf) -> Callable[[str], float]:
    """A reader of numbers from `low` to `high`.

    Examples
    --------
    >>> number(10, 99.99)("90")
    90.0
    """

    def read(text: str) -> float:
        if not _NUMBER.fullmatch(text.strip()):
            raise OptionError(f"found {text.strip() or 'nothing'} where a number should be")
        value = float(text)
        if not low <= value <= high or math.isinf(value):
            limits = f"at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
            raise OptionError(f"must be {limits}, found {shortened(text.strip())}")
        return value

    return read


def whole(low: int) -> Reader:
    """A reader of whole numbers from `low` upwards."""
    read_number = number(low)

    def read(text: str) -> int:
        value = read_number(text)
        if value != int(value):
            raise OptionError(f"must be a whole number, found {text.strip()}")
        return int(value)

    return read


def numbers(text: str) -> tuple[int, ...]:
    """A list of numbers of constraints, each once: `1 2`, `1/3`, `1-3, 7`.

    Examples
    --------
    >>> numbers("4 1/3, 2")
    (4, 1, 2, 3)
    """
    if not _NUMBERS.fullmatch(text):
        raise OptionError(f"found {text.strip() or 'nothing'} where numbers should be, such as 1 2 or 1/3")
    found: list[int] = []
    for match in _RANGE.finditer(text):
        low, high = digits(match["low"]), digits(match["high"] or match["low"])
        if not 1 <= low <= high <= MOST_CONSTRAINTS:
            raise OptionError(f"found {match[0]}; constraints are numbered from 1 to {MOST_CONSTRAINTS}, ranges upwards")
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found))


def level_label(text: str) -> str:
    """The label of a level: `id`, or `a:b`, with or without backquotes.

    Examples
    --------
    >>> level_label(" `my school` "), level_label("a:b")
    ('my school', 'a:b')
    """
    if not text.strip():
        raise OptionError("found nothing where a level should be, such as id")
    return text.strip().replace("`", "")


def one_of(available: tuple[str, ...]) -> Reader:
    """A reader of one of the words `available`, given in the notation of `Word`; it returns the whole word.

    Examples
    --------
    >>> one_of(("IDentity", "UNstructured"))("un")
    'unstructured'
    """

    def read(text: str) -> str:
        match = _FIRST_WORD.fullmatch(text)
        typed, rest = (match["word"].lower(), match["rest"]) if match else (text.strip(), "")
        name = next((word.name for word in map(Word, available) if word.matches(typed)), None)
        if name is not None and not rest:
            return name
        names = [Word(pattern).name for pattern in available]
        wanted = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        raise OptionError(f"found {text.strip() or 'nothing'}, expected {wanted}{suggestion(typed, names)}")

    return read


class Declared(Protocol):
    """A row of a table of declarations: what is typed for it, in the notation of `Word`."""

    @property
    def word(self) -> str:
        """The whole word with its shortest abbreviation in capitals."""
        ...


def one_of_table(table: Mapping[str, Declared]) -> Reader:
    """A reader of the words that the rows of a table declare, as they are when it reads."""
    return lambda text: one_of(tuple(row.word for row in table.values()))(text)


def degrees_of_freedom(text: str) -> SmallSample:
    """A method of degrees of freedom and, after a comma, the information matrix of those that rest on one.

    Examples
    --------
    >>> degrees_of_freedom("kr, oim")
    SmallSample(name='kroger', information='oim')
    """
    name, comma, option = (part.strip() for part in text.partition(","))
    method = one_of_table(DFMETHODS)(name)
    if not comma:
        return SmallSample(str(method))
    if not DFMETHODS[str(method)].takes_information:
        raise OptionError(f"{method} takes no option, found {option or 'nothing'} after the comma")
    return SmallSample(str(method), "oim" if one_of(("EIM", "OIM"))(option) == "oim" else "eim")
