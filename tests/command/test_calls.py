"""Calls in formulas: what is read, under which name, and what is refused before anything could run."""

from __future__ import annotations

import pytest

from sparsemixed.command import read_model
from sparsemixed.errors import CommandError
from sparsemixed.spec import Factor, RandomEquation, Term
from sparsemixed.spec.functions import FUNCTIONS


def computed(right):
    return [one.text for one in read_model(f"y ~ {right}", {}).computed]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("log( x )", "log(x)"),
        ("I(x**2)", "I(x^2)"),
        ("I((x-3)/10)", "I((x - 3)/10)"),
        ("I(-x+1e3*z)", "I(-x + 1000 * z)"),
        ("poly(x,2,raw=TRUE)", "poly(x, 2, raw = TRUE)"),
        ("poly(x, degree=2L)", "poly(x, degree = 2L)"),
        ("log(`my var`)", "log(`my var`)"),
        ("bs(x, knots = c(1, -2.5))", "bs(x, knots = c(1, -2.5))"),
        ("C(f, 'contr.sum')", "C(f, contr.sum)"),
        ("C(f, contr = contr.helmert)", "C(f, contr.helmert)"),
        ("I(f == 'a')", 'I(f == "a")'),
        ("dummy(f, 'a')", 'dummy(f, "a")'),
    ],
)
def test_names_are_those_of_r(typed, text):
    assert computed(typed) == [text]


def test_the_same_function_is_computed_once():
    assert computed("log(x) + log( x ):z + (log(x) | g)") == ["log(x)"]


@pytest.mark.parametrize(
    ("typed", "base"),
    [
        ("C(f)", "first"),
        ("factor(f)", "first"),
        ("as.factor(f)", "first"),
        ("C(f, Treatment('b'))", "b"),
        ("C(f, Treatment(reference=2))", 2.0),
        ("C(f, contr.treatment(base = 2))", "#2"),
        ("C(f, contr.treatment, base = 3)", "#3"),
        ("C(f, contr.SAS)", "last"),
    ],
)
def test_indicators_with_their_base(typed, base):
    spec = read_model(f"y ~ {typed}", {})
    assert spec.fixed == (Term((Factor("f", "categorical", base),)),)
    assert not spec.computed


def test_responses_and_offsets():
    spec = read_model("log(y + 1)~x + offset(log(e)) + offset(z) + (1|g)", {})
    assert (spec.response, spec.offsets) == ("log(y + 1)", ("log(e)", "z"))
    assert [one.sources for one in spec.computed] == [("y",), ("e",)]
    assert [term.factors[0].variable for term in spec.fixed] == ["x"]


def test_a_point_is_every_other_column():
    columns = ["y", "x", "z", "g", "e"]
    spec = read_model("log(y) ~ (.)^2 - x:z + offset(e) + (1 | g)", {}, columns=columns)
    assert [":".join(f.variable for f in term.factors) for term in spec.fixed] == ["x", "z"]
    with pytest.raises(CommandError, match="stands for 0 columns"):
        read_model("y ~ . + (1 | g)", {}, columns=["y", "g"])


@pytest.mark.parametrize(
    ("tag", "covariance"),
    [
        ("us(1 + x | g)", "unstructured"),
        ("diag(1 + x | g)", "independent"),
        ("diag(1 + x | g, hom = TRUE)", "identity"),
        ("homdiag(1 + x | g)", "identity"),
        ("homcs(1 + x | g)", "exchangeable"),
        ("cs(1 + x | g, hom=TRUE)", "exchangeable"),
    ],
)
def test_structures_by_their_tags(tag, covariance):
    terms = (Term((Factor("x", "by_type"),)),)
    assert read_model(f"y ~ {tag}", {}).random == (RandomEquation("g", ("g",), terms, covariance=covariance, by_column=True),)


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("y ~ ar1(0 + t | g)", "ar1", "an option, residuals="),
        ("y ~ cs(0 + t | g)", "cs", "homcs"),
        ("y ~ rr(t | g, 2)", "rr", "there is no such structure"),
        ("y ~ us(x || g)", "|| g", "in place of"),
        ("y ~ us(x | g, hom = 3)", "us", "TRUE or FALSE"),
        ("y ~ s(x) + (1 | g)", "s(", "smooths of gamm4"),
        ("cbind(a, b - a) ~ x + (1 | g)", "cbind", "one response, with Gaussian errors"),
        ("y + 1 ~ x", "y", r"write I\(y \+ 1\)"),
        ("poly(y, 2) ~ x", "poly", "makes no response"),
        ("offset(y) ~ x", "offset", "makes no response"),
        ("y ~ x + offset(z):f", "x + ", "a term of its own"),
        ("y ~ x + (offset(z) | g)", "offset", "part of the fixed effects"),
        ("y ~ I(poly(x, 2))", "poly", "several columns"),
        ("y ~ log(2)", "log", "no variable"),
        ("y ~ log()", "log", "starts with one variable"),
        ("y ~ log(x, z)", "z)", "a setting is a number"),
        ("y ~ log(x, 1)", "1)", "base of a logarithm"),
        ("y ~ poly(x, 0)", "0", "whole number from 1 to"),
        ("y ~ poly(x, 2.5)", "2.5", "whole number"),
        ("y ~ poly(x, 2, z)", "z", "a setting is"),
        ("y ~ poly(x, 2, 3)", "3", "TRUE or FALSE"),
        ("y ~ poly(x, 2, coefs = 3)", "coefs", "has no setting coefs"),
        ("y ~ poly(x, 2, degree = 2)", "degree", "twice"),
        ("y ~ bs(x, df = 5, knots = c(1, 2))", "df", "not both"),
        ("y ~ bs(x, df = 2)", "df", "at least 3"),
        ("y ~ cr(x)", None, "needs df or knots"),
        ("y ~ C(f, contr.foo)", "contr", "contrasts are one of"),
        ("y ~ C(log(f))", "C", "only of a variable"),
        ("y ~ C(f, contr.treatment(base = 0))", "0", "from one"),
        ("y ~ C(f, contr.sum(3))", "contr", "only the base level"),
        ("y ~ I(x + 'a')", "'a", "no number"),
        ("y ~ I(1 == 2)", "1", "two constants"),
    ],
)
def test_refused(text, at, message):
    with pytest.raises(CommandError, match=message) as caught:
        read_model(text, {})
    assert at is None or caught.value.position == text.index(at)


INSIDE = [
    "__import__('os')",
    "eval('1')",
    "exec(x)",
    "open('f')",
    "getattr(x, 'y')",
    "print(x)",
    "lambda: x",
    "x if z else 1",
    "x[0]",
    "x[x > 1]",
    "[x for x in z]",
    "(x := 1)",
    "{x}",
    "f'{x}'",
    "x.real()",
    "x.__class__()",
    "().__class__()",
    "''.join(x)",
    "np.log(x)",
    "numpy.exp(x)",
    "os.system('ls')",
    "system('ls')",
    "base::system('ls')",
    "library(x)",
    "function(x) x",
    "x; z",
    "x, z = 1",
    "x <- 1",
    "x %>% z",
    "~x",
    "x @ z",
    "x & z",
    "x | z",
    "not x",
    "x is z",
    "await x",
    "yield x",
    "*x",
    "**x",
    "...",
    "1j",
    "0x10",
    "b'x'",
    "$x",
    "x$y",
    "!x",
    "?x",
    "x\\z",
    "hashed(x)",
    "lag(x)",
    "Q('x')",
    "contr.sum(x)",
    "c(x, z)",
]
"""Texts that Python, R, patsy or formulaic might run, and that are no part of this language."""


@pytest.mark.parametrize("wrap", ["I({})", "poly({}, 2)", "offset({})", "C({})", "{}"])
@pytest.mark.parametrize("inside", INSIDE)
def test_nothing_else_runs(inside, wrap, monkeypatch):
    """Refused by reading alone: neither formulaic's evaluation nor Python's is ever reached."""

    def never(*_arguments, **_keywords):
        raise AssertionError("something was evaluated")

    monkeypatch.setattr("formulaic.utils.stateful_transforms.stateful_eval", never)
    text = f"y ~ {wrap.format(inside)} + (1 | g)"
    try:
        spec = read_model(text, {})
    except CommandError:
        return
    # Some are formulas after all, where they stand alone; then they are names and known functions.
    assert wrap == "{}", text
    assert {name for one in spec.computed for name in functions_of(one.expression)} <= set(FUNCTIONS)


def functions_of(expression):
    yield expression.function
    for argument in expression.arguments:
        if hasattr(argument, "function"):
            yield from functions_of(argument)


@pytest.mark.parametrize("setting", ["poly(x, {})", "C(x, {})"])
@pytest.mark.parametrize("inside", INSIDE)
def test_settings_are_constants(inside, setting):
    with pytest.raises(CommandError):
        read_model(f"y ~ {setting.format(inside)} + (1 | g)", {})


@pytest.mark.parametrize(
    "text", ["I(" * 2000 + "x" + ")" * 2000, "I(" + "-" * 3000 + "x)", "I(" + "x+" * 3000 + "x)", "log(" * 50 + "x"]
)
def test_deep_nesting_ends_in_a_message(text):
    with pytest.raises(CommandError):
        read_model(f"y ~ {text} + (1 | g)", {})
