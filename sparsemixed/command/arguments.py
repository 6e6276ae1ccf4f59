"""What may stand inside an option's parentheses: readers from text to value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from sparsemixed.command.suggestions import suggestion
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.spec import DFMETHODS, SmallSample

Reader = Callable[[str], object]
"""Raises OptionError or NotAvailableError without a place; the caller adds it."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_FIRST_WORD = re.compile(r"\s*(?P<word>\w+)\s*(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """A word with its shortest abbreviation in capitals, as Stata's manuals underline it.

    Examples
    --------
    >>> Word("UNstructured").matches("unstr"), Word("UNstructured").matches("u")
    (True, False)
    """

    pattern: str

    @property
    def name(self) -> str:
        """The whole word."""
        return self.pattern.lower()

    @property
    def shortest(self) -> str:
        """The shortest abbreviation."""
        return "".join(letter for letter in self.pattern if not letter.islower()).lower()

    def matches(self, typed: str) -> bool:
        """Whether `typed` is the word or one of its abbreviations."""
        return typed.startswith(self.shortest) and self.name.startswith(typed)


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
            raise OptionError(f"must be {limits}, found {text.strip()}")
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


def one_of(available: tuple[str, ...], later: tuple[str, ...] = (), refused: tuple[str, ...] = ()) -> Reader:
    """A reader of one word; each is given in the notation of `Word`.

    Parameters
    ----------
    available : tuple of str
        Words that are carried out; the reader returns the whole word.
    later : tuple of str
        Words that are recognised and not carried out yet, as is anything that follows an available word.
    refused : tuple of str
        Words of Stata that `mixed` does not allow.

    Examples
    --------
    >>> one_of(("IDentity", "UNstructured"))("un")
    'unstructured'
    """

    def find(typed: str, patterns: tuple[str, ...]) -> str | None:
        return next((word.name for word in map(Word, patterns) if word.matches(typed)), None)

    def read(text: str) -> str:
        match = _FIRST_WORD.fullmatch(text)
        typed, rest = (match["word"].lower(), match["rest"]) if match else (text.strip(), "")
        name = find(typed, available)
        if name is not None and not rest:
            return name
        if find(typed, refused):
            raise OptionError(f"{typed} may not be specified")
        if find(typed, later) or (name is not None and later):
            raise NotAvailableError(f"{text.strip()} is not available yet")
        names = [Word(pattern).name for pattern in available]
        wanted = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        raise OptionError(f"found {text.strip() or 'nothing'}, expected {wanted}{suggestion(typed, names)}")

    return read


def degrees_of_freedom(text: str) -> SmallSample:
    """A method of degrees of freedom and, after a comma, the information matrix of those that rest on one.

    Examples
    --------
    >>> degrees_of_freedom("kr, oim")
    SmallSample(name='kroger', information='oim')
    """
    name, comma, option = (part.strip() for part in text.partition(","))
    method = one_of(_DFMETHODS)(name)
    if not comma:
        return SmallSample(str(method))
    if not DFMETHODS[str(method)]:
        raise OptionError(f"{method} takes no option, found {option or 'nothing'} after the comma")
    return SmallSample(str(method), "oim" if one_of(("EIM", "OIM"))(option) == "oim" else "eim")


_DFMETHODS = ("RESidual", "REPeated", "ANOVA", "BETWithin", "SATterthwaite", "KRoger", "KRFull", "KR2009")
"""The keys of `spec.DFMETHODS`, in the notation of `Word`."""
