"""Weights as typed: `[pweight=exp]`, the options fweight() and pweight() of an equation, and keyword arguments."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lark import Token, Tree

from sparsemixed.command.expression import expression_from_tree, read_expression
from sparsemixed.errors import CommandError, OptionError, suggestion
from sparsemixed.spec import RandomEquation, Weight, WeightKind, WeightSpec

KEYWORDS: dict[str, WeightKind] = {"fweights": "frequency", "pweights": "sampling", "precision_weights": "precision"}
"""Keyword arguments, and the kind of weight of each."""
OBSERVATION = ("", "observation")
"""Keys of the rows' weight in a mapping by levels."""
PRECISION = 'for known relative precisions of the rows, Var(e_i) = sigma2 / w_i, pass the keyword precision_weights="w"'

_IN_BRACKETS = {"fw": "fweight", "pw": "pweight", "aw": "aweight", "iw": "iweight", "w": "weight"}
_OF_OTHERS = ("weights", "aweights", "iweights", "aweight", "iweight", "weight")


@dataclass(frozen=True)
class TypedWeight:
    """A weight from one place of the command, or from one keyword argument."""

    kind: WeightKind
    weight: Weight

    @property
    def written(self) -> str:
        """The kind and the expression in the words of a command."""
        return WeightSpec(self.kind).written(self.weight)


def bracket_weight(part: Tree, source: str, text: str) -> TypedWeight:
    """The rows' weight of a parse tree of rule `weight`, `[fweight=exp]` or `[pweight=exp]`.

    Raises
    ------
    OptionError
        For analytic and importance weights, and words that are no weight.
    """
    name: Token = part.children[1]
    word = next((full for short, full in _IN_BRACKETS.items() if name.startswith(short) and full.startswith(name)), None)
    if word not in ("fweight", "pweight"):
        found = f"{word}s are" if word in ("aweight", "iweight") else f"[{name}=] is"
        advice = f"; {PRECISION}" if word in ("aweight", "iweight") else ""
        message = f"{found} not a weight of mixed: it takes fweights and pweights{advice}"
        raise OptionError(message, source, name.start_pos)
    tree = part.children[3]
    start, end = tree.meta.start_pos, tree.meta.end_pos
    weight = Weight(expression_from_tree(tree, source), text[start:end], position=start)
    return TypedWeight(KEYWORDS[f"{word}s"], weight)


def weight_argument(text: str) -> Weight:
    """Read the argument of fweight() and pweight(); blanks before it keep the offsets of the command.

    Examples
    --------
    >>> weight = weight_argument("          w1 / 2")
    >>> weight.text, weight.position, sorted(weight.expression.variables)
    ('w1 / 2', 10, ['w1'])
    """
    if not text.strip():
        raise OptionError("found nothing where an expression should be")
    return Weight(read_expression(text), text.strip(), position=len(text) - len(text.lstrip()))


def equation_weights(own: Mapping[str, object], equation: RandomEquation, source: str) -> Iterator[TypedWeight]:
    """The weights among an equation's options, as weights of its level; its grouping must be complete."""
    for option in ("fweight", "pweight"):
        weight = own.get(option)
        if isinstance(weight, Weight):
            expression = replace(weight.expression, source=source)
            typed = TypedWeight(KEYWORDS[f"{option}s"], replace(weight, expression=expression))
            yield _at_level(typed, equation, source)


def _at_level(typed: TypedWeight, equation: RandomEquation, source: str | None) -> TypedWeight:
    """The same weight for the groups of an equation's level."""
    label, position = equation.label, typed.weight.position
    typed = replace(typed, weight=replace(typed.weight, grouping=equation.grouping, label=label))
    if not equation.grouping:
        message = f"{typed.written}: {label} is one group, the whole sample, and takes no weight; weight the levels below it"
        raise OptionError(message, source if position is not None else None, position)
    if equation.factor is not None:
        message = (
            f"{typed.written} weights the groups of {label} and does not go with R.{equation.factor}; "
            f"write it in an equation of {label} without R., as in `|| {label}:, {typed.written}`"
        )
        raise OptionError(message, source if position is not None else None, position)
    return typed


def split_keywords(keywords: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Keyword arguments that are weights, and the rest.

    Raises
    ------
    OptionError
        For names of weights in other programs.

    Examples
    --------
    >>> split_keywords({"pweights": "w", "level": 90})
    ({'pweights': 'w'}, {'level': 90})
    """
    for name in keywords:
        if name in _OF_OTHERS:
            message = f"{name} is no option: say which weights, fweights= (frequencies) or pweights= (sampling); {PRECISION}"
            raise OptionError(message)
    weights = {name: value for name, value in keywords.items() if name in KEYWORDS and value is not None}
    return weights, {name: value for name, value in keywords.items() if name not in KEYWORDS}


def keyword_weights(keywords: Mapping[str, object], equations: Sequence[RandomEquation]) -> Iterator[TypedWeight]:
    """Weights given as keyword arguments: an expression for the rows, or a mapping from levels to expressions.

    Parameters
    ----------
    keywords : mapping
        Those of `KEYWORDS`: a text, or, but for precision weights, a mapping whose keys are labels of levels, and "" or
        "observation" for the rows.
    equations : sequence of RandomEquation
        Complete.
    """
    for name, value in keywords.items():
        if not isinstance(value, Mapping):
            yield TypedWeight(KEYWORDS[name], _keyword_weight(name, value))
            continue
        if KEYWORDS[name] == "precision":
            raise OptionError("precision_weights weights the rows only: pass one expression or the name of a column")
        for label, text in value.items():
            typed = TypedWeight(KEYWORDS[name], _keyword_weight(f"{name}[{label!r}]", text))
            equation = _equation_of_level(label, equations, name)
            yield typed if equation is None else _at_level(typed, equation, None)


def _keyword_weight(name: str, text: object) -> Weight:
    if not isinstance(text, str) or not text.strip():
        found = "an empty text" if isinstance(text, str) else type(text).__name__
        raise OptionError(f"{name} takes the name of a column of the data or an expression, as a text; found {found}")
    try:
        return Weight(read_expression(text), text.strip())
    except CommandError as error:
        raise type(error)(f"{name}: {error.message}", error.text, error.position) from None


def _equation_of_level(label: object, equations: Sequence[RandomEquation], name: str) -> RandomEquation | None:
    """An equation of the level, one without R. if there is one; None for the rows."""
    same = sorted((e for e in equations if e.label == label), key=lambda e: e.factor is not None)
    if same:
        return same[0]
    if label in OBSERVATION:
        return None
    labels = list(dict.fromkeys(e.label for e in equations))
    near = suggestion(str(label), labels)
    known = ", ".join(f'"{known}"' for known in ["", *labels])
    raise OptionError(f"{name}: the model has no level {label!r}{near or f'; the keys are {known}, the first for the rows'}")
