"""Levels: nesting, repeated equations and their one constant, crossed effects."""

import pytest

from sparsemixed.command import read_model
from sparsemixed.errors import CommandError, OptionError


def equations(text):
    return read_model(f"y x {text}", {}).random


@pytest.mark.parametrize(
    ("text", "groupings"),
    [
        ("|| a: || b: || c:", [("a",), ("a", "b"), ("a", "b", "c")]),
        ("|| _all: R.x || a: || b:", [(), ("a",), ("a", "b")]),
        ("|| a: || a: z || b: || b: z", [("a",), ("a",), ("a", "b"), ("a", "b")]),
        ("", []),
    ],
)
def test_groupings(text, groupings):
    assert [equation.grouping for equation in equations(text)] == groupings


@pytest.mark.parametrize(
    ("text", "constants"),
    [
        ("|| a: z || a:", [False, True]),
        ("|| a: || a: z", [False, True]),
        ("|| a: z, nocons || a:", [False, True]),
        ("|| a: z || a: w, noconstant", [False, False]),
        ("|| a: z || a: R.w", [True, False]),
        ("|| _all: z || _all: R.w || a: || b:, nocons", [True, False, True, False]),
    ],
)
def test_one_constant_per_level_in_its_last_equation(text, constants):
    assert [equation.constant for equation in equations(text)] == constants


def test_an_empty_equation_stays():
    (equation,) = equations("|| id:, noconstant")
    assert equation.terms == ()
    assert not equation.constant


def test_constants_of_the_parts_are_independent():
    spec = read_model("y x, noconstant || id: x", {})
    assert not spec.constant
    assert spec.random[0].constant
    spec = read_model("y x || id: x, noconstant", {})
    assert spec.constant
    assert not spec.random[0].constant


def test_terms_are_kept_once_and_collinear_is_kept_apart():
    first, second = equations("|| a: z z c.z, collinear || b: z")
    assert len(first.terms) == 1
    assert first.collinear
    assert not second.collinear


@pytest.mark.parametrize(
    ("text", "error", "at"),
    [
        ("|| a: || b: || a:", CommandError, "a:"),
        ("|| a: || _all: R.x", CommandError, "_all"),
        ("|| a: R.x R.z", CommandError, "R.x"),
        ("|| a: R.x z", CommandError, "R.x"),
        ("|| a: R.(x z)", CommandError, "R.("),
        ("|| a: R.x, cov(un)", OptionError, "cov"),
        ("|| a: R.x, covariance(independent)", OptionError, "cov"),
        ("|| a: z if z > 2 || b:", CommandError, "if"),
        ("|| a: z in 1/3 || b:", CommandError, "in"),
        ("|| a: z [pw=w] || b:", CommandError, "["),
    ],
)
def test_refused(text, error, at):
    with pytest.raises(error) as caught:
        equations(text)
    assert caught.value.position == 4 + text.rindex(at)
