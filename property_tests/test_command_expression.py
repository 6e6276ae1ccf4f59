"""Expressions agree with pandas, and with the rules applied row by row, on random columns; precedence with parentheses."""

import math

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st

from sparsemixed.command import read_expression

values = st.one_of(st.integers(-3, 3).map(float), st.just(np.nan))
columns = st.lists(st.tuples(values, values), min_size=1, max_size=8)
TIGHTNESS = ("|", "&", "==", "+", "*")
"""Loosest first; one operator for each degree of precedence."""


def as_columns(rows):
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate("xy")}


@given(columns)
def test_arithmetic_is_that_of_pandas(rows):
    data = as_columns(rows)
    expected = pd.DataFrame(data).eval("x * y - (x + 2) * (y - 1)")
    np.testing.assert_array_equal(read_expression("x*y - (x + 2)*(y - 1)").evaluate(data, len(rows)), expected)


@given(columns, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
def test_comparison_is_that_of_pandas_with_missing_as_infinity(rows, operator):
    data = as_columns(rows)
    expected = pd.DataFrame(data).fillna(np.inf).eval(f"x {operator} y")
    np.testing.assert_array_equal(read_expression(f"x {operator} y").evaluate(data, len(rows)), expected)


@st.composite
def expressions(draw, depth=4):
    """The same random expression twice: with all parentheses, and with those that precedence asks for."""
    if depth == 0 or draw(st.booleans()):
        leaf = draw(st.sampled_from(["x", "y", "1", "0", "2", "."]))
        return leaf, leaf, len(TIGHTNESS)
    rank = draw(st.integers(0, len(TIGHTNESS) - 1))
    left_full, left_bare, left_rank = draw(expressions(depth - 1))
    right_full, right_bare, right_rank = draw(expressions(depth - 1))
    left = left_bare if left_rank >= rank else f"({left_bare})"
    right = right_bare if right_rank > rank else f"({right_bare})"
    operator = TIGHTNESS[rank]
    return f"({left_full} {operator} {right_full})", f"{left}{operator}{right}", rank


@given(expressions())
def test_precedence(texts):
    full, bare, _ = texts
    assert read_expression(full) == read_expression(bare)


# Every construct at once, against values computed row by row from the rules: a missing number is None here.

TEXTS = ["", "a", "ab", "B"]
rows_of_frames = st.lists(
    st.fixed_dictionaries(
        {
            "x": st.one_of(st.none(), st.integers(-4, 4).map(float)),
            "y": st.one_of(st.none(), st.floats(-1e3, 1e3).map(lambda value: round(value, 2))),
            "s": st.sampled_from(TEXTS),
            "t": st.sampled_from(TEXTS),
        }
    ),
    min_size=1,
    max_size=6,
)


def key(value):
    """What comparisons order by: missing is above every number."""
    return value if isinstance(value, str) else math.inf if value is None else value


def number(value):
    return None if value is None or isinstance(value, complex) or not math.isfinite(value) else float(value)


def computed(operate):
    """Missing where an argument is, or where there is no finite value."""

    def evaluate(*arguments):
        if None in arguments:
            return None
        try:
            return number(operate(*arguments))
        except (ValueError, ZeroDivisionError, OverflowError):
            return None

    return evaluate


def true(value):
    return value is None or value != 0


NUMERIC = {
    "({} + {})": computed(lambda a, b: a + b),
    "({} - {})": computed(lambda a, b: a - b),
    "({} * {})": computed(lambda a, b: a * b),
    "({} / {})": computed(lambda a, b: a / b),
    "({})^({})": computed(lambda a, b: math.nan if a == 0 > b else a**b),
    "-({})": computed(lambda a: -a),
    "abs({})": computed(abs),
    "sqrt({})": computed(math.sqrt),
    "ln({})": computed(math.log),
    "log10({})": computed(math.log10),
    "exp({})": computed(math.exp),
    "floor({})": computed(math.floor),
    "ceil({})": computed(math.ceil),
    "int({})": computed(math.trunc),
    "round({})": computed(lambda a: math.floor(a + 0.5)),
    "mod({}, 3)": computed(lambda a: a - 3 * math.floor(a / 3)),
    "sign({})": computed(lambda a: (a > 0) - (a < 0)),
    "min({}, {})": lambda a, b: min((v for v in (a, b) if v is not None), default=None),
    "max({}, {})": lambda a, b: max((v for v in (a, b) if v is not None), default=None),
    "missing({}, {})": lambda a, b: float(a is None or b is None),
    "inlist({}, {}, {})": lambda a, b, c: float(a in (b, c)),
    "inrange({}, {}, {})": lambda a, b, c: float(a is not None and (b is None or b <= a) and a <= key(c)),
    "cond({}, {}, {})": lambda a, b, c: b if true(a) else c,
    "({} < {})": lambda a, b: float(key(a) < key(b)),
    "({} >= {})": lambda a, b: float(key(a) >= key(b)),
    "({} == {})": lambda a, b: float(a == b),
    "({} ~= {})": lambda a, b: float(a != b),
    "({} & {})": lambda a, b: float(true(a) and true(b)),
    "({} | {})": lambda a, b: float(true(a) or true(b)),
    "!({})": lambda a: float(not true(a)),
}
OF_TEXTS = {
    "({} == {})": lambda a, b: float(a == b),
    "({} > {})": lambda a, b: float(a > b),
    "missing({}, {})": lambda a, b: float("" in (a, b)),
    "strlen({})": lambda a: float(len(a)),
    "strpos({}, {})": lambda a, b: float(a.find(b) + 1 if b else 0),
    'inlist({}, "a", {})': lambda a, b: float(a in ("a", b)),
    "inrange({}, {}, {})": lambda a, b, c: float(b <= a <= c and a != ""),
}
TO_TEXTS = {
    "upper({})": str.upper,
    "({} + {})": lambda a, b: a + b,
    "substr({}, 1, 1)": lambda a: a[:1],
    "substr({}, -1, 1)": lambda a: a[-1:],
}


def call(draw, table, argument):
    """A random entry of a table with random arguments: its text, and its value in a row."""
    pattern = draw(st.sampled_from(sorted(table)))
    arguments = [argument() for _ in range(pattern.count("{}"))]
    text = pattern.format(*(one for one, _ in arguments))
    return text, lambda row: table[pattern](*(value(row) for _, value in arguments))


def text_expression(draw, depth):
    if depth == 0 or draw(st.booleans()):
        name = draw(st.sampled_from(["s", "t", '"a"', '""']))
        return name, (lambda row: row[name]) if name in ("s", "t") else lambda row: name[1:-1]
    return call(draw, TO_TEXTS, lambda: text_expression(draw, depth - 1))


def numeric_expression(draw, depth):
    kind = draw(st.sampled_from(["leaf", "numeric", "numeric", "numeric", "text"])) if depth else "leaf"
    if kind == "numeric":
        return call(draw, NUMERIC, lambda: numeric_expression(draw, depth - 1))
    if kind == "text":
        return call(draw, OF_TEXTS, lambda: text_expression(draw, 2))
    leaf = draw(st.sampled_from(["x", "y", "0", "1", "2.5", ".", ".b"]))
    if leaf in ("x", "y"):
        return leaf, lambda row: row[leaf]
    return leaf, lambda row: None if leaf.startswith(".") else float(leaf)


@given(rows_of_frames, st.data())
def test_every_function_and_operator_row_by_row(rows, data):
    text, value = numeric_expression(data.draw, 4)
    # Powers and logarithms of the C library and of NumPy may differ in the last digit, which == and floor() would show.
    assume(not has_rounded_steps(text))
    frame = pd.DataFrame(rows).astype({"x": float, "y": float})
    found = read_expression(text).evaluate({name: frame[name].to_numpy() for name in frame}, len(rows))
    expected = [np.nan if (one := value(row)) is None else one for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0, err_msg=text)


def has_rounded_steps(text):
    inexact = any(word in text for word in (")^(", "exp(", "ln(", "log10("))
    return inexact and any(word in text for word in ("floor", "ceil", "int(", "round", "mod", "=", "<", "inlist", "inrange"))


@given(rows_of_frames, st.data())
def test_elements_are_values_of_other_rows(rows, data):
    """`x[e]` with e truncated and counted from 1; missing outside of the data and where e is missing."""
    text, place = numeric_expression(data.draw, 2)
    assume(not has_rounded_steps(text))
    name = data.draw(st.sampled_from("xs"))
    frame = pd.DataFrame(rows).astype({"x": float, "y": float})
    found = read_expression(f"{name}[{text}]").evaluate({column: frame[column].to_numpy() for column in frame}, len(rows))
    for one, row in zip(found, rows, strict=True):
        at = place(row)
        assume(at is None or abs(at - round(at)) > 1e-9 or at == round(at))  # a last digit must not choose the row
        there = at is not None and 1 <= at < len(rows) + 1
        expected = rows[math.trunc(at) - 1][name] if there else "" if name == "s" else None
        assert one == expected or (expected is None and np.isnan(one))
