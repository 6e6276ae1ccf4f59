"""Options after the comma of commands that follow a fit: `x1 = x2, mtest(holm) df(30)`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

from sparsemixed.errors import OptionError, shortened, suggestion
from sparsemixed.spec.numbers import is_number

Kind = Literal["switch", "number", "word", "words"]
_OPTION = re.compile(r"[\s,]*(?P<name>[A-Za-z_]\w*)[ \t]*(?P<open>\()?")


def split_options(text: str, known: Mapping[str, Kind]) -> tuple[str, dict[str, Any]]:
    """What stands before the first comma outside of brackets, and the options after it.

    Parameters
    ----------
    text : str
    known : mapping
        Option, its shortest abbreviation in capitals, to what it takes: nothing (switch), a number, a word that may be left
        out, or any words.

    Raises
    ------
    OptionError
        For unknown options, arguments that are missing or of the wrong kind, and options given twice.

    Examples
    --------
    >>> split_options("x1 = x2, m(holm) df(30)", {"Mtest": "word", "df": "number", "small": "switch"})
    ('x1 = x2', {'mtest': 'holm', 'df': 30.0})
    """
    comma = _comma(text)
    found: dict[str, Any] = {}
    place = comma + 1
    while place < len(text) and text[place:].strip(" \t\r\n,"):
        match = _OPTION.match(text, place)
        if match is None:
            raise OptionError(f"found {shortened(text[place:].strip(), 20)}, expected an option", text, place)
        start, place = match.start("name"), match.end()
        argument = None
        if match["open"]:
            end = _closing(text, place)
            argument, place = text[place:end].strip(), end + 1
        name, kind = _named(match["name"], known, text, start)
        if name in found:
            raise OptionError(f"option {name} is given twice", text, start)
        found[name] = _value(name, kind, argument, text, start)
    return text[:comma].strip(), found


def merged(command: str, typed: Mapping[str, Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Options in the text and keywords that were given, which must not say the same thing twice."""
    given = {name: value for name, value in keywords.items() if value is not None and value is not False}
    twice = next((name for name in given if name in typed), None)
    if twice is not None:
        raise OptionError(f"{command}: {twice} is given twice, in the text and by keyword")
    return {**typed, **given}


def positive_number(value: Any, what: str) -> float:
    """Degrees of freedom and their like.

    Raises
    ------
    OptionError
        For anything but a positive number.
    """
    if not is_number(value) or not value > 0 or math.isinf(value):
        raise OptionError(f"{what} must be a positive number; found {value!r:.40}")
    return float(value)


def _comma(text: str) -> int:
    depth, quoted = 0, False
    for place, letter in enumerate(text):
        quoted ^= letter == "`"
        depth += 0 if quoted else (letter in "([{") - (letter in ")]}")
        if depth == 0 and not quoted and letter == ",":
            return place
    return len(text)


def _closing(text: str, start: int) -> int:
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    raise OptionError("a parenthesis is not closed", text, start - 1)


def _named(typed: str, known: Mapping[str, Kind], text: str, place: int) -> tuple[str, Kind]:
    for pattern, kind in known.items():
        name = pattern.lower()
        shortest = sum(letter.isupper() for letter in pattern) or len(name)
        if len(typed) >= shortest and name.startswith(typed):
            return name, kind
    names = [pattern.lower() for pattern in known]
    advice = suggestion(typed, names) or f"; there are {', '.join(names)}"
    raise OptionError(f"unknown option {shortened(typed)}{advice}", text, place)


def _value(name: str, kind: Kind, argument: str | None, text: str, place: int) -> Any:
    if kind == "switch":
        if argument is not None:
            raise OptionError(f"option {name} takes no argument", text, place)
        return True
    if kind == "word":
        return argument or True
    if not argument:
        raise OptionError(f"option {name}() needs an argument", text, place)
    if kind == "words":
        return argument
    try:
        return float(argument)
    except ValueError:
        raise OptionError(f"option {name}() takes a number; found {shortened(argument, 20)}", text, place) from None
