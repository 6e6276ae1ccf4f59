"""Calls inside a formula: `log(x)`, `poly(x, 2)`, `C(f, contr.sum)`, `offset(z)`, from text to values that say what is asked for.

Nothing is evaluated here, and nothing comes through that `spec.functions` does not declare.
"""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lark import Token

from sparsemixed.command.call_settings import constant_of, settings_of
from sparsemixed.command.parse import parse_tree, unquoted
from sparsemixed.errors import CommandError, shortened
from sparsemixed.spec.computed import ColumnName, Computed, ConstantValue, Expression, FunctionCall
from sparsemixed.spec.functions import CATEGORICAL, COMPARISONS, CONSTANTS, CONTRASTS, FUNCTIONS, OFFSET
from sparsemixed.spec.model import Base, Factor

DEEPEST = 40
"""Calls, parentheses and operators within each other that are still read."""
_INSTEAD = {
    "s": "smooths of gamm4 and mgcv are not available; bs(x, df = 5) and ns(x, df = 5) are splines",
    "ordered": "C(f, contr.poly) has the contrasts of an ordered factor",
    "relevel": 'C(f, Treatment("b")) compares with level b',
    "cbind": "a linear mixed model has one response, with Gaussian errors",
    "lag": "time-series operators such as L.x are lags, with the option tsset",
}
_INSTEAD |= dict.fromkeys(("te", "ti", "t2"), _INSTEAD["s"])


@dataclass(frozen=True)
class Offset:
    """A term whose coefficient is one: the name of a column, or of what is computed."""

    variable: str


class CallReader:
    """Reads the calls of one formula.

    Parameters
    ----------
    source : str
        The formula as typed.
    positions : dict
        Variable name to first offset; filled while reading.

    Attributes
    ----------
    computed : dict of str to Computed
        Everything that was found to be computed, by its text.
    """

    def __init__(self, source: str, positions: dict[str, int]):
        self.source, self._positions = source, positions
        self.computed: dict[str, Computed] = {}

    def read(self, start: int, end: int) -> Factor | Offset:
        """What the call that stands at these offsets of the source is in a model.

        Raises
        ------
        CommandError
            For a function that there is not, or settings that it does not have.
        """
        tree = parse_tree(" " * start + self.source[start:end], self.source, "call.lark", "call")
        name = str(tree.children[0])
        if name in CATEGORICAL:
            return self._categorical(tree, start)
        if name != OFFSET:
            return Factor(self._as_computed(self._expression(tree, outermost=True), start), "by_type", position=start)
        inner = [self._expression(node) for node in self._plain_arguments(tree)]
        if len(inner) != 1 or isinstance(inner[0], ConstantValue):
            raise self._error("offset() takes one variable, or one function of variables", start)
        return Offset(inner[0].variable if isinstance(inner[0], ColumnName) else self._as_computed(inner[0], start))

    def _as_computed(self, expression: FunctionCall, start: int) -> str:
        found = Computed(expression.text, expression, start)
        if not found.sources:
            raise self._error(f"there is no variable in {shortened(found.text)}", start)
        self.computed.setdefault(found.text, found)
        self._positions.setdefault(found.text, start)
        return found.text

    def _error(self, message: str, position: int) -> CommandError:
        return CommandError(message, self.source, position)

    # --- expressions -------------------------------------------------------------------------------------------------

    def _expression(self, node: Any, depth: int = 0, outermost: bool = False) -> Any:
        if depth > DEEPEST:
            raise RecursionError
        if node.data == "call":
            return self._call(node, depth, outermost)
        if node.data == "number":
            return ConstantValue(_number(node.children[0]))
        if node.data == "string":
            return ConstantValue(str(node.children[0])[1:-1])
        if node.data == "name":
            return self._name(node.children[0])
        if node.data == "parenthesis":
            return self._operation("(", [node.children[1]], depth)
        if node.data == "unary":
            return self._operation(str(node.children[0]), [node.children[1]], depth)
        return self._operation(str(node.children[1]), [node.children[0], node.children[2]], depth)

    def _name(self, token: Token) -> ColumnName | ConstantValue:
        if token.type == "NAME" and str(token) in CONSTANTS:
            return ConstantValue(CONSTANTS[str(token)])
        name, position = unquoted(token), token.start_pos or 0
        self._positions[name] = min(position, self._positions.get(name, position))
        return ColumnName(name, position)

    def _operation(self, sign: str, nodes: Sequence[Any], depth: int) -> FunctionCall:
        sign = "^" if sign == "**" else sign
        arguments = tuple(self._expression(node, depth + 1) for node in nodes)
        for node, argument in zip(nodes, arguments, strict=True):
            if isinstance(argument, ConstantValue) and sign not in ("==", "!=") and not _is_number(argument.value):
                raise self._error(f"{text_of(argument)} is no number to compute with", _position(node))
        if sign in COMPARISONS and all(isinstance(argument, ConstantValue) for argument in arguments):
            raise self._error("a comparison of two constants", _position(nodes[0]))
        return FunctionCall(sign, arguments, text=_written(sign, [text_of(argument) for argument in arguments]))

    def _call(self, node: Any, depth: int, outermost: bool) -> FunctionCall:
        name, position = str(node.children[0]), _position(node)
        declared = FUNCTIONS.get(name)
        if declared is None:
            raise self._unknown(node, name)
        if declared.columns and not outermost:
            raise self._error(f"{name}() gives several columns, which nothing can be computed from", position)
        given = [child for child in node.children if getattr(child, "data", "") == "argument"]
        plain = [child for child in given if len(child.children) == 1]
        if len(plain) < declared.arguments or given[: declared.arguments] != plain[: declared.arguments]:
            what = "one variable" if declared.arguments == 1 else f"{declared.arguments} arguments"
            raise self._error(f"{name}() starts with {what}, as in {_example(name)}", position)
        arguments = tuple(self._expression(child.children[0], depth + 1) for child in plain[: declared.arguments])
        for argument in arguments[: 1 if name == "dummy" else None]:
            if isinstance(argument, ConstantValue) and not _is_number(argument.value):
                raise self._error(f"{name}() is of numbers, found {text_of(argument)}", position)
        rest = [child for child in given if child not in plain[: declared.arguments]]
        parameters, written = settings_of(declared, rest, self.source)
        text = f"{name}({', '.join([*map(text_of, arguments), *written])})"
        return FunctionCall(name, arguments, parameters, text)

    def _plain_arguments(self, node: Any) -> list[Any]:
        given = [child for child in node.children if getattr(child, "data", "") == "argument"]
        named = next((child for child in given if len(child.children) > 1), None)
        if named is not None:
            raise self._error(f"{node.children[0]}() has no setting {named.children[0]}", _position(named))
        return [child.children[0] for child in given]

    def _unknown(self, node: Any, name: str) -> CommandError:
        plain = name.replace("::", ".").rpartition(".")[2]
        if name in _INSTEAD or plain in _INSTEAD:
            hint = _INSTEAD.get(name) or _INSTEAD[plain]
        elif name != plain and (plain in FUNCTIONS or plain in CATEGORICAL):
            hint = f"write {plain}() alone"
        elif name in CATEGORICAL or name == OFFSET:
            hint = f"{name}() is a term of its own"
        else:
            hint = f"only {', '.join((*FUNCTIONS, *CATEGORICAL, OFFSET))} may be called; compute other columns first"
        return self._error(f"{shortened(name)}() is not understood in a formula; {hint}", _position(node))

    # --- categorical variables ---------------------------------------------------------------------------------------

    def _categorical(self, node: Any, start: int) -> Factor:
        """`C(f)`, `factor(f)`; `C(f, Treatment("b"))`; other contrasts are computed columns."""
        name = str(node.children[0])
        given = [child for child in node.children if getattr(child, "data", "") == "argument"]
        first = given[0].children[0] if given and len(given[0].children) == 1 else None
        variable = self._name(first.children[0]) if first is not None and first.data == "name" else None
        if not isinstance(variable, ColumnName):
            raise self._error(f"{name}() is only of a variable; compute other columns first", start)
        if name != "C" and len(given) > 1:
            advice = 'C(f, Treatment("b")) names the base level'
            raise self._error(f"{name}() takes a variable alone, whose levels keep the order of the data; {advice}", start)
        coding, base, written = self._contrast(given[1:], start)
        if coding in ("treatment", "sas"):
            return Factor(variable.variable, "categorical", "last" if coding == "sas" else base, position=start)
        text = f"C({text_of(variable)}, {written})"
        return Factor(self._as_computed(FunctionCall("C", (variable,), (("contrast", coding),), text), start), position=start)

    def _contrast(self, given: Sequence[Any], start: int) -> tuple[str, Base, str]:
        """The coding, the base level of treatment contrasts, and how R writes it."""
        settings: dict[str, Any] = {}
        for place, child in enumerate(given):
            key = str(child.children[0]) if len(child.children) > 1 else "contr" if place == 0 else ""
            if key not in ("contr", "base") or key in settings:
                raise self._error("C() takes a variable and contrasts, as in C(f, contr.sum)", _position(child))
            settings[key] = child.children[-1]
        node = settings.get("contr")
        if node is None:
            return "treatment", self._base(settings.get("base"), ranks=True), ""
        token = node.children[0] if node.data in ("name", "string", "call") else None
        written = str(token).strip("\"'`") if token is not None else ""
        coding = CONTRASTS.get(written)
        if coding is None:
            raise self._error(f"contrasts are one of {', '.join(CONTRASTS)}", _position(node))
        inner = [child for child in node.children if getattr(child, "data", "") == "argument"] if node.data == "call" else []
        key = str(inner[0].children[0]) if inner and len(inner[0].children) > 1 else "base"
        if inner and (coding != "treatment" or len(inner) > 1 or key not in ("base", "reference")):
            example = 'contr.treatment(base = 2), Treatment("b")'
            raise self._error(f"{written}() takes no such settings; only the base level is a choice: {example}", _position(node))
        ranks = written.startswith("contr.")
        base = self._base(inner[0].children[-1] if inner else settings.get("base"), ranks or not inner)
        return coding, base, written

    def _base(self, node: Any, ranks: bool) -> Base:
        """R counts levels from one, `contr.treatment(base = 2)`; patsy names them, `Treatment("b")`."""
        if node is None:
            return "first"
        value = constant_of(node, self.source)
        if isinstance(value, bool) or not isinstance(value, (float, str)):
            raise self._error("the base level is a number or a text", _position(node))
        if isinstance(value, str) or not ranks:
            return value
        if value < 1 or value != int(value):
            raise self._error("R counts the base level from one", _position(node))
        return f"#{int(value)}"


def _number(token: Token) -> float:
    return float(str(token).removesuffix("L"))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _position(node: Any) -> int:
    return next(iter(node.scan_values(lambda _: True))).start_pos or 0


def _example(name: str) -> str:
    return {"pmin": "pmin(x, 3)", "pmax": "pmax(x, 3)", "dummy": 'dummy(f, "a")', "poly": "poly(x, 2)"}.get(name, f"{name}(x)")


def _written(sign: str, arguments: Sequence[str]) -> str:
    """An operation as R writes it."""
    if sign == "(":
        return f"({arguments[0]})"
    if len(arguments) == 1:
        return f"{sign}{arguments[0]}"
    return (sign if sign in "/^" else f" {sign} ").join(arguments)


def text_of(expression: Expression) -> str:
    """An expression as R writes it.

    Examples
    --------
    >>> text_of(ConstantValue(2.0)), text_of(ConstantValue((1.0, 2.5))), text_of(ColumnName("my var"))
    ('2', 'c(1, 2.5)', '`my var`')
    """
    if isinstance(expression, FunctionCall):
        return expression.text
    if isinstance(expression, ColumnName):
        name = expression.variable
        return name if name.replace(".", "").replace("_", "").isalnum() and not name[0].isdigit() else f"`{name}`"
    value = expression.value
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"c({', '.join(text_of(ConstantValue(one)) for one in value)})"
    return "pi" if value == math.pi else f"{value:.15g}"
