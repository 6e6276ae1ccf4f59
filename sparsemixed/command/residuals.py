"""The argument of residuals(): restype [#] [, by(varname) t(varname) group(level)]."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

import re

from lark import Token, Tree

from sparsemixed.command.arguments import Word, digits, level_label
from sparsemixed.command.parse import parse_tree, unquoted
from sparsemixed.errors import CommandError, OptionError, suggestion
from sparsemixed.spec import ResidualSpec
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

EXPECTED = "expected by(varname), t(varname) or group(level)"

_STARTED = re.compile(r"[^\s,()]+\s*(?:\([^()]*)?\Z")


def residuals(text: str) -> ResidualSpec:
    """Read the argument of residuals(); blanks before it keep the offsets of the command.

    Raises
    ------
    OptionError
        For what is no structure, an order where none is due, and variables that are not of by(), t() or group().

    Examples
    --------
    >>> residuals("ar 2, t(time)")
    ResidualSpec(name='ar', order=2, by=None, t='time', group=None, position=None)
    >>> residuals("     ind, by(followup)").positions
    {'followup': 13}
    """
    try:
        tree = parse_tree(text, text, start="residuals")
    except CommandError as error:
        raise OptionError(_unread(text, error.position or 0)) from None
    words = [child for child in tree.children if isinstance(child, Token) and child.type == "WORD"]
    name = _structure(words[0].lower())
    order = _order(name, str(words[1])) if len(words) > 1 else None
    variables = _variables([child for child in tree.children if isinstance(child, Tree)], text)
    names = {option: _name(token) for option, token in variables.items()}
    positions = {_name(token): token.start_pos or 0 for token in variables.values()}
    group = (names["group"],) if "group" in names else None
    return ResidualSpec(name, order, names.get("by"), names.get("t"), group, text=text.strip(), positions=positions)


def _unread(text: str, position: int) -> str:
    """What was found, and what would have been understood: a structure, and after its comma variables."""
    if "," not in text[:position]:
        return f"found {text.strip() or 'nothing'}, expected a structure such as ar 1, t(week)"
    started = _STARTED.search(text[:position])
    found = text[position if started is None else started.start() :].strip()
    return f"found {found or 'nothing'}, {EXPECTED}"


def _structure(typed: str) -> str:
    words = [Word(family.word) for family in RESIDUAL_STRUCTURES.values()]
    # `ex` is exchangeable in Stata and `exp` exponential: the exact word first, then the first that matches.
    found = next((w.name for w in reversed(words) if w.matches(typed)), None)
    if found is None:
        names = [w.name for w in words]
        raise OptionError(f"unknown residual structure {typed}{suggestion(typed, names)}; expected one of {', '.join(names)}")
    return found


def _order(name: str, typed: str) -> int:
    if RESIDUAL_STRUCTURES[name].order_limits is None:
        raise OptionError(f"residuals({name}) takes no order, found {typed}")
    if not typed.isdecimal():
        raise OptionError(f"the order of residuals({name}) must be a whole number, found {typed}")
    return digits(typed)


def _variables(trees: list[Tree], text: str) -> dict[str, Token]:
    """The variables of by() and t(), and the level of group()."""
    found: dict[str, Token] = {}
    for tree in trees:
        option: Token = tree.children[0]
        word = option.lower()
        named: Token = tree.children[2].children[0]
        if word not in ("by", "t", "group") or (word != "group" and named.type == "LEVEL"):
            raise OptionError(f"found {text[option.start_pos or 0 :].strip()}, {EXPECTED}")
        if word in found:
            raise OptionError(f"{word}() is given twice")
        found[word] = named
    return found


def _name(token: Token) -> str:
    return "".join(level_label(str(token)).split()) if token.type == "LEVEL" else unquoted(token)
