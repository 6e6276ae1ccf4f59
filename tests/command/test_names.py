"""Columns whose names have a meaning in a formula."""

import pytest

import sparsemixed
from sparsemixed.command import read_model


def terms(formula):
    spec = read_model(formula, {})
    return [tuple(factor.variable for factor in term.factors) for term in spec.fixed], spec.constant


@pytest.mark.parametrize(
    ("formula", "fixed", "constant"),
    [
        ("y ~ `1` + (1 | id)", [("1",)], True),
        ("y ~ `0` + (1 | id)", [("0",)], True),
        ("y ~ 0 + `1` + (1 | id)", [("1",)], False),
        ("y ~ `1` - 1 + (1 | id)", [("1",)], False),
        ("y ~ `1` * `0` + (1 | id)", [("1",), ("0",), ("1", "0")], True),
        ("y ~ `a:b` + a:b + (1 | id)", [("a:b",), ("a", "b")], True),
        ("y ~ `a + b` + `a*b` - a + (1 | id)", [("a + b",), ("a*b",)], True),
        ("y ~ `x` + x + (1 | id)", [("x",)], True),
        ("y ~ C(`1`) + (1 | id)", [("1",)], True),
        ("y ~ 一__ + `1` + (1 | id)", [("一__",), ("1",)], True),
        ("y ~ (`1` + z)^2 + (1 | id)", [("1",), ("z",), ("1", "z")], True),
    ],
)
def test_names_in_backquotes_are_names(formula, fixed, constant):
    assert terms(formula) == (fixed, constant)


@pytest.mark.parametrize(
    ("formula", "random", "constant"),
    [("y ~ (`1` | id)", ["1"], True), ("y ~ (0 + `1` | id)", ["1"], False), ("y ~ (`1` + `0` || `2`)", ["1", "0"], True)],
)
def test_in_random_effects(formula, random, constant):
    (equation,) = read_model(formula, {}).random
    assert [term.factors[0].variable for term in equation.terms] == random
    assert equation.constant is constant


def test_positions_are_those_of_the_text():
    assert read_model("y ~ `1` + `my x` + z + (1 | id)", {}).positions == {"y": 0, "1": 4, "my x": 10, "z": 19, "id": 28}


def test_the_fit_is_that_of_another_name():
    data = sparsemixed.datasets.simulate_longitudinal(20, 4, seed=1)
    plain = sparsemixed.mixed("y ~ time + (time | id)", data)
    for name in ("1", "0", "a:b", "time - 1", "_cons2"):
        renamed = data.rename(columns={"time": name})
        found = sparsemixed.mixed(f"y ~ `{name}` + (`{name}` | id)", renamed)
        assert found.llf == plain.llf
        assert list(found.params.index) == [name, "_cons"]
        command = sparsemixed.mixed(f"y `{name}` || id: `{name}`, cov(un)", renamed)
        assert list(command.params.index) == [name, "_cons"]
        assert command.llf == pytest.approx(plain.llf, abs=1e-7)
