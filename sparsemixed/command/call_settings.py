"""The settings of a function in a formula, `raw = TRUE` in `poly(x, 2, raw = TRUE)`, held against its declaration."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sparsemixed.errors import CommandError, shortened
from sparsemixed.spec.functions import CONSTANTS, MOST_COLUMNS, Function, Parameter

Value = float | bool | str | tuple[float, ...] | None
_FLAGS = {"T": True, "F": False}
_WANTED = {
    "whole": "a whole number",
    "number": "a number",
    "flag": "TRUE or FALSE",
    "flag or number": "TRUE, FALSE or a number",
    "numbers": "numbers, as in c(2, 5)",
}


def settings_of(declared: Function, given: Sequence[Any], source: str) -> tuple[tuple[tuple[str, Value], ...], list[str]]:
    """Values by the names of the declaration, and each setting as R writes it.

    Parameters
    ----------
    declared : Function
    given : sequence of Tree
        `argument`, those without a name first.

    Raises
    ------
    CommandError
        A setting that the function does not have, has twice, or that is not of its kind.
    """
    found: dict[str, Value] = {}
    written = []
    for place, argument in enumerate(given):
        named = len(argument.children) > 1
        parameter = _parameter(declared, str(argument.children[0]) if named else place)
        position = next(iter(argument.scan_values(lambda _: True))).start_pos
        if parameter is None:
            names = ", ".join(one.name for one in declared.parameters) or "none"
            what = f"no setting {argument.children[0]}" if named else "no further argument"
            raise CommandError(f"{declared.name}() has {what}; its settings: {names}", source, position)
        if parameter.name in found:
            raise CommandError(f"{declared.name}() has {parameter.name} twice", source, position)
        node = argument.children[-1]
        value = constant_of(node, source)
        if not _fits(parameter, value):
            wanted = _WANTED.get(parameter.kind) or f"one of {', '.join(parameter.choices)}"
            wanted += f" from {parameter.smallest} to {MOST_COLUMNS}" if parameter.kind == "whole" else ""
            raise CommandError(f"{declared.name}(): {parameter.name} is {wanted}, found {_shown(value)}", source, position)
        if value is not None:
            found[parameter.name] = int(value) if parameter.kind == "whole" else _as_numbers(parameter, value)
        typed = source[node_start(node) : node_end(node)]
        written.append(f"{argument.children[0]} = {' '.join(typed.split())}" if named else " ".join(typed.split()))
    _check_together(declared, found, source, given)
    return tuple(found.items()), written


def _parameter(declared: Function, key: str | int) -> Parameter | None:
    if isinstance(key, int):
        return declared.parameters[key] if key < len(declared.parameters) else None
    return next((one for one in declared.parameters if key in (one.name, *one.also)), None)


def _fits(parameter: Parameter, value: Value) -> bool:
    flag, number = isinstance(value, bool), isinstance(value, float) and math.isfinite(value)
    if value is None:
        return parameter.kind in ("number", "numbers", "word", "whole") and parameter.name != "degree"
    if parameter.kind == "whole":
        return number and float(value).is_integer() and parameter.smallest <= float(value) <= MOST_COLUMNS
    if parameter.kind == "flag":
        return flag
    if parameter.kind == "flag or number":
        return flag or number
    if parameter.kind == "number":
        return number
    if parameter.kind == "word":
        return value in parameter.choices
    return number or (isinstance(value, tuple) and 0 < len(value) <= MOST_COLUMNS)


def _as_numbers(parameter: Parameter, value: Value) -> Value:
    return (value,) if parameter.kind == "numbers" and isinstance(value, float) else value


def _check_together(declared: Function, found: dict[str, Value], source: str, given: Sequence[Any]) -> None:
    """What else would only be found when data are there."""
    bounds, df, base = found.get("Boundary.knots"), found.get("df"), found.get("base", 2.0)
    least = found.get("degree", 3) + found.get("include_intercept", False)  # type: ignore[operator]
    splines = "knots" in [parameter.name for parameter in declared.parameters]
    message = ""
    if base <= 0.0 or base == 1.0:  # type: ignore[operator]
        message = "the base of a logarithm is positive and not 1"
    elif not splines:
        return
    elif declared.name == "bs" and df is not None and df < least:  # type: ignore[operator]
        message = f"bs(): df is at least {least}, the degree and one more for an intercept"
    elif found.get("df") is not None and found.get("knots") is not None:
        message = f"{declared.name}() takes df or knots, not both"
    elif declared.name not in ("bs", "ns") and found.get("df") is None and found.get("knots") is None:
        message = f"{declared.name}() needs df or knots, as in {declared.name}(x, df = 5)"
    elif bounds is not None and len(bounds) != 2:  # type: ignore[arg-type]
        message = "Boundary.knots are two numbers, as in c(0, 10)"
    if message:
        raise CommandError(message, source, node_start(given[0]) if given else None)


def constant_of(node: Any, source: str) -> Value:
    """The value of a number with its sign, a text, TRUE, NULL, or a vector c(1, 2).

    Raises
    ------
    CommandError
        For anything else: settings are constants.
    """
    if node.data == "number":
        return float(str(node.children[0]).removesuffix("L"))
    if node.data == "string":
        return str(node.children[0])[1:-1]
    if node.data == "unary" and node.children[1].data == "number":
        return constant_of(node.children[1], source) * (-1.0 if node.children[0] == "-" else 1.0)  # type: ignore[operator]
    if node.data == "name" and str(node.children[0]) in (*CONSTANTS, *_FLAGS):
        word = str(node.children[0])
        return _FLAGS[word] if word in _FLAGS else CONSTANTS[word]
    if node.data == "call" and str(node.children[0]) == "c":
        inner = [child.children[-1] for child in node.children if getattr(child, "data", "") == "argument"]
        values = [constant_of(child, source) for child in inner]
        if all(isinstance(value, float) for value in values):
            return tuple(values)  # type: ignore[arg-type]
    typed = shortened(source[node_start(node) : node_end(node)])
    raise CommandError(f"{typed}: a setting is a number, a text, TRUE or FALSE, or c(1, 2)", source, node_start(node))


def node_start(node: Any) -> int:
    """Offset of the first token below a node."""
    return next(iter(node.scan_values(lambda _: True))).start_pos or 0


def node_end(node: Any) -> int:
    """Offset after the last token below a node."""
    return max(token.end_pos or 0 for token in node.scan_values(lambda _: True))


def _shown(value: Value) -> str:
    return shortened(str(value))
