"""lme4-style formulas as model specifications: `y ~ x + (1 + x | g)`."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lark import Token, Tree

from sparsemixed.command.algebra import Algebra
from sparsemixed.command.assemble import Parts, assemble
from sparsemixed.command.calls import CallReader, Offset
from sparsemixed.command.covariance_tags import Structure, structure_of
from sparsemixed.command.parse import parse_tree
from sparsemixed.command.settings import Settings
from sparsemixed.errors import CommandError
from sparsemixed.spec import ModelSpec, RandomEquation, Term
from sparsemixed.spec.computed import source_names
from sparsemixed.spec.functions import FUNCTIONS

_QUOTED = re.compile(r"\"[^\"\n]*\"|`[^`\n]*`")
_NAME = r"(?:`[^`\n]+`|[^\W\d][\w.]*)"
_RESPONSE = re.compile(rf"\s*(?P<name>{_NAME})\s*")
_TRANSFORMED = re.compile(r"\s*(?P<function>[^\W\d][\w.]*(?:::+[\w.]+)?)\s*\(.*\)\s*", re.DOTALL)
"""A left side that is one call, as far as can be seen without reading it."""
_TAG = re.compile(r"[^\W\d][\w.]*\s*\Z")
_GROUPING_PART = re.compile(rf"\s*(?P<name>{_NAME})\s*(?P<joint>[/:]|$)")
_ABBREVIATED = re.compile(r"~\w")
_LEVEL = re.compile(r"\|\|\s*[\w~]+\s*:(?=\s*(?:[^()]*(?:\([^()]*\)[^()]*)*)\Z)")
"""Bars outside of parentheses, as far as can be seen without reading the text, and a level's name."""
_NOT_A_RESPONSE = re.compile(r"\bif\b|\|\||\[")


def is_formula(text: str) -> bool:
    """Whether a model text is a formula: its first `~` does not belong to a command's `if` condition.

    Examples
    --------
    >>> is_formula("y ~ x + (1 | g)"), is_formula("y x if ~missing(z) || id:")
    (True, False)
    >>> is_formula("y~x"), is_formula("y x~z"), is_formula("wei~t week || id:")
    (True, False, False)
    """
    tilde = _tilde(text)
    if tilde is None:
        return False
    if _TRANSFORMED.fullmatch(text, 0, tilde):
        return True
    left = _QUOTED.sub("q", text[:tilde])
    # After a first word, and where a level follows, `x~z` is an abbreviation in a list of variables.
    listed = len(left.split()) > 1 or _LEVEL.search(_QUOTED.sub("q", text))
    abbreviation = _ABBREVIATED.match(text, tilde) and left.strip() and not left[-1].isspace() and listed
    return not abbreviation and not _NOT_A_RESPONSE.search(left)


def _tilde(text: str) -> int | None:
    """Offset of the first `~` outside of quotes."""
    position = _QUOTED.sub(lambda match: "q" * len(match[0]), text).find("~")
    return None if position < 0 else position


@dataclass(frozen=True)
class _Bar:
    """One `(effects | grouping)` of a formula; all numbers are offsets. A tag, `us` in `us(effects | grouping)`, is before it."""

    start: int
    opening: int
    bar: int
    bar_end: int
    end: int


def read_formula(
    source: str,
    text: str,
    keywords: Mapping[str, object],
    deviations: bool = False,
    keywords_win: bool = False,
    columns: Sequence[str] | None = None,
) -> ModelSpec:
    """The specification of a formula.

    Parameters
    ----------
    source : str
        The formula as typed.
    text : str
        The same with the same offsets, without a leading `mixed`.
    keywords : mapping
    deviations, keywords_win, columns
        See `Parts`, `Settings` and `read_model`.

    Examples
    --------
    >>> spec = read_formula("y ~ x + (1 | a/b)", "y ~ x + (1 | a/b)", {})
    >>> [(equation.label, equation.grouping) for equation in spec.random]
    [('a', ('a',)), ('a:b', ('a', 'b'))]
    """
    tilde = _tilde(text) or 0
    positions: dict[str, int] = {}
    calls = CallReader(source, positions)
    response = _response(text[:tilde], source, positions, calls)
    right = " " * (tilde + 1) + text[tilde + 1 :]
    bars = _bars(parse_tree(right, source, "formula.lark", "formula"), source)
    algebra = Algebra(source, positions, calls)
    random = tuple(equation for bar in bars for equation in _equations(bar, text, algebra, source, positions))
    _check_repeated_effects(random, source)
    fixed_text = _without_bars(right, bars, source)
    fixed, constant, offsets = algebra.terms_and_offsets(fixed_text)
    computed = tuple(calls.computed.values())
    if columns is not None:
        used = source_names([response, *offsets, *(name for one in random for name in one.grouping)], computed)
        fixed, constant, offsets = algebra.terms_and_offsets(fixed_text, [name for name in columns if name not in used])
    functions = {"computed": computed, "offsets": offsets}
    parts = Parts(response, fixed, constant, random, positions, full_coding=True, deviations=deviations, **functions)
    return assemble(parts, Settings(source, keywords_win), keywords)


def _response(left: str, source: str, positions: dict[str, int], calls: CallReader) -> str:
    start, end = len(left) - len(left.lstrip()), len(left.rstrip())
    if (call := _TRANSFORMED.fullmatch(left)) is not None:
        factor = calls.read(start, end)
        declared = FUNCTIONS.get(call["function"])
        if isinstance(factor, Offset) or factor.variable not in calls.computed or declared is None or declared.columns:
            raise CommandError(f"{call['function']}() makes no response: it must be one column of numbers", source, start)
        return factor.variable
    match = _RESPONSE.fullmatch(left)
    if match is None:
        found = left.strip()
        hint = f"write I({found}) for arithmetic" if found else "as in y ~ x + (1 | g)"
        message = f"the left side of `~` must be one variable, found {found or 'nothing'}; {hint}"
        raise CommandError(message, source, start if found else len(left))
    positions[match["name"].strip("`")] = match.start("name")
    return match["name"].strip("`")


def _bars(tree: Tree, source: str) -> list[_Bar]:
    """The random parts: top-level parentheses with one bar directly inside."""
    bars: list[_Bar] = []
    for before, child in zip([None, *tree.children], tree.children, strict=False):
        if isinstance(child, Token) and child.type == "BAR":
            raise _misplaced_bar(child, source)
        if not isinstance(child, Tree):
            continue
        inside = [token for token in child.children if isinstance(token, Token) and token.type == "BAR"]
        nested = [token for group in child.children if isinstance(group, Tree) for token in group.scan_values(_is_bar)]
        if len(inside) > 1 or nested:
            raise _misplaced_bar([*inside[1:], *nested][0], source)
        if inside:
            opening, closing = child.children[0], child.children[-1]
            tag = _TAG.search(before) if isinstance(before, Token) and before.type == "CHUNK" else None
            start = opening.start_pos if tag is None or before is None else (before.start_pos or 0) + tag.start()
            bars.append(_Bar(start, opening.start_pos, inside[0].start_pos, inside[0].end_pos, closing.end_pos))
    return bars


def _is_bar(token: object) -> bool:
    return isinstance(token, Token) and token.type == "BAR"


def _misplaced_bar(token: Token, source: str) -> CommandError:
    return CommandError(f"`{token}` belongs inside (effects {token} grouping), once", source, token.start_pos)


def _without_bars(right: str, bars: list[_Bar], source: str) -> str:
    """The fixed part: random parts and the plus before each as blanks, so offsets stay."""
    kept = right
    for bar in bars:
        before, after = right[: bar.start].rstrip(), right[bar.end :].lstrip()
        if (before and before[-1] != "+") or (after and after[0] not in "+-"):
            raise CommandError("random effects are added with `+`", source, bar.start)
        plus = max(len(before) - 1, 0)
        kept = kept[:plus] + " " * (bar.end - plus) + kept[bar.end :]
    return kept


def _equations(bar: _Bar, text: str, algebra: Algebra, source: str, positions: dict[str, int]) -> list[RandomEquation]:
    """One equation per level: `a/b` is a and a:b."""
    effects = text[bar.opening + 1 : bar.bar]
    if not effects.strip():
        raise CommandError("no random effects before the bar: write 1 for an intercept", source, bar.bar)
    terms, constant = algebra.terms(" " * (bar.opening + 1) + effects)
    structure, end = _structure(bar, text, source)
    return [
        RandomEquation(
            ":".join(grouping),
            grouping,
            terms,
            constant,
            covariance=structure.covariance,
            by_column=structure.by_column,
            position=bar.start,
        )
        for grouping in _groupings(text, bar.bar_end, end, source, positions)
    ]


def _structure(bar: _Bar, text: str, source: str) -> tuple[Structure, int]:
    """The covariance structure of a random part, and where its grouping ends."""
    end = bar.end - 1
    independent = bar.bar_end - bar.bar == 2
    if bar.start == bar.opening:
        return Structure("independent" if independent else "unstructured"), end
    tag = text[bar.start : bar.opening].strip()
    if independent:
        raise CommandError(f"{tag}() names the structure: write | in place of ||", source, bar.bar)
    comma = text.find(",", bar.bar_end, end)
    return structure_of(tag, "" if comma < 0 else text[comma + 1 : end], source, bar.start), end if comma < 0 else comma


def _groupings(text: str, start: int, end: int, source: str, positions: dict[str, int]) -> list[tuple[str, ...]]:
    """The grouping of each level of `a/b:c`; `:` binds tighter than `/`."""
    groupings: list[tuple[str, ...]] = []
    names: tuple[str, ...] = ()
    joint, position = "/", start
    while joint:
        match = _GROUPING_PART.match(text, position, end)
        if match is None:
            found = text[position:end].strip() or "nothing"
            message = f"grouping must be variables joined by `/` (nested) or `:` (combined), found {found}"
            raise CommandError(message, source, position)
        name, joint, position = match["name"].strip("`"), match["joint"], match.end()
        positions[name] = min(match.start("name"), positions.get(name, match.start("name")))
        names += () if name in names else (name,)
        if joint != ":":
            groupings.append(names)
    return groupings


def _check_repeated_effects(equations: tuple[RandomEquation, ...], source: str) -> None:
    seen: set[tuple[frozenset[str], Term | None]] = set()
    for equation in equations:
        for effect in (*equation.terms, *([None] if equation.constant else [])):
            key = (frozenset(equation.grouping), effect)
            if key in seen:
                name = "the intercept" if effect is None else ":".join(factor.variable for factor in effect.factors)
                message = f"{name} has a random effect by {equation.label} twice; write 0 + to leave an intercept out"
                raise CommandError(message, source, equation.position)
            seen.add(key)
