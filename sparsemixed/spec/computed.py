"""Columns that a formula computes from columns of the data, as plain values: `log(x)`, `poly(x, 2)`, `C(f, contr.sum)`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ColumnName:
    """A column of the data inside of an expression."""

    variable: str
    position: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ConstantValue:
    """A number, truth value, text, or vector of numbers inside of an expression; None for R's NULL."""

    value: float | bool | str | tuple[float, ...] | None


@dataclass(frozen=True)
class FunctionCall:
    """A function of `spec.functions`, or an operator, of some expressions.

    Attributes
    ----------
    function : str
        A key of `FUNCTIONS`, or an operator.
    arguments : tuple
        Expressions that are evaluated in each row.
    parameters : tuple of (str, value)
        Settings by the names of the function's declaration, such as the degree of a polynomial.
    text : str
        As R writes it.
    """

    function: str
    arguments: tuple[FunctionCall | ColumnName | ConstantValue, ...]
    parameters: tuple[tuple[str, float | bool | str | tuple[float, ...] | None], ...] = ()
    text: str = ""


Expression = FunctionCall | ColumnName | ConstantValue


@dataclass(frozen=True)
class Computed:
    """A column, or several, that a formula computes.

    Attributes
    ----------
    text : str
        As R writes it; a `Factor` refers to it by this text until its columns are known.
    expression : FunctionCall
    position : int or None
        Offset in the text as typed.
    columns : tuple of str
        Names of its columns, `poly(x, 2)1` and `poly(x, 2)2`; empty as long as nothing was learned from data.
    states : dict
        Text of every call in it that depends on the data as a whole -> what is remembered of them: centre and scale,
        knots, coefficients of orthogonal polynomials, levels.
    """

    text: str
    expression: FunctionCall
    position: int | None = field(default=None, compare=False)
    columns: tuple[str, ...] = ()
    states: dict[str, dict] = field(default_factory=dict, compare=False)

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the data that it is computed from."""
        return tuple(dict.fromkeys(name.variable for name in _names(self.expression)))

    def names(self) -> tuple[str, ...]:
        """What a model may call it or one of its columns."""
        return self.columns or (self.text,)


def _names(expression: Expression) -> Iterator[ColumnName]:
    if isinstance(expression, ColumnName):
        yield expression
    elif isinstance(expression, FunctionCall):
        for argument in expression.arguments:
            yield from _names(argument)


def source_names(names: Iterable[str], computed: Sequence[Computed]) -> tuple[str, ...]:
    """Columns of the data behind the names of a model, each once.

    Examples
    --------
    >>> log = Computed("log(x)", FunctionCall("log", (ColumnName("x"),)))
    >>> source_names(["y", "log(x)", "x"], [log])
    ('y', 'x')
    """
    behind = {name: one.sources for one in computed for name in one.names()}
    return tuple(dict.fromkeys(source for name in names for source in behind.get(name, (name,))))
