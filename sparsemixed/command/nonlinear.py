"""`nlcom` and `testnl` as typed: from text to functions of estimates, whose names are looked up later."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from lark import Token

from sparsemixed.command.hypothesis import hypothesis_parts, plain_name
from sparsemixed.command.parse import parse_tree
from sparsemixed.command.text import refuse_unreadable
from sparsemixed.errors import CommandError, suggestion
from sparsemixed.nonlinear_form import FUNCTIONS, Applied, Constant, Node, NonlinearForm, Parameter

_LABEL = re.compile(r"\s*(?P<label>[^\W\d]\w*)\s*:")


def read_combinations(text: str) -> list[tuple[str, NonlinearForm]]:
    """Labels, empty where none was typed, and functions: `a/b`, `ratio: a/b`, `(ratio: a/b) (product: a*b)`.

    Raises
    ------
    CommandError
        With the offset of what was not understood.

    Examples
    --------
    >>> [(label, form.text) for label, form in read_combinations("(ratio: _b[a]/b) (exp(a))")]
    [('ratio', '_b[a]/b'), ('', 'exp(a)')]
    """
    return _guarded(lambda: [_labelled(part, text) for part in hypothesis_parts(text)], text)


def read_nonlinear_hypotheses(text: str) -> list[tuple[NonlinearForm, str]]:
    """Functions that a hypothesis sets to zero, each with its equation as typed: `a*b = 1`, `(a = b^2) (c = 1)`, `a = b = c`.

    Examples
    --------
    >>> [equation for _, equation in read_nonlinear_hypotheses("(a = b^2 = 1) (c*a = 3)")]
    ['a = b^2', 'a = 1', 'c*a = 3']
    """
    return _guarded(lambda: [form for part in hypothesis_parts(text) for form in _equated(part, text)], text)


def _guarded(read: Callable[[], Any], text: str) -> Any:
    refuse_unreadable(text)
    try:
        return read()
    except RecursionError:
        raise CommandError("the text is nested too deeply", text, 0) from None


def _labelled(part: str, text: str) -> tuple[str, NonlinearForm]:
    match = _LABEL.match(part)
    label, start = (match["label"], match.end()) if match else ("", 0)
    tree = _tree(" " * start + part[start:], text)
    if len(tree.children) > 1:
        raise CommandError("nlcom takes functions, no equations; testnl tests these", text, tree.children[1].start_pos)
    return label, NonlinearForm(_node(tree.children[0], text), part[start:].strip())


def _equated(part: str, text: str) -> list[tuple[NonlinearForm, str]]:
    tree = _tree(part, text)
    signs = [child for child in tree.children if isinstance(child, Token)]
    if not signs:
        raise CommandError("testnl tests equations, such as _b[x]*_b[z] = 1", text, len(part) - len(part.lstrip()))
    ends = [*(sign.start_pos or 0 for sign in signs), len(part)]
    starts = [0, *(sign.end_pos or 0 for sign in signs)]
    sides = [part[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    first, *others = (_node(child, text) for child in tree.children if not isinstance(child, Token))
    return [
        (NonlinearForm(_difference(first, other), f"{sides[0]} - ({side})"), f"{sides[0]} = {side}")
        for other, side in zip(others, sides[1:], strict=True)
    ]


def _difference(left: Node, right: Node) -> Node:
    return left if right == Constant(0.0) else Applied("-", (left, right))


def _tree(part: str, text: str) -> Any:
    return parse_tree(part, text, "nonlinear.lark", "nonlinear")


def _node(node: Any, text: str) -> Node:
    if node.data == "number":
        value = float(node.children[0])
        if math.isinf(value):
            raise CommandError("it holds a number beyond the range of floating point", text, node.children[0].start_pos)
        return Constant(value)
    if node.data == "name":
        return _name(node.children[0])
    if node.data == "parenthesis":
        return _node(node.children[1], text)
    if node.data == "call":
        function = node.children[0]
        if function not in FUNCTIONS:
            advice = suggestion(function, FUNCTIONS) or f"; there are {', '.join(FUNCTIONS)}"
            raise CommandError(f"{function}() is no function here{advice}", text, function.start_pos)
        return Applied(str(function), (_node(node.children[2], text),), function.start_pos)
    if node.data == "unary":
        return Applied(str(node.children[0]), (_node(node.children[1], text),), node.children[0].start_pos)
    sign = str(node.children[1]).replace("**", "^")
    arguments = (_node(node.children[0], text), _node(node.children[2], text))
    return Applied(sign, arguments, node.children[1].start_pos)


def _name(token: Token) -> Parameter:
    return Parameter(plain_name(str(token)), token.start_pos or 0)
