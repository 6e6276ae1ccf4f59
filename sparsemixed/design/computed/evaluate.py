"""The values of what a formula computes, in every row of a frame."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from sparsemixed.design.computed.stateful import stateful_columns
from sparsemixed.design.data.variable import Variable
from sparsemixed.errors import DataError
from sparsemixed.spec.computed import ColumnName, Computed, ConstantValue, Expression, FunctionCall
from sparsemixed.spec.functions import FUNCTIONS

Columns = Callable[[str], Variable]
"""From the name of a column to the column."""

ELEMENTWISE: dict[str, Callable[..., np.ndarray]] = {
    "(": lambda x: x,
    "I": lambda x: x,
    "as.numeric": lambda x: x,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "pmin": np.minimum,
    "pmax": np.maximum,
    "^": np.power,
    "*": np.multiply,
    "/": np.divide,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
COMPARED = ("<", ">", "<=", ">=", "==", "!=", "dummy")


def computed_values(computed: Computed, columns: Columns, n: int, states: dict[str, dict]) -> np.ndarray:
    """The columns of a formula's function, (n, k) float64.

    Parameters
    ----------
    computed : Computed
    columns : callable
    n : int
        Rows.
    states : dict
        Text of each stateful call -> what is known of it; an empty mapping is filled from these rows.

    Raises
    ------
    DataError
        A text where numbers are needed.
    """
    with np.errstate(all="ignore"):  # what is not defined is missing, and told of
        values = np.asarray(_value(computed.expression, _Reader(columns, n, states)), dtype=np.float64)
    return values.reshape(n, prod(values.shape[1:]))  # -1 has no meaning without rows


class _Reader:
    """What expressions are evaluated in: see `computed_values`."""

    def __init__(self, columns: Columns, n: int, states: dict[str, dict]):
        self.columns, self.n, self.states = columns, n, states

    def numbers(self, name: str, text: str) -> np.ndarray:
        """(n,) float64, NaN where missing."""
        variable = self.columns(name)
        if not variable.is_number:
            held = {"dates": "dates or times", "categorical": "categories"}.get(variable.kind, variable.kind)
            raise DataError(f"{text} is computed from numbers, and `{name}` holds {held}")
        return variable.numbers()


def _value(expression: Expression, reader: _Reader) -> np.ndarray:
    """(n,) or (n, k), of a constant too."""
    if isinstance(expression, ConstantValue):
        return np.full(reader.n, np.nan if expression.value is None else float(expression.value))  # type: ignore[arg-type]
    if isinstance(expression, ColumnName):
        return reader.numbers(expression.variable, f"`{expression.variable}`")
    name = expression.function
    if name in COMPARED:
        return _compared(expression, reader)
    inner = [_argument(argument, expression, reader) for argument in expression.arguments]
    declared = FUNCTIONS.get(name)
    if declared is not None and declared.stateful:
        state = reader.states.setdefault(expression.text, {})
        found = stateful_columns(name, inner[0], dict(expression.parameters), state, expression.text)
        return found if declared.columns else found[:, 0]
    if name in ("+", "-"):
        values = inner if len(inner) == 2 else [np.zeros(reader.n), *inner]
        return values[0] + values[1] if name == "+" else values[0] - values[1]
    if name == "log":
        base = dict(expression.parameters).get("base")
        return np.log(inner[0]) if base is None else np.log(inner[0]) / np.log(float(base))  # type: ignore[arg-type]
    return ELEMENTWISE[name](*inner)


def _argument(argument: Expression, expression: FunctionCall, reader: _Reader) -> np.ndarray:
    if isinstance(argument, ColumnName):
        return reader.numbers(argument.variable, expression.text)
    return _value(argument, reader)


def _compared(expression: FunctionCall, reader: _Reader) -> np.ndarray:
    """(n,) float64, 1 where a comparison holds, NaN where something is missing."""
    first, second = expression.arguments
    if expression.function in ("==", "!=", "dummy") and (_is_text(first) or _is_text(second) or expression.function == "dummy"):
        name, value = (second, first) if _is_text(first) else (first, second)
        if not isinstance(name, ColumnName) or not isinstance(value, ConstantValue):
            raise DataError(f"{expression.text}: a text is compared with a column")
        return _equals(reader.columns(name.variable), value.value, expression.function != "!=")
    left, right = (_argument(argument, expression, reader) for argument in (first, second))
    holds = ELEMENTWISE[expression.function](left, right).astype(np.float64)
    holds[np.isnan(left) | np.isnan(right)] = np.nan
    return holds


def _equals(variable: Variable, value: Any, equal: bool) -> np.ndarray:
    """(n,) float64, 1 where the column has the value (or has not), NaN where it is missing; "2" is the number 2 as well."""
    values = variable.for_expression()
    if values.dtype.kind == "O":
        wanted = value if isinstance(value, str) else f"{value:.15g}"
        found = np.asarray(values == wanted, dtype=bool)
    else:
        try:
            found = values == float(value)
        except ValueError:
            found = np.zeros(len(values), dtype=bool)
    holds = (found == equal).astype(np.float64)
    if variable.missing is not None:
        holds[variable.missing] = np.nan
    return holds


def _is_text(expression: Expression) -> bool:
    return isinstance(expression, ConstantValue) and isinstance(expression.value, str)


def undefined_rows(computed: Computed, columns: Columns, values: np.ndarray) -> np.ndarray:
    """Rows (m,) in which nothing is missing and the function has no value all the same, such as log(-1)."""
    missing = np.isnan(values).any(axis=1)
    for name in computed.sources:
        source = columns(name).missing
        if source is not None:
            missing &= ~source
    return np.flatnonzero(missing)
