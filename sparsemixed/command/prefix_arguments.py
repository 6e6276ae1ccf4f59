"""What the options of prefixes take, and which of them exclude each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sparsemixed.command.arguments import degrees_of_freedom, number
from sparsemixed.errors import CommandError, OptionError, shortened

Reader = Callable[[str], Any]
"""From the text in an option's parentheses to its value; what is wrong is told without the option's name."""
_NAME = re.compile(r"`([^`\n]+)`|([^\W\d]\w*)")
_NAMES = re.compile(r"\s*(?:`[^`\n]+`|[^\W\d]\w*)(?:\s+(?:`[^`\n]+`|[^\W\d]\w*))*\s*")

_EXCLUSIVE = {
    "rolling": (("recursive", "rrecursive"),),
    "mi estimate": (("nimputations", "imputations"), ("nosmall", "dfcom"), ("variance", "stddeviations")),
}


def names(text: str) -> tuple[str, ...]:
    """Names of variables.

    Examples
    --------
    >>> names("school `my class`")
    ('school', 'my class')
    """
    plain = text.partition(",")[0]
    if not _NAMES.fullmatch(plain):
        raise OptionError(f"takes names of variables, found {shortened(plain.strip()) or 'nothing'}")
    return tuple(quoted or word for quoted, word in _NAME.findall(plain))


def text_of(text: str) -> str:
    """The name of a file or another text, without quotes, and without options of its own such as `replace`.

    Examples
    --------
    >>> text_of('"fits.dta", replace')
    'fits.dta'
    """
    plain = text.strip()
    plain = plain[1:].partition('"')[0] if plain.startswith('"') else plain.partition(",")[0].strip()
    if not plain:
        raise OptionError("found nothing in it")
    return plain


def dfcom(text: str) -> float | str:
    """Complete-data degrees of freedom: a number, or a method of `dfmethod()`.

    Examples
    --------
    >>> dfcom("120"), dfcom("kroger")
    (120.0, 'kroger')
    """
    try:
        return number(1e-6)(text)
    except CommandError:
        degrees_of_freedom(text)
        return text.strip()


def exclusive(prefix: str, options: Mapping[str, Any]) -> str:
    """What is wrong with the options of a prefix together; empty where nothing is."""
    clash = next((pair for pair in _EXCLUSIVE.get(prefix, ()) if all(name in options for name in pair)), None)
    return f"the prefix {prefix}: {clash[0]} and {clash[1]} exclude each other" if clash else ""
