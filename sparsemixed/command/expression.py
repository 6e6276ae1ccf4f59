"""Expressions of `if` conditions: a small tree and its evaluation over whole columns, never through `eval`."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from lark import Token, Tree

from sparsemixed.command.functions import FUNCTIONS
from sparsemixed.command.parse import parse_tree, unquoted
from sparsemixed.command.time_operators import multiplied, time_operators
from sparsemixed.command.values import KindError, Values, as_values, equal, finite, is_text, less, rounded, truth
from sparsemixed.errors import CommandError, shortened, suggestion
from sparsemixed.exact_numbers import ExactNumbers, typed
from sparsemixed.time_series import TimeOperator


@dataclass(frozen=True)
class Literal:
    """A number, a string, or missing (NaN); `exact` where float64 does not have all digits that were typed."""

    value: float | str
    position: int = field(compare=False)
    exact: ExactNumbers | None = None

    @property
    def _meaning(self) -> tuple[str, object]:
        # NaN differs from itself, and two missing literals are the same literal.
        return repr(self.value), None if self.exact is None else self.exact.numbers.item()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._meaning == other._meaning

    def __hash__(self) -> int:
        return hash(self._meaning)


@dataclass(frozen=True)
class Variable:
    """A column of the data, one with time-series operators (`L2D.x`), or `_n` (row number from 1) or `_N` (number of rows)."""

    name: str
    position: int = field(compare=False)


@dataclass(frozen=True)
class Operation:
    """An operator or function (`name`) applied to its arguments."""

    name: str
    arguments: tuple[Node, ...]
    position: int = field(compare=False)


Node = Literal | Variable | Operation


def _arithmetic(operate: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    def evaluate(left: Values, right: Values) -> np.ndarray:
        if is_text(left) or is_text(right):
            raise KindError("type mismatch: arithmetic needs numbers")
        return finite(operate(rounded(left), rounded(right)))

    return evaluate


def _add(left: Values, right: Values) -> np.ndarray:
    """Sum of numbers, or strings one after the other."""
    if is_text(left) and is_text(right):
        return np.asarray(rounded(left) + rounded(right), dtype=object)
    return _arithmetic(np.add)(left, right)


def _element(values: Values, row: Values) -> Values:
    """`x[row]`: the value in another row, counted from 1; missing where there is none."""
    if is_text(row):
        raise KindError("a row is a number")
    row, count = rounded(row), values.size
    there = (row >= 1) & (row < count + 1)
    place = np.where(there, row, 1.0).astype(np.int64) - 1
    if isinstance(values, ExactNumbers):
        return values.rows(place, there)
    found = np.append(values, np.array(["" if is_text(values) else np.nan], values.dtype))
    return np.asarray(found[np.where(there, place, count)], dtype=values.dtype)


ELEMENT = "[]"
"""Name of the operation `x[row]`."""

_BINARY: dict[str, Callable[..., Values]] = {
    "+": _add,
    "-": _arithmetic(np.subtract),
    "*": _arithmetic(np.multiply),
    "/": _arithmetic(np.divide),
    "^": _arithmetic(np.power),
    "==": equal,
    "!=": lambda left, right: ~equal(left, right),
    "~=": lambda left, right: ~equal(left, right),
    "<": less,
    ">": lambda left, right: less(right, left),
    "<=": lambda left, right: ~less(right, left),
    ">=": lambda left, right: ~less(left, right),
    "&": lambda left, right: truth(left) & truth(right),
    "|": lambda left, right: truth(left) | truth(right),
    ELEMENT: _element,
}


def _negative(values: Values) -> Values:
    return values.negative() if isinstance(values, ExactNumbers) else _arithmetic(np.multiply)(np.float64(-1.0), values)


def _positive(values: Values) -> Values:
    return values if isinstance(values, ExactNumbers) else _arithmetic(np.multiply)(np.float64(1.0), values)


_OF_RESULTS = {
    "e": 'here a fit says which rows it used: pass data.iloc[fit.e["sample"]] in place of data for e(sample)',
    "r": "put the number in its place",
    "c": "put the number in its place",
}
"""Functions of Stata that look up what earlier commands left, and what to do instead."""

_UNARY: dict[str, Callable[..., Values]] = {
    "-": _negative,
    "+": _positive,
    "!": lambda values: ~truth(values),
    "~": lambda values: ~truth(values),
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression. Two expressions are equal if they mean the same, however typed.

    Attributes
    ----------
    root : Literal, Variable or Operation
    source : str
        The text that positions refer to, for messages.
    """

    root: Node
    source: str = field(compare=False, repr=False)

    @cached_property
    def variables(self) -> frozenset[str]:
        """Names of the data columns that evaluation needs.

        Examples
        --------
        >>> sorted(read_expression("x > 1 & _n < inlist(g, 2)").variables)
        ['g', 'x']
        """
        return frozenset(self.positions)

    @cached_property
    def positions(self) -> dict[str, int]:
        """First offset of each variable in `source`."""
        first: dict[str, int] = {}
        for node in _walk(self.root):
            if isinstance(node, Variable) and node.name not in ("_n", "_N"):
                first[node.name] = min(node.position, first.get(node.name, node.position))
        return first

    @cached_property
    def looks_at_rows(self) -> bool:
        """Whether a value depends on other rows or on a row's number: `_n`, `_N`, `x[1]`.

        Examples
        --------
        >>> read_expression("x[_n-1] > 1").looks_at_rows, read_expression("x > 1").looks_at_rows
        (True, False)
        """
        nodes = list(_walk(self.root))
        return any(node.name in ("_n", "_N", ELEMENT) for node in nodes if not isinstance(node, Literal))

    def evaluate(self, columns: Mapping[str, np.ndarray], n_rows: int) -> np.ndarray:
        """The value in every row.

        All missing literals (`.`, `.a`, ..., `.z`) and all missing data are one value, above every number.

        Parameters
        ----------
        columns : mapping of name to (n_rows,) array
            Numeric (missing is NaN) or strings. Not modified. Whole numbers beyond 2**53, and decimals of more than 15 digits,
            are compared exactly, with numbers as they were typed.
        n_rows : int

        Returns
        -------
        (n_rows,) array
            float64, comparisons and logic as 0 and 1; an object array if the expression is a string.

        Examples
        --------
        >>> read_expression("x < . & x^2 > 3").evaluate({"x": np.array([1, 2, np.nan])}, 3)
        array([0., 1., 0.])
        """
        values = self._values(columns, n_rows)
        floats = values.floats() if isinstance(values, ExactNumbers) else values
        return np.broadcast_to(floats, (n_rows,)).copy()

    def selects(self, columns: Mapping[str, np.ndarray], n_rows: int) -> np.ndarray:
        """Rows (n_rows,) bool for which the condition holds: its value is not 0, so missing counts as true.

        Examples
        --------
        >>> read_expression("x").selects({"x": np.array([0, 2, np.nan])}, 3)
        array([False,  True,  True])
        """
        values = self.evaluate(columns, n_rows)
        if is_text(values):
            raise self._error("type mismatch: the condition is a string", self.root)
        return truth(values)

    def _values(self, columns: Mapping[str, np.ndarray], n_rows: int) -> Values:
        with np.errstate(all="ignore"):
            return self._value(self.root, columns, n_rows)

    def _value(self, node: Node, columns: Mapping[str, np.ndarray], n_rows: int) -> Values:
        if isinstance(node, Literal):
            if node.exact is not None:
                return node.exact
            return np.array(node.value, dtype=object if isinstance(node.value, str) else np.float64)
        if isinstance(node, Variable):
            return self._column(node, columns, n_rows)
        # A long `a == 1 | a == 2 | ...` leans to the left: going down that side in a loop spares the stack.
        spine = []
        while isinstance(node, Operation) and node.arguments:
            spine.append(node)
            node = node.arguments[0]
        values = self._value(node, columns, n_rows)
        for operation in reversed(spine):
            others = [self._value(argument, columns, n_rows) for argument in operation.arguments[1:]]
            values = self._apply(operation, [values, *others])
        return values

    def _apply(self, operation: Operation, values: list[Values]) -> Values:
        try:
            found = _operator(operation)(values)
        except KindError as error:
            place = f"{operation.name}(): " if operation.name in FUNCTIONS else ""
            raise self._error(f"{place}{error}", operation) from None
        result = found if isinstance(found, ExactNumbers) else np.asarray(found)
        return result.astype(np.float64) if isinstance(result, np.ndarray) and result.dtype.kind == "b" else result

    def _column(self, node: Variable, columns: Mapping[str, np.ndarray], n_rows: int) -> Values:
        if node.name == "_n":
            return np.arange(1.0, n_rows + 1)
        if node.name == "_N":
            return np.array(float(n_rows))
        if node.name not in columns:
            raise self._error(f"variable {node.name} not found{suggestion(node.name, columns)}", node)
        try:
            return as_values(columns[node.name])
        except KindError as error:
            raise self._error(f"variable {node.name} {error}", node) from None

    def _error(self, message: str, node: Node) -> CommandError:
        return CommandError(message, self.source, node.position)


def _operator(node: Operation) -> Callable[[list[Values]], Values]:
    if node.name in FUNCTIONS:
        return FUNCTIONS[node.name]
    table = _UNARY if len(node.arguments) == 1 else _BINARY
    return lambda values: table[node.name](*values)


def _walk(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.arguments if isinstance(node, Operation) else ()


def expression_from_tree(tree: Tree, source: str) -> Expression:
    """The expression of a parse tree of rule `or`; unknown functions and wrong numbers of arguments are errors."""
    return Expression(_node(tree, source), source)


def read_expression(text: str) -> Expression:
    """Parse an expression that stands alone.

    Examples
    --------
    >>> read_expression("inlist(day, 0, 4)").evaluate({"day": np.array([0, 2, 4])}, 3)
    array([1., 0., 1.])
    """
    return expression_from_tree(parse_tree(text, text, start="expression").children[0], text)


def _node(tree: Tree, source: str) -> Node:
    spine = []
    while tree.data in ("binary", "parenthesis"):
        spine += [tree] if tree.data == "binary" else []
        tree = tree.children[0 if tree.data == "binary" else 1]
    node = _unary(tree, source) if tree.data == "unary" else _operand(tree, source)
    for operation in reversed(spine):
        _, operator, right = operation.children
        if operator == "=":
            raise CommandError("found `=`; compare with `==`", source, operator.start_pos)
        node = Operation(str(operator), (node, _node(right, source)), operator.start_pos or 0)
    return node


def _unary(tree: Tree, source: str) -> Operation:
    operator, operand = tree.children
    return Operation(str(operator), (_node(operand, source),), operator.start_pos or 0)


def _operand(tree: Tree, source: str) -> Node:
    """A literal, a variable, one of its elements, or a call."""
    if tree.data == "variable":
        return _variable(tree, source)
    if tree.data == "element":
        *named, bracket, row, _ = tree.children
        variable = _variable(Tree("variable", named), source)
        if variable.name in ("_n", "_N"):
            raise CommandError(f"{variable.name} is no variable and takes no [row]", source, bracket.start_pos)
        return Operation(ELEMENT, (variable, _node(row, source)), bracket.start_pos or 0)
    first: Token = tree.children[0]
    position = first.start_pos or 0
    if tree.data == "number":
        return Literal(float(finite(np.float64(first))), position, typed(str(first)))
    if tree.data == "missing":
        return Literal(float("nan"), position)
    if tree.data == "string":
        return Literal(str(first)[1:-1], position)
    return _call(first, [child for child in tree.children if isinstance(child, Tree)], source)


def _variable(tree: Tree, source: str) -> Variable:
    """A variable, its time-series operators made part of its name: `L2.x`, `l.d.x`."""
    *operators, last = tree.children
    name, series = unquoted(last.children[0]), (TimeOperator(),)
    position = operators[0].start_pos if operators else last.children[0].start_pos
    for token in operators:
        try:
            series = multiplied(series, time_operators(str(token).removesuffix(".")))
        except ValueError as error:
            raise CommandError(f"operator {shortened(token)} is not understood: {error}", source, token.start_pos) from None
    return Variable(series[0].on(name), position or 0)


def _call(name: Token, arguments: list[Tree], source: str) -> Operation:
    if name in _OF_RESULTS:
        raise CommandError(f"{name}() is of Stata's last results; {_OF_RESULTS[name]}", source, name.start_pos)
    if name not in FUNCTIONS:
        advice = suggestion(name, FUNCTIONS) or "; make a column of it first"
        raise CommandError(f"unknown function {name}(){advice}", source, name.start_pos)
    function = FUNCTIONS[name]
    if len(arguments) < function.fewest or (function.most is not None and len(arguments) > function.most):
        wanted = f"{function.fewest} or more" if function.most is None else f"{function.fewest} to {function.most}"
        wanted = str(function.fewest) if function.fewest == function.most else wanted
        raise CommandError(f"{name}() takes {wanted} arguments, found {len(arguments)}", source, name.start_pos)
    return Operation(str(name), tuple(_node(argument, source) for argument in arguments), name.start_pos or 0)
