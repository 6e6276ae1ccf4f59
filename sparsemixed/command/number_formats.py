"""Stata's numeric formats, `%9.0g`, `%8.2f`, `%9.3e`, as the options cformat(), pformat() and sformat() take them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sparsemixed.command.arguments import Reader, digits
from sparsemixed.errors import OptionError

_FORMAT = re.compile(r"%(?P<width>\d+)\.(?P<digits>\d+)(?P<style>[gfe])(?P<commas>c?)")


@dataclass(frozen=True)
class NumberFormat:
    """How a number is written.

    Attributes
    ----------
    width : int
        Places at most; what does not fit is written with fewer digits.
    digits : int
        After the point; with `g` significant ones, where 0 means as many as fit.
    style : {"g", "f", "e"}
        General, fixed, exponential.
    commas : bool
        Whether commas part the thousands.
    """

    width: int
    digits: int
    style: Literal["g", "f", "e"]
    commas: bool = False


def parse_format(text: str) -> NumberFormat:
    """Read a format.

    Examples
    --------
    >>> parse_format("%8.2f")
    NumberFormat(width=8, digits=2, style='f', commas=False)
    """
    match = _FORMAT.fullmatch(text.strip())
    if match is None:
        raise OptionError(f"found {text.strip() or 'nothing'}, expected a numeric format such as %9.0g, %8.2f or %9.3e")
    found = NumberFormat(digits(match["width"]), digits(match["digits"]), match["style"], bool(match["commas"]))  # type: ignore
    if found.digits >= found.width:
        raise OptionError(f"found {text.strip()}; the digits must be fewer than the width")
    if found.commas and found.style == "e":
        raise OptionError(f"found {text.strip()}; exponential formats have no commas")
    return found


def number_format(widest: int) -> Reader:
    """A reader of formats of at most so many places; it returns the text.

    Examples
    --------
    >>> number_format(9)(" %8.2f ")
    '%8.2f'
    """

    def read(text: str) -> str:
        if parse_format(text).width > widest:
            raise OptionError(f"found {text.strip()}; the width must not exceed {widest}")
        return text.strip()

    return read
