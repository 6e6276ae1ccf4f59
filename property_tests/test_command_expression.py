"""Expressions agree with pandas on random columns, and precedence with fully parenthesized text."""

import numpy as np
import pandas as pd
from hypothesis import given
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
