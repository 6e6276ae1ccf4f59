"""Texts that nobody means: each ends soon, in a model or in one message of ours."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_expression, read_model
from sparsemixed.command.hypothesis import read_hypotheses, read_linear
from sparsemixed.errors import CommandError, OptionError, SparseMixedError
from sparsemixed.wildcards import Wildcards

NINES = "9" * 5000
SECONDS = 20


@pytest.fixture(scope="module")
def fit():
    data = sparsemixed.datasets.simulate_longitudinal(20, 4, seed=1)
    return sparsemixed.mixed("y i.arm##c.time || id:", data.assign(arm=data["id"] % 3))


NUMBERS = {
    f"y x in 1/{NINES} || id:": "5000 digits",
    f"y x in -{NINES}/l || id:": "5000 digits",
    f"y ib{NINES}.a || id:": "beyond the range",
    f"y {NINES}.a || id:": "beyond the range",
    f"y i({NINES}/{NINES}).a || id:": "too large",
    f"y i(1/{NINES}).a || id:": "too large",
    f"y ib(#{NINES}).a || id:": "not understood",
    f"y L{NINES}.x || id:": "too large",
    f"y L(1/{NINES}).x || id:": "not understood",
    f"y x || id:, technique(nr {NINES})": "5000 digits",
    f"y x || id:, constraints(1/{NINES})": "5000 digits",
    f"y x || id:, residuals(ar {NINES}, t(t))": "5000 digits",
    f"y x || id:, cformat(%{NINES}.2f)": "5000 digits",
    f"y x || id:, cformat(%9.{NINES}f)": "5000 digits",
    f"y x || id:, level({NINES})": "must be between",
    f"y x || id:, iterate({NINES})": "must be at least 0",
    f"y x || id:, tsset(id t, delta({NINES}))": "positive number",
    f"y ~ (a + b)^{NINES} + (1 | id)": "a power must be a whole number",
    f"y ~ (a + b)^{'0' * 5000}2 + (1 | id)": "a power must be a whole number",
    f"y ~ {NINES} + (1 | id)": "the only numbers in a formula",
}


@pytest.mark.parametrize(("text", "message"), NUMBERS.items(), ids=lambda text: text.replace(NINES, "N")[:40])
def test_numbers_of_any_length(text, message):
    with pytest.raises(CommandError, match=message) as caught:
        read_model(text, {})
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("text", [f"y x if z < {NINES} || id:", f"y x if z^{NINES} || id:", f"y x [fw={NINES}] || id:"])
def test_numbers_without_a_value_are_missing(text):
    assert read_model(text, {}).response == "y"


LONG = {
    "operators": f"y {'L' * 30_000}.x || id:",
    "operators in a condition": f"y x if {'D' * 30_000}.x || id:",
    "operators of two kinds": f"y {'LD' * 15_000}.x || id:",
    "operators that are none": f"y {'L' * 30_000}q.x || id:",
    "operators with lists": f"y {'L(1/9)' * 5_000}.x || id:",
    "operators of factors": f"y {'i(2)' * 8_000}.x || id:",
    "operators in a row": f"y {'L.' * 20_000}x || id:",
    "eight factors": f"y {'##'.join(f'i.a{k}' for k in range(8))} || id:",
    "three thousand factors": f"y {'##'.join(f'i.a{k}' for k in range(3000))} || id:",
    "eight lists": f"y {'##'.join(f'(a{k} b{k} c{k} d{k} e{k})' for k in range(8))} || id:",
    "eight factors of a formula": f"y ~ {'*'.join(f'a{k}' for k in range(8))} + (1 | id)",
    "thirty factors of a formula": f"y ~ {'*'.join(f'a{k}' for k in range(30))} + (1 | id)",
    "powers of powers": "y ~ (((a + b + c)^8)^8)^8 + (1 | id)",
    "parentheses": f"y {'(' * 20_000}x{')' * 20_000} || id:",
    "signs": f"y x if {'-' * 20_000}1 || id:",
    "backquotes": f"y {'`' * 10_001}",
    "marks": "y x if a\n> " * 3000,
    "open parentheses before marks": f"y x if {'(' * 20_000}\n> b",
    "bars": "y x " + "|| id: " * 3000,
    "commas": "y x" + "," * 30_000,
    "more than there can be": "y " + "x " * 100_000,
}


def outcome(read, *arguments):
    """What is read, or the error."""
    try:
        return read(*arguments)
    except CommandError as error:
        return error


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_texts(text):
    start = time.perf_counter()
    found = outcome(read_model, text, {})
    assert len(str(found)) < 3000 if isinstance(found, CommandError) else len(found.fixed) < 300
    assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize("text", ["x" + " + x" * 5000, "(" * 5000 + "x" + ")" * 5000, "-" * 20_000 + "x", "x = " * 5000 + "1"])
def test_long_hypotheses(text):
    start = time.perf_counter()
    for read in (read_hypotheses, read_linear):
        found = outcome(read, text)
        assert not isinstance(found, CommandError) or found.text == text
    assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize("text", [f"{NINES}*x", f"x = {NINES}", "x*1e308*1e308", "1e308 + 1e308 + x"])
def test_hypotheses_beyond_the_range_of_floating_point(text):
    with pytest.raises(CommandError, match="beyond the range of floating point"):
        read_hypotheses(text)


def matches_slowly(text, pattern):
    """Dynamic programming over all prefixes of both."""
    reached = {0}
    for sign in pattern:
        if sign == "*":
            reached = set(range(min(reached), len(text) + 1)) if reached else reached
        else:
            reached = {k + 1 for k in reached if k < len(text) and sign in ("?", text[k])}
    return len(text) in reached


def test_wildcards_agree_with_dynamic_programming():
    rng = np.random.default_rng(3)
    for _ in range(5000):
        pattern = "".join(rng.choice(list("ab*?*"), rng.integers(0, 8)))
        text = "".join(rng.choice(list("ab\n"), rng.integers(0, 9)))
        assert Wildcards(pattern).matches(text) == matches_slowly(text, pattern), (text, pattern)


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*a*a*a*a*a*a*b", "*a?a*a?a*a?a*a?a*b", "?*a*" * 8 + "b"])
def test_patterns_do_not_backtrack(pattern):
    start = time.perf_counter()
    texts = np.array(["a" * (60 + k) for k in range(60)], dtype=object)
    condition = read_expression(f'strmatch(s, "{pattern}")')
    assert not condition.selects({"s": texts}, 60).any()
    assert not any(Wildcards(pattern).matches("a" * 5000) for _ in range(3))
    assert time.perf_counter() - start < SECONDS
    columns = pd.DataFrame(np.random.default_rng(1).normal(size=(20, 30)), columns=["a" * (40 + k) for k in range(30)])
    with pytest.raises(CommandError, match="no variable matches"):
        sparsemixed.mixed(f"y {pattern} || id:", columns.assign(y=range(20), id=np.arange(20) % 5))


@pytest.mark.parametrize("sign", ["\x00", "\ud800"])
@pytest.mark.parametrize(
    "text", ["y x{}", "y `x{}` || id:", 'y x if s == "{}" || id:', "y ~ x{} + (1 | id)", "y ~ C(x{}) + (1 | id)"]
)
def test_characters_that_are_no_text(text, sign, fit):
    typed = text.format(sign)
    with pytest.raises(CommandError, match=rf"U\+{ord(sign):04X} is no text") as caught:
        read_model(typed, {})
    assert caught.value.position == typed.index(sign)
    str(caught.value).encode()
    for call in (fit.test, fit.lincom, fit.contrast, fit.pwcompare, fit.testparm):
        with pytest.raises(SparseMixedError) as caught:
            call(f"r.arm{sign}")
        str(caught.value).encode()


@pytest.mark.parametrize("keywords", [{"residuals": "ar\x00"}, {"vce": "\ud800"}, {"solver": "\x1b[2J"}, {"\x00": True}])
def test_what_a_terminal_would_act_on_is_not_printed(keywords):
    with pytest.raises(OptionError) as caught:
        read_model("y ~ x + (1 | id)", keywords)
    assert str(caught.value).encode().decode().isprintable()


def test_the_caret_of_a_long_line():
    with pytest.raises(CommandError) as caught:
        read_model(f"y {'x ' * 3000}; {'z ' * 3000}", {})
    _, line, caret = str(caught.value).split("\n")
    assert line[caret.index("^")] == ";"
    assert len(line) < 500


NO_TEXTS = [None, 3, 2.5, b"time", ["time"], ("time",), {"time": 1}, object(), float("nan"), np.array(["time"])]


@pytest.mark.parametrize("given", NO_TEXTS, ids=lambda given: type(given).__name__)
@pytest.mark.parametrize("method", ["lincom", "contrast", "pwcompare", "testparm"])
def test_arguments_that_are_no_text(fit, method, given):
    with pytest.raises(OptionError, match=f"{method} takes a text, such as .*; found {type(given).__name__}"):
        getattr(fit, method)(given)


NO_HYPOTHESES = [b"time", {"time": "1 or so"}, {"tmie": 1}, {}, object(), ["time", 3], [["time"]], 3, [], [np.nan] * 5, 10**400]


@pytest.mark.parametrize("given", NO_HYPOTHESES)
def test_hypotheses_that_are_none(fit, given):
    with pytest.raises(SparseMixedError):
        fit.test(given)
    with pytest.raises(SparseMixedError):
        fit.test(np.eye(len(fit.params)), given)


def test_more_than_eight_factors_after_a_fit(fit):
    many = "##".join(["arm"] * 40)
    for call, text in ((fit.testparm, many), (fit.contrast, many), (fit.pwcompare, many), (fit.test, "#".join(["1.arm"] * 40))):
        start = time.perf_counter()
        with pytest.raises(SparseMixedError):
            call(text)
        assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("offset", r"in a formula \+ offset\(x\) is a term"),
        ("groups", r"levels are equations: \|\| id:"),
        ("method", "reml an option of its own"),
        ("family", "linear"),
        ("laplace", "no integration"),
        ("fe", "random intercept"),
        ("maxiter", r"iterate\(#\)"),
        ("coviarance", "did you mean covariance"),
        ("residual", None),
        ("nofetabel", "did you mean nofetable"),
        ("toleranse", "did you mean tolerance"),
    ],
)
def test_suggestions(typed, advice):
    if advice is None:
        assert read_model("y ~ x + (1 | id)", {typed: "ind"}).residual.name == "independent"
        return
    for read in (lambda: read_model(f"y x || id:, {typed}", {}), lambda: read_model("y ~ x + (1 | id)", {typed: True})):
        with pytest.raises(OptionError, match=f"unknown option {typed}; .*{advice}"):
            read()


@pytest.mark.parametrize("typed", ["xyz", "ofset", "egroup", "fmethod", "etable"])
def test_no_suggestion_of_another_word(typed):
    with pytest.raises(OptionError, match=f"unknown option {typed}$"):
        read_model("y ~ x + (1 | id)", {typed: True})
