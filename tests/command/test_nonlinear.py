"""Functions of estimates: what is read, what it is worth, and its derivatives against complex steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from sparsemixed.command.nonlinear import read_combinations, read_nonlinear_hypotheses
from sparsemixed.errors import CommandError
from sparsemixed.nonlinear_form import FUNCTIONS, Applied, Constant, NonlinearForm, Parameter, UndefinedValueError, evaluated

STEP = 1e-30
COMPLEX = {
    "ln": np.log,
    "ln1p": np.log1p,
    "abs": lambda x: x if x.real > 0 else -x,
    "logit": lambda x: np.log(x) - np.log(1 - x),
    "invlogit": lambda x: 1 / (1 + np.exp(-x)),
    "cloglog": lambda x: np.log(-np.log(1 - x)),
    "invcloglog": lambda x: 1 - np.exp(-np.exp(x)),
    "normal": lambda x: special.erfc(-x / np.sqrt(2)) / 2,
    "normalden": lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}
"""Functions that numpy has not by the same name."""


def oracle(node, values):
    """The value of a tree at complex numbers."""
    if isinstance(node, Constant):
        return complex(node.value)
    if isinstance(node, Parameter):
        return values[node.name]
    x = [oracle(argument, values) for argument in node.arguments]
    if len(x) == 1:
        return (
            {"-": -x[0], "+": x[0]}[node.name] if node.name in "+-" else (COMPLEX.get(node.name) or getattr(np, node.name))(x[0])
        )
    return {"+": lambda: x[0] + x[1], "-": lambda: x[0] - x[1], "*": lambda: x[0] * x[1], "/": lambda: x[0] / x[1]}.get(
        node.name, lambda: x[0] ** x[1]
    )()


def steps(form, values):
    """Derivatives by complex steps."""
    return {
        name: oracle(form.root, {key: complex(value, STEP if key == name else 0.0) for key, value in values.items()}).imag / STEP
        for name in values
    }


def read(text):
    return read_combinations(text)[0][1]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [0.3, 0.71, 1.9])
def test_every_function(name, x):
    # Some are defined only within one, and one only beyond.
    x = x / 2.0 if name in ("logit", "cloglog", "asin", "acos", "atanh") else x + 1.0 if name == "acosh" else x
    form = read(f"{name}(x)")
    found = evaluated(form, {"x": x})
    assert found.value == pytest.approx(oracle(form.root, {"x": complex(x)}).real, rel=1e-13)
    assert found.partials["x"] == pytest.approx(steps(form, {"x": x})["x"], rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "x*z - x/z",
        "x^z",
        "2^x*z^3",
        "-x^2 + +z",
        "exp(x)/(1 + exp(x)) - z",
        "x**2*z",
        "(x + z)^-1.5",
        "x/(x + z + 1)",
        "sqrt(x*z)^(x/z)",
    ],
)
def test_derivatives_of_expressions(text):
    form, values = read(text), {"x": 0.7, "z": 1.3}
    found = evaluated(form, values)
    assert found.value == pytest.approx(oracle(form.root, {k: complex(v) for k, v in values.items()}).real, rel=1e-14)
    assert {name: found.partials.get(name, 0.0) for name in values} == pytest.approx(steps(form, values), rel=1e-12)


LEAVES = st.sampled_from([Parameter("x"), Parameter("z"), Constant(0.5), Constant(2.0)])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b, sign: Applied(sign, (a, b)), inner, inner, st.sampled_from("+-*/")),
        st.builds(lambda a, name: Applied(name, (a,)), inner, st.sampled_from(["exp", "tanh", "atan", "invlogit", "-"])),
    ),
    max_leaves=8,
)


@given(TREES, st.floats(0.2, 3.0), st.floats(0.2, 3.0))
def test_derivatives_of_any_tree(tree, x, z):
    form, values = NonlinearForm(tree), {"x": x, "z": z}
    try:
        found = evaluated(form, values)
    except UndefinedValueError:
        return
    with np.errstate(all="ignore"):
        wanted = steps(form, values)
    for name in values:
        own = found.partials.get(name, 0.0)
        if math.isfinite(wanted[name]) and abs(found.value) < 1e100:
            # The terms of a sum may cancel: what they are worth by themselves bounds the rounding.
            assert own == pytest.approx(wanted[name], rel=1e-6, abs=1e-9)


def test_precedence_is_that_of_conditions():
    values = {"x": 3.0}
    assert evaluated(read("-x^2"), values).value == -9.0
    assert evaluated(read("2^x^2"), values).value == 64.0
    assert evaluated(read("1 - 2 - x"), values).value == -4.0
    assert evaluated(read("12/2*x"), values).value == 18.0


def test_names():
    names = "_b[x] + [y]z + _b[y:w] + [lns1_1_1]_cons + `my var` + var(_cons) + [id]cov(week,_cons) + 2.drug#c.age + [a]_b[b]"
    assert [one.name for one in read(names).parameters] == [
        *("x", "[y]z", "y:w", "[lns1_1_1]_cons", "my var", "var(_cons)", "[id]cov(week,_cons)", "2.drug#c.age", "[a]b")
    ]
    assert [one.name for one in read("exp(_b[log(x)]) + _b[C(drug)[T.2]]").parameters] == ["log(x)", "C(drug)[T.2]"]


def test_labels_and_parts():
    found = read_combinations("(ratio: a/b) (exp(a)) (second : a*b)")
    assert [label for label, _ in found] == ["ratio", "", "second"]
    assert [form.text for _, form in found] == ["a/b", "exp(a)", "a*b"]
    assert [equation for _, equation in read_nonlinear_hypotheses("(a = b^2 = 1) (c == 3)")] == ["a = b^2", "a = 1", "c = 3"]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("gamma(x)", r"gamma\(\) is no function here", 0),
        ("x + sqr(x)", r"sqr\(\) is no function here; did you mean sqrt\?", 4),
        ("x = 1", "testnl tests these", 2),
        ("x +", "expected a name or a value", 3),
        ("x ? 2", "found `\\?`", 2),
        ("(x", "found the end of the text", 2),
        ("(a: x) (b: x +)", "found", None),
    ],
)
def test_what_cannot_be_read(text, message, place):
    with pytest.raises(CommandError, match=message) as caught:
        read_combinations(text)
    assert place is None or caught.value.position == place


def test_hypotheses_need_equations():
    with pytest.raises(CommandError, match="testnl tests equations"):
        read_nonlinear_hypotheses("x*z")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ln(x - 1)", "ln(0)"),
        ("z/(x - 1)", "2 / 0"),
        ("sqrt(-z)", "sqrt(-2)"),
        ("(-z)^.5", "-2 ^ 0.5"),
        ("exp(1e3*z)", "exp(2000)"),
    ],
)
def test_what_has_no_value(text, what):
    with pytest.raises(UndefinedValueError) as caught:
        evaluated(read(text), {"x": 1.0, "z": 2.0})
    assert str(caught.value) == what


def test_where_there_is_no_derivative():
    assert math.isnan(evaluated(read("sqrt(x)"), {"x": 0.0}).partials["x"])
    assert math.isnan(evaluated(read("abs(x)"), {"x": 0.0}).partials["x"])
    assert evaluated(read("exp(2*x)"), {"x": -math.inf}) == (0.0, {"x": 0.0})
