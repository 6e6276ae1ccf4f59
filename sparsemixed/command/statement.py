"""Commands in Stata's language as model specifications."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from lark import Token, Tree

from sparsemixed.command.constraints import read_constraints
from sparsemixed.command.equations import read_equations
from sparsemixed.command.expression import Expression, expression_from_tree
from sparsemixed.command.parse import parse_tree, without_comments
from sparsemixed.command.residuals import variable_places
from sparsemixed.command.rows import read_range
from sparsemixed.command.settings import Settings
from sparsemixed.command.varlist import VarlistReader
from sparsemixed.command.weight_rules import all_weights
from sparsemixed.command.weights import bracket_weight, keyword_weights, split_keywords
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.spec import ModelSpec, Sample, Term

_COMMAND_NAME = re.compile(r"\s*mixed(?=\s+(?!(?:if|in)\b)[^\W\d`]|\s*`|\s*$)")


def without_command_name(text: str) -> str:
    """The text with a leading `mixed` as blanks, unless it can only be the dependent variable.

    Examples
    --------
    >>> without_command_name("mixed y x")
    '      y x'
    >>> without_command_name("mixed || id:")
    'mixed || id:'
    """
    match = _COMMAND_NAME.match(text)
    return text if match is None else " " * match.end() + text[match.end() :]


def read_command(source: str, keywords: Mapping[str, object]) -> ModelSpec:
    """The specification of a command.

    Examples
    --------
    >>> spec = read_command("mixed weight week || id: week, cov(un) reml", {})
    >>> spec.response, spec.random[0].covariance, spec.estimation.method
    ('weight', 'unstructured', 'reml')
    """
    text = without_command_name(without_comments(source))
    tree = parse_tree(text, source)
    parts = [child for child in tree.children if isinstance(child, Tree)]
    settings, positions = Settings(source, text), {}
    response, fixed = _fixed_part(next((part for part in parts if part.data == "varlist"), None), source, positions)
    sample = _sample(parts, source, text, positions)
    own = settings.read(next((part for part in parts if part.data == "options"), None), "fixed")
    random, of_groups = read_equations([part for part in parts if part.data == "equation"], settings, positions)
    weight_keywords, others = split_keywords(keywords)
    shared = settings.read_keywords(others)
    if own.get("constant") is False and shared.get("constant") is True:
        raise OptionError("noconstant=False contradicts noconstant in the command")
    if shared.get("collinear"):
        random = tuple(replace(equation, collinear=True) for equation in random)
    of_rows = [bracket_weight(part, source, text) for part in parts if part.data == "weight"]
    weights = all_weights([*of_rows, *of_groups, *keyword_weights(weight_keywords, random)], random, settings)
    for typed in (*of_rows, *of_groups):
        for name, position in typed.weight.expression.positions.items():
            positions.setdefault(name, position)
    residual = settings.residual()
    for name, position in variable_places(residual, text).items():
        positions.setdefault(name, position)
    return ModelSpec(
        text=source,
        response=response,
        fixed=fixed,
        constant=bool(own.get("constant", True)) and bool(shared.get("constant", True)),
        random=random,
        sample=sample,
        estimation=settings.estimation(weights),
        display=settings.display(),
        residual=residual,
        weights=weights,
        vce=settings.vce(weights),
        constraints=read_constraints(settings),
        tsset=settings.tsset(),
        abbreviations=settings.abbreviations(),
        positions=positions,
    )


def _fixed_part(varlist: Tree | None, source: str, positions: dict[str, int]) -> tuple[str, tuple[Term, ...]]:
    """The dependent variable, which comes first, and the terms after it."""
    if varlist is None:
        position = len(source) - len(source.lstrip())
        raise CommandError("no dependent variable: a command starts with it, as in `y x || id:`", source, position)
    first, *others = varlist.children
    response = VarlistReader(source, positions).response(first)
    return response, VarlistReader(source, positions).terms(Tree("varlist", others))


def _sample(parts: list[Tree], source: str, text: str, positions: dict[str, int]) -> Sample:
    """The rows asked for by `if` and `in`; each of these and the weight may stand once."""
    found: dict[str, Tree] = {}
    for part in parts:
        if part.data in ("condition", "rows", "weight"):
            token: Token = part.children[0]
            if part.data in found:
                raise CommandError(f"a second {'weight' if part.data == 'weight' else token}", source, token.start_pos)
            found[part.data] = part
    condition, condition_text = None, None
    if "condition" in found:
        condition, condition_text = _condition(found["condition"], source, text)
        for name, position in condition.positions.items():
            positions[name] = min(position, positions.get(name, position))
    first, last = read_range(found["rows"].children[1], source) if "rows" in found else (None, None)
    return Sample(condition, condition_text, first, last)


def _condition(part: Tree, source: str, text: str) -> tuple[Expression, str]:
    expression_tree = part.children[1]
    meta = expression_tree.meta
    return expression_from_tree(expression_tree, source), text[meta.start_pos : meta.end_pos]
