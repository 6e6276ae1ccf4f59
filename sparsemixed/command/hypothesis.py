"""Linear hypotheses as typed: from text to linear forms in coefficients, whose names are looked up later."""

from __future__ import annotations

import math
import re
from typing import Any

from lark import Token

from sparsemixed.command.parse import parse_tree
from sparsemixed.command.text import refuse_unreadable
from sparsemixed.errors import CommandError
from sparsemixed.linear_form import LinearForm

_WRAPPED = re.compile(r"(?P<equation>\[[^\]]*\])?_b\[(?P<name>.*)\]", re.DOTALL)


def read_hypotheses(text: str) -> list[LinearForm]:
    """Forms that the hypothesis sets to zero.

    A chain `a = b = c` means a - b = 0 and a - c = 0; a list of names means that each is zero; several hypotheses stand
    in parentheses, `(a = b) (c = 2)`.

    Raises
    ------
    CommandError
        With the offset of what was not understood, or is not linear.

    Examples
    --------
    >>> [form.weights for form in read_hypotheses("2.drug = 3.drug = 0")]
    [{'2.drug': 1.0, '3.drug': -1.0}, {'2.drug': 1.0}]
    >>> read_hypotheses("2*x1 - _b[x2]/4 = 3")
    [LinearForm(weights={'x1': 2.0, 'x2': -0.25}, constant=-3.0)]
    """
    refuse_unreadable(text)
    try:
        return [form for part in hypothesis_parts(text) for form in _hypotheses(part, text)]
    except RecursionError:
        raise CommandError("the text is nested too deeply", text, 0) from None


def comma_parts(text: str) -> list[str]:
    """The hypotheses of statsmodels' lists, between commas outside of brackets.

    Examples
    --------
    >>> comma_parts("C(arm, Treatment)[T.2] = 0, time = Intercept")
    ['C(arm, Treatment)[T.2] = 0', 'time = Intercept']
    """
    depth, parts = 0, [""]
    for letter in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _hypotheses(part: str, text: str) -> list[LinearForm]:
    tree: Any = parse_tree(part, text, "hypothesis.lark", "hypothesis")
    if tree.data == "names":
        return [_name(token) for token in tree.children]
    first, *others = (_form(child, text) for child in tree.children if not _is_equals(child))
    return [_finite(form, text) for form in [first - other for other in others] or [first]]


def _finite(form: LinearForm, text: str) -> LinearForm:
    if not all(map(math.isfinite, (form.constant, *form.weights.values()))):
        raise CommandError("it holds a number beyond the range of floating point", text, 0)
    return form


def read_linear(text: str) -> LinearForm:
    """One linear expression, as for `lincom`.

    Examples
    --------
    >>> read_linear("(2.drug - 3.drug)/2 + 1")
    LinearForm(weights={'2.drug': 0.5, '3.drug': -0.5}, constant=1.0)
    """
    refuse_unreadable(text)
    try:
        tree: Any = parse_tree(text, text, "hypothesis.lark", "hypothesis")
        if tree.data == "single":
            return _finite(_form(tree.children[0], text), text)
    except RecursionError:
        raise CommandError("the text is nested too deeply", text, 0) from None
    raise CommandError("one linear expression is needed here, such as 2.drug - 3.drug, and no `=`", text, 0)


def _is_equals(child: object) -> bool:
    return isinstance(child, Token) and child.type == "EQUALS"


def hypothesis_parts(text: str) -> list[str]:
    """The hypotheses of `(a) (b)`, each with blanks before it so that offsets stay; a text that is no such list as it is."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        if letter == "(":
            if depth == 0:
                start = i + 1
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth == 0:
                parts.append(" " * start + text[start:i])
        elif depth == 0 and not letter.isspace():
            return [text]
        if depth < 0:
            return [text]
    return parts if parts and depth == 0 else [text]


def plain_name(text: str) -> str:
    """A name without `_b[]` and backquotes; that of its equation stays, for whoever knows the response.

    Examples
    --------
    >>> plain_name("_b[ 2.drug ]"), plain_name("[lns1_1_1]_b[_cons]"), plain_name("`my name`"), plain_name("drug[T.2]")
    ('2.drug', '[lns1_1_1]_cons', 'my name', 'drug[T.2]')
    """
    match = _WRAPPED.fullmatch(text)
    return (f"{match['equation'] or ''}{match['name'].strip()}" if match else text).strip("`")


def _name(token: Token) -> LinearForm:
    text, position = str(token), token.start_pos or 0
    name = plain_name(text)
    return LinearForm({name: 1.0}, 0.0, {name: position + (3 if text.startswith("_b[") else 0)})


def _form(node: Any, text: str) -> LinearForm:
    if node.data == "number":
        return LinearForm({}, float(node.children[0]))
    if node.data == "name":
        return _name(node.children[0])
    if node.data == "parenthesis":
        return _form(node.children[1], text)
    if node.data == "unary":
        return _form(node.children[1], text) * (-1.0 if node.children[0] == "-" else 1.0)
    sign, position = str(node.children[1]), node.children[1].start_pos
    left, right = _form(node.children[0], text), _form(node.children[2], text)
    if sign in ("+", "-"):
        return left + right if sign == "+" else left - right
    if sign == "*" and not left.weights:
        return right * left.constant
    if right.weights:
        raise CommandError("a product or ratio of coefficients is not linear", text, position)
    if sign == "/" and right.constant == 0:
        raise CommandError("division by zero", text, position)
    return left * (right.constant if sign == "*" else 1.0 / right.constant)
