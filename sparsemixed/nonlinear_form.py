"""Functions of estimates as values: a small tree, its value and its exact derivatives, never through `eval`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class Constant:
    """A number."""

    value: float


@dataclass(frozen=True)
class Parameter:
    """An estimate, by its name as typed without `_b[]` and backquotes."""

    name: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Applied:
    """An operator or function applied to its arguments."""

    name: str
    arguments: tuple[Node, ...]
    position: int = field(default=0, compare=False)


Node = Constant | Parameter | Applied


@dataclass(frozen=True)
class NonlinearForm:
    """A function of estimates.

    Attributes
    ----------
    root : Constant, Parameter or Applied
    text : str
        As typed.
    """

    root: Node
    text: str = field(default="", compare=False)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The estimates in it, each name once, in the order typed."""
        return tuple({one.name: one for one in reversed([*_parameters(self.root)])}.values())[::-1]


class UndefinedValueError(ValueError):
    """An operation without a value at the estimates; its arguments are what, and where it stands in the text."""

    def __init__(self, what: str, position: int):
        super().__init__(what)
        self.position = position


class Value(NamedTuple):
    """A value with its derivatives by the parameters that it depends on."""

    value: float
    partials: dict[str, float]


def _parameters(node: Node) -> Iterator[Parameter]:
    if isinstance(node, Parameter):
        yield node
    elif isinstance(node, Applied):
        for argument in node.arguments:
            yield from _parameters(argument)


_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


def _invlogit(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def _density(x: float) -> float:
    return math.exp(-0.5 * x * x) / _ROOT_TWO_PI


Real = Callable[[float], float]
FUNCTIONS: dict[str, tuple[Real, Real]] = {
    "exp": (math.exp, math.exp),
    "expm1": (math.expm1, math.exp),
    "ln": (math.log, lambda x: 1.0 / x),
    "log": (math.log, lambda x: 1.0 / x),
    "log10": (math.log10, lambda x: 1.0 / (x * math.log(10.0))),
    "ln1p": (math.log1p, lambda x: 1.0 / (1.0 + x)),
    "log1p": (math.log1p, lambda x: 1.0 / (1.0 + x)),
    "sqrt": (math.sqrt, lambda x: 0.5 / math.sqrt(x)),
    "abs": (abs, lambda x: x / abs(x)),
    "logit": (lambda x: math.log(x / (1.0 - x)), lambda x: 1.0 / (x * (1.0 - x))),
    "invlogit": (_invlogit, lambda x: _invlogit(x) * _invlogit(-x)),
    "cloglog": (lambda x: math.log(-math.log1p(-x)), lambda x: -1.0 / ((1.0 - x) * math.log1p(-x))),
    "invcloglog": (lambda x: -math.expm1(-math.exp(x)), lambda x: math.exp(x - math.exp(x))),
    "normal": (lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)), _density),
    "normalden": (_density, lambda x: -x * _density(x)),
    "sin": (math.sin, math.cos),
    "cos": (math.cos, lambda x: -math.sin(x)),
    "tan": (math.tan, lambda x: 1.0 + math.tan(x) ** 2),
    "asin": (math.asin, lambda x: 1.0 / math.sqrt(1.0 - x * x)),
    "acos": (math.acos, lambda x: -1.0 / math.sqrt(1.0 - x * x)),
    "atan": (math.atan, lambda x: 1.0 / (1.0 + x * x)),
    "sinh": (math.sinh, math.cosh),
    "cosh": (math.cosh, math.sinh),
    "tanh": (math.tanh, lambda x: 1.0 - math.tanh(x) ** 2),
    "asinh": (math.asinh, lambda x: 1.0 / math.sqrt(1.0 + x * x)),
    "acosh": (math.acosh, lambda x: 1.0 / math.sqrt(x * x - 1.0)),
    "atanh": (math.atanh, lambda x: 1.0 / (1.0 - x * x)),
}
"""Name -> the function and its derivative."""


def evaluated(form: NonlinearForm, values: Mapping[str, float]) -> Value:
    """Value and partial derivatives, by forward differentiation: exact but for rounding.

    Parameters
    ----------
    form : NonlinearForm
    values : mapping of str to float
        Of every parameter; minus infinity is the logarithm of a standard deviation of zero.

    Raises
    ------
    UndefinedValueError
        Where an operation has no value. A derivative that does not exist, of sqrt() at zero, is NaN.

    Examples
    --------
    >>> ratio = NonlinearForm(Applied("/", (Parameter("a"), Parameter("b"))))
    >>> evaluated(ratio, {"a": 3.0, "b": 2.0})
    Value(value=1.5, partials={'a': 0.5, 'b': -0.75})
    """
    return _value(form.root, values)


def _value(node: Node, values: Mapping[str, float]) -> Value:
    if isinstance(node, Constant):
        return Value(node.value, {})
    if isinstance(node, Parameter):
        return Value(values[node.name], {node.name: 1.0})
    arguments = [_value(argument, values) for argument in node.arguments]
    numbers = [argument.value for argument in arguments]
    try:
        value = _operation(node.name, numbers)
    except (ValueError, ZeroDivisionError, OverflowError):
        value = math.nan
    if math.isnan(value) or (math.isinf(value) and not any(map(math.isinf, numbers))):
        raise UndefinedValueError(_written(node.name, numbers), node.position)
    total: dict[str, float] = {}
    for place, argument in enumerate(arguments):
        slope = _slope(node.name, numbers, place, value) if argument.partials else 0.0
        for name, partial in argument.partials.items():
            total[name] = total.get(name, 0.0) + slope * partial
    return Value(value, total)


def _operation(name: str, x: list[float]) -> float:
    if len(x) == 1:
        return {"-": -x[0], "+": x[0]}[name] if name in "+-" else FUNCTIONS[name][0](x[0])
    if name == "^":
        return math.pow(x[0], x[1])
    return {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b}[name](*x)


def _slope(name: str, x: list[float], place: int, value: float) -> float:
    """The derivative of an operation by one of its arguments; NaN where there is none."""
    try:
        if len(x) == 1:
            return {"-": -1.0, "+": 1.0}[name] if name in "+-" else FUNCTIONS[name][1](x[0])
        if name in "+-":
            return -1.0 if name == "-" and place == 1 else 1.0
        if name == "*":
            return x[1 - place]
        if name == "/":
            return 1.0 / x[1] if place == 0 else -value / x[1]
        if place == 0:
            return x[1] * math.pow(x[0], x[1] - 1.0) if x[1] else 0.0
        return value * math.log(x[0]) if x[0] else (0.0 if x[1] > 0 else math.nan)
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def _written(name: str, x: list[float]) -> str:
    numbers = [f"{number:.6g}" for number in x]
    if name in FUNCTIONS:
        return f"{name}({numbers[0]})"
    return f"{name}{numbers[0]}" if len(x) == 1 else f"{numbers[0]} {name} {numbers[1]}"
