"""Hypotheses from text to test: grammar, names, redundant and contradictory rows, contrasts and comparisons."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sparsemixed
from sparsemixed.command.hypothesis import read_hypotheses, read_linear
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.inference.hypotheses.distributions import mixture_pvalue, range_tails
from sparsemixed.inference.hypotheses.multiple import adjusted
from sparsemixed.inference.hypotheses.variance_mixture import mixture_freedoms


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(8)
    n = 240
    data = pd.DataFrame({"a": rng.integers(1, 4, n), "b": rng.integers(0, 2, n), "x": rng.normal(size=n), "g": np.arange(n) // 8})
    data["y"] = 0.5 * data.a + data.b * data.x + rng.normal(size=30)[data.g] + rng.normal(size=n)
    return sparsemixed.mixed("y i.a##i.b c.x i.b#c.x || g:, reml dfmethod(kroger)", data)


def row(fit, **weights):
    out = np.zeros(len(fit.params))
    for name, weight in weights.items():
        out[list(fit.params.index).index(name)] = weight
    return out


def wald(fit, K, r=0.0):
    K = np.atleast_2d(K)
    d = K @ fit.params.values - r
    return d @ np.linalg.solve(K @ fit.fit.vcov_beta @ K.T, d)


def test_names_of_the_fit(fit):
    assert list(fit.params.index) == ["2.a", "3.a", "1.b", "2.a#1.b", "3.a#1.b", "x", "1.b#c.x", "_cons"]


@pytest.mark.parametrize(
    ("text", "weights", "constant"),
    [
        ("2.a - 3.a", {"2.a": 1, "3.a": -1}, 0),
        ("-(2.a - 2*x)/4 + 1.5e1", {"2.a": -0.25, "x": 0.5}, 15),
        ("_b[2.a]*.5", {"2.a": 0.5}, 0),
        ("`my name` + x", {"my name": 1, "x": 1}, 0),
        ("[y]x - [y]_cons", {"[y]x": 1, "[y]_cons": -1}, 0),
        ("2.5.dose - 0bn.b#c.x", {"2.5.dose": 1, "0bn.b#c.x": -1}, 0),
        ("new.group - 3*2.a#1.b", {"new.group": 1, "2.a#1.b": -3}, 0),
        ("2.e5 + 2.5e1", {"2.e5": 1}, 25),
        ("x + x", {"x": 2}, 0),
    ],
)
def test_linear_expressions(text, weights, constant):
    form = read_linear(text)
    assert (form.weights, form.constant) == (weights, constant)


def test_chains_lists_and_several_hypotheses():
    assert [f.weights for f in read_hypotheses("a = b == c = 2")] == [{"a": 1, "b": -1}, {"a": 1, "c": -1}, {"a": 1}]
    assert [f.constant for f in read_hypotheses("a = b == c = 2")] == [0, 0, -2]
    assert [f.weights for f in read_hypotheses("a b c.x#1.g")] == [{"a": 1}, {"b": 1}, {"c.x#1.g": 1}]
    assert [f.weights for f in read_hypotheses("(a = b) (c d)")] == [{"a": 1, "b": -1}, {"c": 1}, {"d": 1}]
    assert [f.weights for f in read_hypotheses("(a + b)*2 = (c)")] == [{"a": 2, "b": 2, "c": -1}]
    assert [f.weights for f in read_hypotheses("(a + b)")] == [{"a": 1, "b": 1}]


@pytest.mark.parametrize(
    ("text", "at"),
    [("a*b", 1), ("2/a = 1", 1), ("a = ", 3), ("a + = b", 4), ("a / 0", 2), ("= a", 0), ("(a = b", 3), ("(a = b) (c = )", 12)],
)
def test_what_is_not_linear_or_not_understood_is_pointed_at(text, at):
    with pytest.raises(CommandError) as caught:
        read_hypotheses(text)
    assert caught.value.position == at


def test_expressions_are_no_hypotheses():
    with pytest.raises(CommandError, match="one linear expression"):
        read_linear("a = b")


@pytest.mark.parametrize(
    ("text", "K", "r"),
    [
        ("2.a = 3.a", [{"2.a": 1, "3.a": -1}], [0]),
        ("2.a = 3.a = 1", [{"2.a": 1, "3.a": -1}, {"2.a": 1}], [0, 1]),
        ("2.a 3.a", [{"2.a": 1}, {"3.a": 1}], [0, 0]),
        (["2.a", "3.a"], [{"2.a": 1}, {"3.a": 1}], [0, 0]),
        (["2.a = 1", "x"], [{"2.a": 1}, {"x": 1}], [1, 0]),
        ("2*x - 3*1.b#c.x = 4", [{"x": 2, "1.b#c.x": -3}], [4]),
        ("c.x#1bn.b = 0", [{"1.b#c.x": 1}], [0]),
        ("1.b#2.a", [{"2.a#1.b": 1}], [0]),
        ("2.a = 1b.a", [{"2.a": 1}], [0]),
        ("[y]2.a = _b[y:3.a]", [{"2.a": 1, "3.a": -1}], [0]),
        ("x = -x + 2", [{"x": 2}], [2]),
    ],
)
def test_tests_are_the_wald_tests_of_their_rows(fit, text, K, r):
    found = fit.test(text)
    rows = np.array([row(fit, **weights) for weights in K])
    assert (found.kind, found.df, found.ddf) == ("chi2", len(K), None)
    assert found.statistic == pytest.approx(wald(fit, rows, np.array(r, float)))
    same = fit.test(rows, r)
    assert (same.statistic, same.pvalue) == pytest.approx((found.statistic, found.pvalue))


def test_small_samples(fit):
    found = fit.test("2.a = 3.a = 0", small=True)
    assert (found.kind, found.df) == ("F", 2)
    assert found.pvalue == pytest.approx(stats.f.sf(found.statistic, 2, found.ddf))
    assert f"\n      F(  2, 208.07) ={found.statistic:8.2f}\n            Prob > F =    0.0001" in str(found)
    one = fit.test("x", small=True)
    assert one.ddf == pytest.approx(fit.df["x"])
    assert one.statistic == pytest.approx(fit.tvalues["x"] ** 2)
    assert one.pvalue == pytest.approx(fit.pvalues["x"])


def test_printed_form(fit):
    text = str(fit.test("2.a = 3.a = 0"))
    assert text == (
        " ( 1)  [y]2.a - [y]3.a = 0\n ( 2)  [y]2.a = 0\n\n           chi2(  2) =   19.37\n         Prob > chi2 =    0.0001"
    )


def test_redundant_rows_are_dropped(fit):
    found = fit.test("2.a = 3.a = 1b.a = 2.a")
    assert found.df == 2
    assert found.dropped == (3,)
    assert len(found.equations) == 3
    assert "\n       Constraint 3 dropped\n" in str(found)
    assert "Constraint 3 dropped" in found.note
    assert found.statistic == pytest.approx(fit.testparm("i.a").statistic)


@pytest.mark.parametrize("text", ["(2.a = 1) (2.a = 2)", "1b.a = 3", "2.a = 3.a = 2.a + 1"])
def test_contradictions_are_refused(fit, text):
    with pytest.raises(OptionError, match="contradicts"):
        fit.test(text)


def test_units_do_not_make_rows_dependent(fit):
    K = np.array([row(fit, x=1e-9), row(fit, **{"2.a": 1e9})])
    assert fit.test(K).df == 2


@pytest.mark.parametrize("bad", ["4.a", "[z]x", "nothing = 0"])
def test_unknown_names(fit, bad):
    with pytest.raises(CommandError):
        fit.test(bad)


@pytest.mark.parametrize("arguments", [([[1.0, 2.0]],), (np.eye(8), [1.0]), ("x", [1.0]), ([],)])
def test_wrong_shapes(fit, arguments):
    with pytest.raises((OptionError, CommandError)):
        fit.test(*arguments)


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        ("i.a", ["2.a", "3.a"]),
        ("a", ["2.a", "3.a"]),
        ("i.a#i.b", ["2.a#1.b", "3.a#1.b"]),
        ("i.b#i.a", ["2.a#1.b", "3.a#1.b"]),
        ("a##b", ["2.a", "3.a", "1.b", "2.a#1.b", "3.a#1.b"]),
        ("x i.b#c.x", ["x", "1.b#c.x"]),
        ("2.a", ["2.a"]),
        ("_c*", ["_cons"]),
    ],
)
def test_testparm(fit, terms, names):
    found = fit.testparm(terms)
    assert found.df == len(names)
    assert found.statistic == pytest.approx(fit.test(names).statistic)


def test_testparm_of_equal_coefficients(fit):
    assert fit.testparm("i.a", equal=True).statistic == pytest.approx(fit.test("2.a = 3.a").statistic)
    with pytest.raises(OptionError, match="at least two"):
        fit.testparm("x", equal=True)
    with pytest.raises(CommandError, match="no coefficient belongs to"):
        fit.testparm("i.nothing")


def test_lincom(fit):
    plain = fit.lincom("2.a - 3.a + 1")
    weights = row(fit, **{"2.a": 1, "3.a": -1})
    assert plain.estimate == pytest.approx(weights @ fit.params.values + 1)
    assert plain.std_err == pytest.approx(np.sqrt(weights @ fit.fit.vcov_beta @ weights))
    assert plain.ddf is None
    assert plain.high - plain.estimate == pytest.approx(stats.norm.ppf(0.975) * plain.std_err)
    small = fit.lincom("x", small=True, level=90)
    assert (small.std_err, small.ddf, small.pvalue) == pytest.approx((fit.bse["x"], fit.df["x"], fit.pvalues["x"]))
    assert [small.low, small.high] == pytest.approx(list(fit.conf_int(90).loc["x"]))
    assert "P>|t|" in str(small)
    assert list(small.frame["df"]) == [small.ddf]
    with pytest.raises(OptionError, match="no estimated coefficient"):
        fit.lincom("1b.a")


def test_contrasts_average_over_the_other_factor(fit):
    found = fit.contrast("r.a")
    two = row(fit, **{"2.a": 1, "2.a#1.b": 0.5})
    assert found.effects.loc[("r.a", "(2 vs 1)"), "estimate"] == pytest.approx(two @ fit.params.values)
    three = row(fit, **{"3.a": 1, "3.a#1.b": 0.5})
    assert (found.df, found.statistic) == (2, pytest.approx(wald(fit, np.array([two, three]))))


@pytest.mark.parametrize("operator", ["r", "rb2", "a", "ar", "g", "h", "j", "p", "q"])
def test_every_operator_spans_the_same_hypothesis(fit, operator):
    found = fit.contrast(f"{operator}.a", small=True)
    reference = fit.contrast("a", small=True)
    assert (found.statistic, found.df, found.ddf) == pytest.approx((reference.statistic, 2, reference.ddf))


def test_contrasts_of_interactions_slopes_and_within_levels(fit):
    assert fit.contrast("a#b").statistic == pytest.approx(fit.testparm("i.a#i.b").statistic)
    assert fit.contrast("r.b#c.x").statistic == pytest.approx(fit.testparm("i.b#c.x").statistic)
    simple = fit.contrast("r.a@b").effects
    assert simple.loc[("r.a@b", "(2 vs 1) 0"), "estimate"] == pytest.approx(fit.params["2.a"])
    assert simple.loc[("r.a@b", "(2 vs 1) 1"), "estimate"] == pytest.approx(fit.params["2.a"] + fit.params["2.a#1.b"])
    everything = fit.contrast("a##b")
    assert list(everything.tests.index) == ["a", "b", "a#b", "Overall"]
    assert everything.df == 5
    assert "Overall" in str(everything)


@pytest.mark.parametrize("bad", ["z.a", "r.nothing", "rb9.a", "x", ""])
def test_contrasts_refused(fit, bad):
    with pytest.raises(OptionError):
        fit.contrast(bad)


def test_pairs(fit):
    found = fit.pwcompare("a", small=True)
    assert [label for _, label in found.effects.index] == ["2 vs 1", "3 vs 1", "3 vs 2"]
    assert found.effects["estimate"].iloc[2] == pytest.approx(
        found.effects["estimate"].iloc[1] - found.effects["estimate"].iloc[0]
    )
    assert len(fit.pwcompare("a#b").effects) == 15
    assert "tukey" in str(fit.pwcompare("a", mcompare="tukey"))
    with pytest.raises(OptionError, match="pwcompare"):
        fit.contrast("a", mcompare="tukey")
    with pytest.raises(OptionError, match="is not one of"):
        fit.pwcompare("a", mcompare="duncan")


def test_empty_cells_are_not_estimable(fit):
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"a": np.tile([1, 2, 3], 40), "b": np.repeat([0, 1], 60), "g": np.arange(120) // 6})
    data["y"] = rng.normal(size=120)
    data = data[(data.a != 3) | (data.b != 1)]
    holes = sparsemixed.mixed("y i.a##i.b || g:, reml", data)
    found = holes.contrast("r.a@b")
    assert np.isnan(found.effects.loc[("r.a@b", "(3 vs 1) 1"), "estimate"])
    assert found.effects["estimate"].notna().sum() == 3
    assert "not estimable" in found.note


@pytest.mark.parametrize("df", [0.05, 0.9, 1.0, 3.0, 12.0, 1e5, 1e9, np.inf])
def test_the_range_of_two_means_is_their_difference(df):
    q = np.array([0.0, 1e-3, 0.5, 2.0, 5.0, 12.0])
    found, quantiles = range_tails(q, 2, np.full(q.size, df), 0.95)
    of_one = stats.norm() if np.isinf(df) else stats.t(df)
    assert found == pytest.approx(2.0 * of_one.sf(q / np.sqrt(2.0)), rel=1e-12)
    assert quantiles == pytest.approx(np.sqrt(2.0) * of_one.isf(0.025), rel=1e-9)


@pytest.mark.parametrize(("groups", "df", "q"), [(3, 0.7, 3.0), (3, 50.0, 6.0), (5, 2.0, 0.7), (12, 7.3, 6.0), (60, 50.0, 3.0)])
def test_ranges_are_those_of_adaptive_integrals(groups, df, q):
    found, quantiles = range_tails(np.array([q, np.nan]), groups, np.array([df, -1.0]), 0.9)
    assert found == pytest.approx([stats.studentized_range.sf(q, groups, df), np.nan], abs=1e-12, nan_ok=True)
    at = range_tails(quantiles[:1], groups, np.array([df]), 0.5)[0]
    assert [*at, quantiles[1]] == pytest.approx([0.1, np.nan], rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("df", [None, np.array([7.0, 12.5])])
@pytest.mark.parametrize("method", ["bonferroni", "sidak", "scheffe", "tukey"])
def test_adjusted_limits_and_p_values_agree(method, df):
    """An estimate exactly at its limit has p = 5 %."""
    first = adjusted(np.array([1.0, 2.0]), np.array([0.5, 2.0]), df, 95.0, method, 3, 4)
    edge = adjusted(first.high - first.estimate, np.array([0.5, 2.0]), df, 95.0, method, 3, 4)
    assert edge.pvalue == pytest.approx(0.05, rel=1e-5)


def test_adjustments_against_known_tails():
    one = adjusted(np.array([2.5]), np.ones(1), np.array([12.0]), 95.0, "tukey", 1, 2)
    assert one.pvalue[0] == pytest.approx(2 * stats.t.sf(2.5, 12), rel=1e-6)
    scheffe = adjusted(np.array([2.5]), np.ones(1), np.array([12.0]), 95.0, "scheffe", 3)
    assert scheffe.pvalue[0] == pytest.approx(stats.f.sf(2.5**2 / 3, 3, 12))


def test_mixture_of_chi_squared(manual_data):
    commands = ["weight week || id:", "weight week || id: week", "weight week || id: week, cov(un)", "weight || id:"]
    one, two, three, less = (sparsemixed.mixed(c, manual_data("pig")) for c in commands)
    assert mixture_freedoms(one.fit, two.fit) == (0, 1)
    assert mixture_freedoms(one.fit, three.fit) == (1, 2)
    assert mixture_freedoms(less.fit, two.fit) == (1, 2)
    assert mixture_freedoms(less.fit, one.fit) is None
    assert mixture_freedoms(two.fit, three.fit) is None
    linear = sparsemixed.mixed("weight week", manual_data("pig"))
    assert mixture_freedoms(linear.fit, one.fit) == (0, 1)
    assert mixture_freedoms(linear.fit, two.fit) is None
    found = sparsemixed.lrtest(one, three)
    wanted = 0.5 * stats.chi2.sf(found.statistic, 1) + 0.5 * stats.chi2.sf(found.statistic, 2)
    assert found.mixture_pvalue == pytest.approx(wanted)
    assert sparsemixed.lrtest(two, three).mixture_pvalue is None
    assert mixture_pvalue(2.0, (0, 1)) == pytest.approx(0.5 * stats.chi2.sf(2.0, 1))


def test_a_covariance_that_comes_with_an_exchangeable_factor_counts():
    """Its variance and its covariance are two parameters: no mixture of chi2(0) and chi2(1)."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 12), "w": np.tile(np.arange(3), 80), "x": rng.normal(size=240)})
    data["y"] = data["x"] + 0.7 * rng.normal(size=(20, 3))[data["g"], data["w"]] + rng.normal(size=240)
    linear, one, two = (
        sparsemixed.mixed(f"y x{part}", data) for part in ("", " || g: R.w", " || g: R.w, covariance(exchangeable)")
    )
    assert mixture_freedoms(linear.fit, one.fit) == (0, 1)
    assert sparsemixed.lrtest(linear, two).df == 2
    assert mixture_freedoms(linear.fit, two.fit) is None


def test_parameters_on_a_boundary_are_counted_and_said_to_be():
    """As Stata does, whose df are those of the models as typed."""
    rng = np.random.default_rng(5)
    d = pd.DataFrame({"g": np.repeat(np.arange(12), 5), "x": rng.normal(size=60)})
    d["y"] = d.x + rng.normal(size=60)
    d["y"] -= d.groupby("g").y.transform("mean") - d.y.mean()
    fits = [sparsemixed.mixed(f"y x || g:{effects}", d) for effects in (" x", "")]
    assert all("var(_cons) of g is 0" in fit.status for fit in fits)
    test = sparsemixed.lrtest(*fits)
    held = [sum(v.boundary for v in fit.fit.variances) for fit in fits]
    assert test.df == 1
    assert (
        f"Note: 5 and 4 parameters are counted, those on a boundary or not identified ({held[0]} and {held[1]}) among them."
        in test.note
    )
    assert fits[1].estat.ic(fits[0])["df"].tolist() == [4, 5]
