"""Commands in Stata's language as model specifications."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

from collections.abc import Mapping

from lark import Token, Tree

from sparsemixed.command.arguments import digits
from sparsemixed.command.assemble import Parts, assemble
from sparsemixed.command.equations import QUALIFIERS, read_equations
from sparsemixed.command.expression import Expression, expression_from_tree
from sparsemixed.command.option_reader import read_options
from sparsemixed.command.parse import parse_tree
from sparsemixed.command.settings import Settings
from sparsemixed.command.varlist import VarlistReader
from sparsemixed.command.weights import bracket_weight
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.spec import ModelSpec, Sample, Term

_FIRST_ROW, _LAST_ROW = 1, -1


def read_command(
    source: str, text: str, keywords: Mapping[str, object], deviations: bool = False, keywords_win: bool = False
) -> ModelSpec:
    """The specification of a command.

    Parameters
    ----------
    source : str
        The command as typed.
    text : str
        The same with the same offsets, without comments and a leading `mixed`.
    keywords : mapping
        Options by name.
    deviations, keywords_win : bool
        See `Parts` and `Settings`.

    Examples
    --------
    >>> command = "weight week || id: week, cov(un) reml"
    >>> spec = read_command(command, command, {})
    >>> spec.response, spec.random[0].covariance, spec.estimation.method
    ('weight', 'unstructured', 'reml')
    """
    tree = parse_tree(text, source)
    parts = [child for child in tree.children if isinstance(child, Tree)]
    settings, positions = Settings(source, keywords_win), {}
    response, fixed = _fixed_part(next((part for part in parts if part.data == "varlist"), None), source, positions)
    equations = [part for part in parts if part.data == "equation"]
    last = [part for part in parts if part.data == "last"]
    qualifiers = _qualifiers(tree, [*equations[-1:], *last], source)
    sample = _sample(qualifiers, source, text, positions)
    own = read_options(next((part for part in parts if part.data == "options"), None), "fixed", settings, text)
    _read_last(last, settings, text)
    random, of_groups = read_equations(equations, settings, text, positions)
    of_rows = [] if "weight" not in qualifiers else [bracket_weight(qualifiers["weight"], source, text)]
    weights, constant = (*of_rows, *of_groups), bool(own.get("constant", True))
    read = Parts(response, fixed, constant, random, positions, sample, weights=weights, deviations=deviations)
    return assemble(read, settings, keywords)


def _fixed_part(varlist: Tree | None, source: str, positions: dict[str, int]) -> tuple[str, tuple[Term, ...]]:
    """The dependent variable, which comes first, and the terms after it."""
    if varlist is None:
        position = len(source) - len(source.lstrip())
        raise CommandError("no dependent variable: a command starts with it, as in `y x || id:`", source, position)
    first, *others = varlist.children
    response = VarlistReader(source, positions).response(first)
    return response, VarlistReader(source, positions).terms(Tree("varlist", others))


def _read_last(last: list[Tree], settings: Settings, text: str) -> None:
    """Options after bars without an equation: the command's alone."""
    for part in last[0].children if last else ():
        if isinstance(part, Tree) and part.data == "options" and read_options(part, "random", settings, text):
            message = "there is no equation after the last `||`: write its options in the equation that they belong to"
            raise OptionError(message, settings.source, part.meta.start_pos)


def _qualifiers(command: Tree, ends: list[Tree], source: str) -> dict[str, Tree]:
    """if, in and the weight by rule, from the fixed part and what may have them after it; each may stand once."""
    found: dict[str, Tree] = {}
    for part in (*command.children, *(child for end in ends for child in end.children)):
        if isinstance(part, Tree) and part.data in QUALIFIERS:
            token: Token = part.children[0]
            if part.data in found:
                raise CommandError(f"a second {'weight' if part.data == 'weight' else token}", source, token.start_pos)
            found[part.data] = part
    return found


def _sample(found: dict[str, Tree], source: str, text: str, positions: dict[str, int]) -> Sample:
    """The rows asked for by `if` and `in`."""
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


def read_range(token: Token, source: str) -> tuple[int | None, int | None]:
    """First and last row, counted from 1, or from the end if negative (-1 is the last row); None where there is no limit.

    Examples
    --------
    >>> read_range(Token("RANGE", "10/l"), ""), read_range(Token("RANGE", "5"), "")
    ((10, None), (5, 5))
    """
    ends = [end.strip().lower() for end in token.split("/")]
    rows = [{"f": _FIRST_ROW, "l": _LAST_ROW}.get(end) or _row(end, token, source) for end in ends]
    first, last = rows[0], rows[-1]
    if 0 in rows:
        raise CommandError("rows are counted from 1, or from -1 for the last row", source, token.start_pos)
    if (first > 0) == (last > 0) and first > last:
        raise CommandError("the range of rows ends before it starts", source, token.start_pos)
    single = len(ends) == 1
    return (None if ends[0] == "f" and not single else first), (None if ends[-1] == "l" and not single else last)


def _row(typed: str, token: Token, source: str) -> int:
    try:
        number = digits(typed.lstrip("-"))
    except CommandError as error:
        raise CommandError(error.message, source, token.start_pos) from None
    return -number if typed.startswith("-") else number
