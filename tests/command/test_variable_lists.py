"""Wildcards, ranges of columns and abbreviations stand for columns of the data."""

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design import concrete_spec
from sparsemixed.errors import CommandError


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    n = 120
    table = pd.DataFrame({"id": np.arange(n) % 20, "t": np.arange(n) // 20, "x1": rng.normal(size=n), "x2": rng.normal(size=n)})
    table["other"], table["x10"] = rng.normal(size=(2, n))
    table["year"], table["a1"], table["a2"] = rng.normal(size=n), rng.integers(1, 4, n), rng.integers(1, 3, n)
    table["y"] = table["x1"] + rng.normal(size=20)[table["id"]] + rng.normal(size=n)
    return table


def fixed(text, data, **options):
    spec = concrete_spec(read_model(f"y {text} || id:", options), data)
    assert concrete_spec(spec, data) == spec
    return ["#".join(("c." if f.kind == "continuous" else "") + f.variable for f in term.factors) for term in spec.fixed]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x*", "c.x1 c.x2 c.x10"),
        ("x?", "c.x1 c.x2"),
        ("*2", "c.x2 c.a2"),
        ("x~0", "c.x10"),
        ("x1-x10", "c.x1 c.x2 c.other c.x10"),
        ("x2 - other", "c.x2 c.other"),
        ("x1-x1", "c.x1"),
        ("y*", "c.year"),
        ("x10-y", "c.x10 c.year c.a1 c.a2"),
        ("i.a*", "a1 a2"),
        ("i.(a* t)", "a1 a2 t"),
        ("c.x?#i.a1", "c.x1#a1 c.x2#a1"),
        ("i.a1##c.(x1-x2)", "a1 c.x1 c.x2 a1#c.x1 a1#c.x2"),
        ("x* x2", "c.x1 c.x2 c.x10"),
        ("other x*", "c.other c.x1 c.x2 c.x10"),
        ("L.(x?)", "c.L.x1 c.L.x2"),
        ("D.x?", "c.D.x1 c.D.x2"),
        ("t-x2", "c.t c.x1 c.x2"),
    ],
)
def test_patterns(data, text, expected):
    assert fixed(text, data) == expected.split()


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("w*", 2, "no variable matches w*; the data have id, t, x1"),
        ("x1 q?", 5, "no variable matches q?"),
        ("y?", 2, "no variable matches y?"),
        ("y-y", 2, "no variable matches y-y but the response `y`"),
        ("x1-zz", 2, "variable `zz` not found; x1-zz are the columns from `x1` to `zz`"),
        ("x10-x1", 2, "`x1` stands before `x10` in the data; write x1-x10"),
    ],
)
def test_patterns_that_stand_for_nothing(data, text, position, message):
    with pytest.raises(CommandError) as caught:
        fixed(text, data)
    assert message in str(caught.value)
    assert caught.value.position == position


def test_an_abbreviation_with_a_tilde_is_of_one_variable(data):
    with pytest.raises(CommandError, match=r"x1~0 abbreviates one variable and matches x1000, x10; \* is for all"):
        fixed("x1~0", data.rename(columns={"other": "x1000"}))


def test_results_show_the_columns(data):
    fit = sparsemixed.mixed("y x? i.a* || id: x1-x2, reml", data)
    same = sparsemixed.mixed("y x1 x2 i.a1 i.a2 || id: x1 x2, reml", data)
    assert fit.llf == same.llf
    assert list(fit.params.index) == list(same.params.index) == ["x1", "x2", "2.a1", "3.a1", "2.a2", "_cons"]
    assert list(fit.random_params.index) == list(same.random_params.index)
    np.testing.assert_array_equal(fit.predict(data), same.predict(data))


def test_abbreviations(data):
    fit = sparsemixed.mixed("y oth i.a1 if yea < . & _n > 1 || i:, varabbrev vce(cluster i)", data)
    assert list(fit.params.index) == ["other", "2.a1", "3.a1", "_cons"]
    assert fit.nobs == len(data) - 1
    assert fit.random_params.index[0] == ("id: Identity", "var(_cons)")
    lagged = sparsemixed.mixed("y L.oth i.a1#c.yea || id:", data, varabbrev=True, tsset="i t")
    assert lagged.params.index[0] == "L.other"
    nested = sparsemixed.mixed("yea oth [pw=x10*x10] || a1: || i:, pweight(oth*0 + 1)", data, varabbrev=True)
    assert [row.name for row in nested.fit.design.groups] == ["a1", "id"]
    by_formula = sparsemixed.mixed("y ~ oth + (yea | i)", data, varabbrev=True)
    assert by_formula.fit.spec.random[0].label == "id"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("y oth || id:", {}, "variable `oth` not found; did you mean `other`?"),
        ("y x || id:", {"varabbrev": True}, "x is ambiguous: it abbreviates x1, x2, x10"),
        ("y x1 if a > 1 || id:", {"varabbrev": True}, "variable `a` not found"),
        ("y q || id:", {"varabbrev": True}, "variable `q` not found"),
        ("y a-other || id:", {"varabbrev": True}, "a is ambiguous: it abbreviates a1, a2"),
    ],
)
def test_abbreviations_that_are_none(data, text, options, message):
    with pytest.raises(CommandError) as caught:
        sparsemixed.mixed(text, data, **options)
    assert message in str(caught.value)
    assert "^" in str(caught.value)


def test_exact_names_before_abbreviations(data):
    data = data.rename(columns={"x10": "x"})
    assert fixed("x", data, varabbrev=True) == ["c.x"]
