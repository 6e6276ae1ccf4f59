"""Random-effects equations: which rows form a group, and which of repeated equations has the constant."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lark import Token, Tree

from sparsemixed.command.option_reader import option_trees, read_options
from sparsemixed.command.parse import unquoted
from sparsemixed.command.settings import Settings
from sparsemixed.command.varlist import ABBREVIATED, VarlistReader
from sparsemixed.command.weights import TypedWeight, equation_weights
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.spec import RandomEquation
from sparsemixed.structures.random.table import DEFAULT, DEFAULT_OF_FACTOR, STRUCTURES, covariances_of_factors

WHOLE_SAMPLE = "_all"
"""The level whose only group is the whole sample."""
QUALIFIERS = ("condition", "rows", "weight")
"""Rules of the grammar for `if`, `in` and the weight."""


def read_equations(
    trees: Sequence[Tree], settings: Settings, text: str, positions: dict[str, int]
) -> tuple[tuple[RandomEquation, ...], tuple[TypedWeight, ...]]:
    """All random-effects equations of a command, top to bottom, and the weights of their groups."""
    for tree in trees[:-1]:
        _refuse_qualifiers(tree, settings.source)
    read = [_equation(tree, settings, text, positions) for tree in trees]
    equations = _with_constant_once(_nested(tuple(equation for equation, _ in read), settings.source))
    pairs = zip(read, equations, strict=True)
    return equations, tuple(w for (_, own), whole in pairs for w in equation_weights(own, whole, settings.source))


def _equation(tree: Tree, settings: Settings, text: str, positions: dict[str, int]) -> tuple[RandomEquation, dict[str, object]]:
    """One equation by itself, whose grouping still lacks the levels above, and the options that are its own."""
    parts = {child.data: child for child in tree.children if isinstance(child, Tree)}
    name: Token = parts["name"].children[0]
    label, position = unquoted(name), name.start_pos or 0
    if label != WHOLE_SAMPLE:
        positions[label] = min(position, positions.get(label, position))
    factor = _factor(parts.get("varlist"), positions)
    terms = () if factor else VarlistReader(settings.source, positions).terms(parts.get("varlist"))
    own = read_options(parts.get("options"), "random", settings, text)
    covariance = str(own.get("covariance", DEFAULT_OF_FACTOR if factor else DEFAULT))
    if factor and STRUCTURES[covariance].factor_levels is None:
        message = f"R.{factor} takes {covariances_of_factors()}, found {covariance}"
        raise OptionError(message, settings.source, _option_position(parts["options"], "cov"))
    constant = factor is None and bool(own.get("constant", True))
    grouping = () if label == WHOLE_SAMPLE else (label,)
    collinear = bool(own.get("collinear", False))
    return RandomEquation(label, grouping, terms, constant, factor, covariance, collinear, position), own


def _refuse_qualifiers(tree: Tree, source: str) -> None:
    """An equation that is not the last one has no if, in or weight."""
    found = next((child for child in tree.children if isinstance(child, Tree) and child.data in QUALIFIERS), None)
    if found is not None:
        word: Token = found.children[0]
        message = "if, in and [weight] go with the fixed part, before the first `||`, or into the last equation"
        message += "; the groups' weight is an option of the equation: fweight(exp) or pweight(exp)" * (found.data == "weight")
        raise CommandError(message, source, word.start_pos)


def _option_position(options: Tree, shortest: str) -> int | None:
    tokens = (option.children[0] for option in option_trees(options))
    return next(token.start_pos for token in tokens if token.startswith(shortest))


def _factor(varlist: Tree | None, positions: dict[str, int]) -> str | None:
    """The variable of an equation that is `R.varname` and nothing else; what mixes R. with more is read as a list."""
    if varlist is None or len(varlist.children) != 1 or len(varlist.children[0].children) != 1:
        return None
    operand = varlist.children[0].children[0].children
    if len(operand) != 2 or operand[0] != "R." or not (isinstance(operand[1], Tree) or ABBREVIATED.fullmatch(str(operand[1]))):
        return None
    name: Token = operand[1].children[0] if isinstance(operand[1], Tree) else operand[1]
    positions[unquoted(name)] = min(name.start_pos or 0, positions.get(unquoted(name), name.start_pos or 0))
    return unquoted(name)


def _nested(equations: tuple[RandomEquation, ...], source: str) -> tuple[RandomEquation, ...]:
    """Each level's groups are nested in those of the levels above it."""
    result: list[RandomEquation] = []
    path: tuple[str, ...] = ()
    for equation in equations:
        level = equation.grouping
        if not level and path:
            message = f"_all is the whole sample and cannot be nested below {path[-1]}: put it first"
            raise CommandError(message, source, equation.position)
        if level and level[0] in path[:-1]:
            message = f"equations of the same level must follow each other; {level[0]} comes back after {path[-1]}"
            raise CommandError(message, source, equation.position)
        if level and level[0] not in path:
            path += level
        result.append(replace(equation, grouping=path if level else ()))
    return tuple(result)


def _with_constant_once(equations: tuple[RandomEquation, ...]) -> tuple[RandomEquation, ...]:
    """Of the equations of one level only the last has a constant, or none does if that one has `noconstant`.

    An equation `R.varname` has none and does not count.
    """
    result = list(equations)
    settled: set[tuple[str, ...]] = set()
    for rank in reversed(range(len(result))):
        equation = result[rank]
        if equation.factor is None:
            result[rank] = replace(equation, constant=equation.constant and equation.grouping not in settled)
            settled.add(equation.grouping)
    return tuple(result)
