"""Terms of contrast and pwcompare beyond operators, their options, and the layout of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sparsemixed
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.postestimation.contrast_terms import read_terms
from sparsemixed.postestimation.letter_groups import letter_groups


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(8)
    n = 240
    frame = pd.DataFrame(
        {"a": rng.choice([1, 2, 3, 5], n, p=[0.4, 0.3, 0.2, 0.1]), "b": rng.integers(0, 2, n), "g": np.arange(n) // 8}
    )
    frame["x"] = rng.normal(size=n)
    frame["y"] = 0.5 * frame["a"] + frame["b"] * frame["x"] + rng.normal(size=30)[frame["g"]] + rng.normal(size=n)
    return frame


@pytest.fixture(scope="module")
def fit(data):
    return sparsemixed.mixed("y i.a##i.b c.x || g:, reml dfmethod(kroger)", data)


def estimates(found):
    return found.effects["estimate"].to_numpy()


@pytest.mark.parametrize(
    ("term", "whole", "places"),
    [
        ("a2.a", "a.a", [1]),
        ("a(2 3).a", "a.a", [1, 2]),
        ("ar(2/5).a", None, None),
        ("r3.a", "r.a", [1]),
        ("rb2(1 5).a", "rb2.a", [0, 2]),
        ("p(1 3).a", "p.a", [0, 2]),
        ("q2.a", "q.a", [1]),
        ("g5.a", "g.a", [3]),
        ("j(3).a@b", "j.a@b", [2, 3]),
    ],
)
def test_single_contrasts_of_an_operator(fit, term, whole, places):
    if whole is None:
        with pytest.raises(OptionError, match="has no contrast 4; there are 2, 3, 5"):
            fit.contrast(term)
        return
    assert estimates(fit.contrast(term)) == pytest.approx(estimates(fit.contrast(whole))[places])


def test_contrasts_of_ones_own(fit):
    means = fit.margins("a, asbalanced at(x=0)").estimate
    own = fit.contrast("{a -1 .5 .5}")
    assert estimates(own) == pytest.approx([-means[0] + 0.5 * means[1] + 0.5 * means[2]])
    cells = fit.margins("a#b, asbalanced at(x=0)").estimate
    assert estimates(fit.contrast("{a#b 1 -1 -1 1}")) == pytest.approx([cells[0] - cells[1] - cells[2] + cells[3]])
    assert estimates(fit.contrast("{a 0 0 -1 1}@b")) == pytest.approx([cells[6] - cells[4], cells[7] - cells[5]])
    crossed = fit.contrast("{a 1 -1}#r.b")
    assert estimates(crossed) == pytest.approx([cells[1] - cells[0] - cells[3] + cells[2]])
    assert estimates(fit.contrast("{a 0 1}, lincom")) == pytest.approx([means[1]])
    with pytest.raises(OptionError, match="add up to 1, not zero; lincom"):
        fit.contrast("{a 0 1}")


def test_simple_effects_are_tested_one_by_one(fit):
    found = fit.contrast("r.a@b", small=True)
    for level in ("0", "1"):
        own = found.parts.loc[("r.a@b", level)]
        rows = "(2.a) (3.a) (5.a)" if level == "0" else "(2.a + 2.a#1.b) (3.a + 3.a#1.b) (5.a + 5.a#1.b)"
        by_hand = fit.test(rows, small=True)
        assert (own["statistic"], own["df"], own["ddf"]) == pytest.approx((by_hand.statistic, 3, by_hand.ddf), rel=1e-9)
    single = fit.contrast("r.a").parts
    z = fit.contrast("r.a").effects["statistic"].to_numpy()
    assert single["statistic"].to_numpy() == pytest.approx(z**2)
    assert fit.contrast("a").parts is None


def test_nested_levels():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"school": np.repeat([1, 2], 60), "g": np.arange(120) // 6})
    frame["class"] = np.where(frame["school"] == 1, 1 + np.arange(120) % 3, 4 + np.arange(120) % 2)
    frame["y"] = frame["class"] + rng.normal(size=120)
    fit = sparsemixed.mixed("y i.school i.school#i.class || g:", frame)
    found = fit.contrast("r.class|school")
    assert [label for _, label in found.effects.index] == ["(2 vs 1) 1", "(3 vs 1) 1", "(5 vs 4) 2"]
    means = fit.margins("school#class").frame.dropna(subset=["estimate"]).set_index(["school", "class"])["estimate"]
    wanted = [means[1, 2] - means[1, 1], means[1, 3] - means[1, 1], means[2, 5] - means[2, 4]]
    assert estimates(found) == pytest.approx(wanted)
    assert found.parts["df"].to_list() == [2, 1]
    assert found.df == 3
    with pytest.raises(OptionError, match="no two levels"):
        sparsemixed.mixed("y i.g#i.one", frame.assign(one=frame["g"])).contrast("one|g")


def test_factors_as_observed(data, fit):
    found = fit.contrast("r.a, asobserved")
    shares = data["b"].value_counts(normalize=True)
    cells = fit.margins("a#b, at(x=0)").estimate.reshape(4, 2)
    means = cells @ shares.sort_index().to_numpy()
    assert estimates(found) == pytest.approx(means[1:] - means[0])
    assert estimates(fit.pwcompare("a", asobserved=True))[:3] == pytest.approx(
        [means[1] - means[0], means[2] - means[0], means[3] - means[0]]
    )
    assert "Margins: asobserved" in str(found)
    assert "Margins: asbalanced" in str(fit.contrast("r.a"))


def test_options_in_the_text(fit):
    one, other = fit.contrast("r.a b, mcompare(sidak) level(90) small"), fit.contrast("r.a b", "sidak", 90, True)
    assert one.effects.equals(other.effects)
    assert fit.contrast("r.a, df(7)").effects["ddf"].eq(7).all()
    assert list(fit.contrast("r.a, overall").tests.index) == ["r.a", "Overall"]
    assert "chi2" not in str(fit.contrast("r.a, nowald"))
    assert "Std. err." not in str(fit.contrast("r.a, noeffects"))
    assert fit.contrast("r.a, effects").effects.equals(fit.contrast("r.a").effects)
    ordered = estimates(fit.contrast("g.a, sort"))
    assert np.all(np.diff(ordered) >= 0)
    assert sorted(estimates(fit.contrast("g.a"))) == pytest.approx(list(ordered))


def test_margins_of_pairs(fit):
    found = fit.pwcompare("a, groups mcompare(bonferroni) sort")
    margins = fit.margins("a, asbalanced at(x=0)")
    order = np.argsort(margins.estimate)
    assert found.margins["estimate"].to_numpy() == pytest.approx(margins.estimate[order])
    assert found.margins["std_err"].to_numpy() == pytest.approx(margins.std_err[order])
    letters = dict(zip([label for _, label in found.margins.index], found.margins["group"], strict=True))
    pairs = fit.pwcompare("a", mcompare="bonferroni").effects["pvalue"]
    for (_, label), p in pairs.items():
        one, other = label.split(" vs ")
        assert bool(set(letters[one]) & set(letters[other])) == (p >= 0.05)
    assert "Margins sharing a letter" in str(found)
    limits = fit.pwcompare("a, cimargins level(90)")
    assert limits.margins[["low", "high"]].to_numpy() == pytest.approx(
        np.column_stack([(m := fit.margins("a, asbalanced at(x=0) level(90)")).low, m.high])
    )
    assert "conf. interval" in str(limits)
    assert "A" in found.to_html()


@given(st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_letters_are_shared_by_those_that_do_not_differ(k, seed):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(size=(k, k)) < rng.uniform(), 1)
    different = upper | upper.T
    letters = letter_groups(rng.normal(size=k), different)
    for i in range(k):
        assert letters[i]
        for j in range(i):
            assert bool(set(letters[i]) & set(letters[j])) != different[i, j]


def test_missing_margins_have_no_letter():
    assert letter_groups(np.array([2.0, np.nan, 1.0]), np.zeros((3, 3), bool)) == ["A", "", "A"]


WALD = """\
Contrasts of marginal linear predictions

Margins: asbalanced

-----------------------------------------------
             |         df       chi2     P>chi2
-------------+---------------------------------
       r.b@a |
          1  |"""


def test_layout(fit):
    shown = str(fit.contrast("r.b@a"))
    assert shown.startswith(WALD)
    assert "\n      Joint  |          4" in shown
    assert str(fit.pwcompare("b")).startswith("Pairwise comparisons of marginal linear predictions\n\nMargins: asbalanced\n")


def test_terms_read():
    term = read_terms("{a#b 1 -1 -1 1}#r(2 3).c@d#e", "contrast")[0]
    assert term.factors == ("a", "b", "c", "d", "e")
    assert term.inner[0].coefficients == (1.0, -1.0, -1.0, 1.0)
    assert term.inner[1].selected == ("2", "3")
    assert [one.name for one in read_terms("a##b", "contrast")] == ["a", "b", "a#b"]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda fit: fit.contrast("{a 1 -1"), "} is missing"),
        (lambda fit: fit.contrast("r(2.a"), "is missing|not closed"),
        (lambda fit: fit.contrast("{a}"), "needs a factor and numbers"),
        (lambda fit: fit.contrast("{a one two}"), "needs a factor and numbers"),
        (lambda fit: fit.contrast("{a 1 1 1 1 -4}"), "has 4 levels, and 5 coefficients"),
        (lambda fit: fit.contrast("{x 1 -1}"), "not a factor of the fixed part"),
        (lambda fit: fit.contrast("r9.a"), "has no contrast 9"),
        (lambda fit: fit.contrast("r(3/2).a"), "is no range of levels"),
        (lambda fit: fit.contrast("a@"), "a factor is missing after @"),
        (lambda fit: fit.contrast("a@a"), "a is twice"),
        (lambda fit: fit.contrast("a#c.x|b"), "one factor stands before"),
        (lambda fit: fit.contrast("|b"), "one factor stands before"),
        (lambda fit: fit.contrast("a, some"), "unknown option some"),
        (lambda fit: fit.contrast("a, groups"), "unknown option groups"),
        (lambda fit: fit.contrast("a, df(3) small"), "cannot be combined"),
        (lambda fit: fit.contrast("a, mcompare(3)"), "is not one of"),
        (lambda fit: fit.contrast("a, small", small=True), "given twice"),
        (lambda fit: fit.pwcompare("r.a"), "all pairs have no operators"),
        (lambda fit: fit.pwcompare("a@b"), "all pairs have no operators"),
        (lambda fit: fit.pwcompare("a, lincom"), "unknown option lincom"),
    ],
)
def test_bad_input(fit, ask, message):
    with pytest.raises(OptionError, match=message):
        ask(fit)


@pytest.mark.parametrize("method", ["snk", "duncan", "dunnett"])
def test_methods_of_one_error_variance_say_what_to_do(fit, method):
    with pytest.raises(NotAvailableError, match="is not one of the methods after mixed models"):
        fit.pwcompare("a", mcompare=method)
