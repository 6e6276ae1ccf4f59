"""The argument of residuals(): restype [#] [, by(varname) t(varname)]."""

from __future__ import annotations

import re

from sparsemixed.command.arguments import Word
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.spec import ResidualSpec

STRUCTURES = ("INDependent", "EXchangeable", "AR", "MA", "UNstructured", "BAnded", "TOeplitz", "EXPonential")
"""The keys of the table of residual structures, in the notation of `Word`."""
WITH_ORDER = ("ar", "ma", "banded", "toeplitz")

_ARGUMENT = re.compile(r"\s*(?P<word>\w+)\s*(?P<order>[^\s,]+)?\s*(?:,(?P<options>.*))?", re.DOTALL)
_OPTION = re.compile(r"\s*(?P<name>\w+)\s*\(\s*(?:`(?P<quoted>[^`]+)`|(?P<variable>[A-Za-z_]\w*))\s*\)\s*,?")


def residuals(text: str) -> ResidualSpec:
    """Read the argument of residuals().

    Examples
    --------
    >>> residuals("ar 2, t(time)")
    ResidualSpec(name='ar', order=2, by=None, t='time', position=None)
    >>> residuals("ind, by(followup)").by
    'followup'
    """
    match = _ARGUMENT.fullmatch(text)
    if match is None:
        raise OptionError(f"found {text.strip() or 'nothing'}, expected a structure such as ar 1, t(week)")
    name = _structure(match["word"].lower())
    order = _order(name, match["order"])
    by, t = _variables(match["options"])
    return ResidualSpec(name, order, by, t)


def variable_places(spec: ResidualSpec, text: str) -> dict[str, int]:
    """Offsets of the variables of by() and t() in a command's text.

    Examples
    --------
    >>> command = "y x || id:, residuals(ar 1, t(week))"
    >>> variable_places(ResidualSpec("ar", 1, None, "week", position=12), command)
    {'week': 30}
    """
    found = {}
    for option, name in (("by", spec.by), ("t", spec.t)):
        if name is not None and spec.position is not None:
            match = re.compile(rf"\b{option}\s*\(\s*`?(?={re.escape(name)}\b)", re.IGNORECASE).search(text, spec.position)
            if match is not None:
                found[name] = match.end()
    return found


def _structure(typed: str) -> str:
    words = [Word(pattern) for pattern in STRUCTURES]
    # `ex` is exchangeable in Stata and `exp` exponential: the exact word first, then the first that matches.
    found = next((w.name for w in reversed(words) if w.matches(typed)), None)
    if found is None:
        names = [w.name for w in words]
        raise OptionError(f"unknown residual structure {typed}{suggestion(typed, names)}; expected one of {', '.join(names)}")
    return found


def _order(name: str, typed: str | None) -> int | None:
    if typed is None:
        return None
    if name not in WITH_ORDER:
        raise OptionError(f"residuals({name}) takes no order, found {typed}")
    if not typed.isdigit():
        raise OptionError(f"the order of residuals({name}) must be a whole number, found {typed}")
    return int(typed)


def _variables(options: str | None) -> tuple[str | None, str | None]:
    found: dict[str, str] = {}
    place, text = 0, options or ""
    while text[place:].strip():
        match = _OPTION.match(text, place)
        if match is None or match["name"].lower() not in ("by", "t"):
            raise OptionError(f"found {text[place:].strip()}, expected by(varname) or t(varname)")
        name = match["name"].lower()
        if name in found:
            raise OptionError(f"{name}() is given twice")
        found[name] = match["quoted"] or match["variable"]
        place = match.end()
    return found.get("by"), found.get("t")
