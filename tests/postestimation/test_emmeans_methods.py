"""Weights, families of contrasts, adjustments, slopes and joint tests against R's emmeans with lmerTest's degrees of freedom."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import sparsemixed
from sparsemixed.errors import OptionError, SparseMixedError
from sparsemixed.inference.hypotheses.max_t import largest_t
from sparsemixed.postestimation.emmeans.methods import contrast_rows
from tests.golden import golden
from tests.golden.samples import sample

FIGURES = golden("emmeans_methods")
CLOSE = 1e-5
MEANS = {"emmean": "estimate", "SE": "std_err", "df": "df", "lower.CL": "low", "upper.CL": "high"}
SINGLE = {"estimate": "estimate", "SE": "std_err", "df": "df", "p.value": "pvalue"}
SATTERTHWAITE = "reml dfmethod(satterthwaite, oim)"


@pytest.fixture(scope="module", params=[name for name in FIGURES if name.startswith("unbalanced")])
def case(request):
    fit = sparsemixed.mixed(f"y i.a##i.b i.a##c.x || g:, {SATTERTHWAITE}", sample(request.param))
    return fit, FIGURES[request.param]


def text(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def agrees(found, names, columns, wanted, close=CLOSE):
    """A table of ours against columns of theirs, which leave out what is not estimable."""
    frame = found.frame.dropna(subset=["estimate"])
    keys = [" ".join(map(text, key)) for key in frame[names].itertuples(index=False)]
    for column, values in wanted.items():
        ours = dict(zip(keys, frame[columns[column]], strict=True))
        assert ours == pytest.approx(values, rel=close, abs=close), column


def compared(found, columns, wanted, close=CLOSE):
    """Contrasts within the levels of b, `1 a2 - a1` as they call them."""
    frame = found.frame.dropna(subset=["estimate"])
    keys = []
    for term, label in frame.index:
        b, words = term.partition("@")[2].partition(".")[0], label.split(" vs ")
        name = " - ".join(f"a{word}" for word in words) if label[0].isdigit() and len(words) == 2 else label
        name = f"a{label.split(' ')[0]} effect" if label.endswith((" effect", " others")) else name
        keys.append(f"{b} {name}".strip())
    for column, values in wanted.items():
        ours, theirs = dict(zip(keys, frame[columns[column]], strict=True)), {k: v for k, v in values.items() if v != "NA"}
        assert {key: ours[key] for key in theirs} == pytest.approx(theirs, rel=close, abs=close), column


@pytest.mark.parametrize("weights", ["equal", "proportional", "outer", "cells", "flat"])
def test_weights(case, weights):
    fit, figures = case
    for name in "ab":
        agrees(fit.emmeans(name, weights=weights), [name], MEANS, figures["weights"][weights][name])


@pytest.fixture(scope="module")
def three():
    return sparsemixed.mixed(f"y i.a##i.b i.c x || g:, {SATTERTHWAITE}", sample("three_factors"))


@pytest.mark.parametrize("weights", ["equal", "proportional", "outer", "cells", "flat"])
def test_weights_of_three_factors(three, weights):
    figures = FIGURES["three_factors"]["weights"][weights]
    agrees(three.emmeans("a", weights=weights), ["a"], MEANS, figures["a"])
    agrees(three.emmeans("a", by="b", weights=weights), ["b", "a"], MEANS, figures["cells"])


@pytest.mark.parametrize("adjust", ["none", "holm", "sidak", "bonferroni", "scheffe", "fdr", "tukey"])
def test_adjusted_pairs(case, adjust):
    fit, figures = case
    if adjust == "tukey" and fit.nobs not in (156, 143):
        return  # the studentized range takes seconds: one complete design and the one with an empty cell are enough
    found = fit.emmeans("a", by="b", pairwise=True, adjust=adjust)
    if adjust == "scheffe" and fit.nobs == 143:
        # With an empty cell theirs counts comparisons that are not estimable; ours is the dimension of those that are.
        ours = found.frame["pvalue"].dropna().to_numpy()
        assert np.all(ours <= 1.00001 * np.array(list(figures["pairs"][adjust]["p.value"].values())))
        return
    compared(found, SINGLE, figures["pairs"][adjust])
    if adjust in figures["limits"]:
        compared(found, {"lower.CL": "low", "upper.CL": "high"}, figures["limits"][adjust])


@pytest.mark.parametrize("method", ["trt.vs.ctrl", "consec", "eff", "del.eff", "poly"])
def test_families(case, method):
    fit, figures = case
    compared(fit.emmeans("a", by="b", contrast=method, adjust="none"), SINGLE, figures["families"][method])


def test_largest_of_correlated_t(case):
    # Theirs integrates by random numbers, with an error of 1e-3 at most.
    fit, figures = case
    compared(fit.emmeans("a", by="b", contrast="trt.vs.ctrl"), SINGLE, figures["mvt"], close=2e-3)
    one, other = (fit.emmeans("a", by="b", contrast="trt.vs.ctrl", adjust=adjust).frame for adjust in ("dunnett", "mvt"))
    assert one.equals(other)


def test_grids_of_given_values(case):
    fit, figures = case
    at = {"x": [1, 4], "b": 1}
    agrees(fit.emmeans("a", at=at), ["a"], MEANS, figures["at"])
    agrees(fit.emmeans("x", by="a", at=at), ["a", "x"], MEANS, figures["values"])


def test_slopes(case):
    fit, figures = case
    found = fit.emtrends("a", "x", pairwise=True, adjust="none").frame
    for theirs, ours in SINGLE.items():
        values = {f"a{i} - a{j}": figures["slopes"][theirs][f"a{i} - a{j}"] for i, j in ("12", "13", "23")}
        assert found[ours].to_numpy() == pytest.approx(list(values.values()), rel=CLOSE, abs=CLOSE)
    means = fit.emtrends("a", "x")
    assert means.estimate == pytest.approx(fit.margins("a", dydx="x", asbalanced=True, atmeans=True).estimate, rel=1e-12)


def test_joint_tests(case):
    # Their denominator is the smallest of those of single contrasts; ours, that of the joint test, is the same for one. Their F
    # has three decimals. What is confounded with empty cells is a row of its own there.
    fit, figures = case
    found = fit.joint_tests().frame
    by = fit.joint_tests(by="b").frame
    for frame, keys, wanted in (
        (found, list(found.index), figures["joint"]),
        (by, [" ".join(key) for key in by.index], figures["joint_by"]),
    ):
        names = [key.replace("#", ":") for key in keys]
        theirs = {column: {k: v for k, v in values.items() if "(confounded)" not in k} for column, values in wanted.items()}
        assert dict(zip(names, frame["df"], strict=True)) == theirs["df1"]
        assert dict(zip(names, frame["F"], strict=True)) == pytest.approx(theirs["F.ratio"], rel=CLOSE, abs=5.1e-4)
        single = {name: ddf for name, df, ddf in zip(names, frame["df"], frame["ddf"], strict=True) if df == 1}
        # Two decimals, too.
        assert single == pytest.approx({name: theirs["df2"][name] for name in single}, rel=CLOSE, abs=5.1e-3)


def test_joint_tests_are_type_3_with_covariates_at_their_means():
    data = sample("unbalanced1")
    data = data.assign(z=data["x"] - data["x"].mean())
    # Kenward and Roger's degrees of freedom do not depend on which rows span a hypothesis, Satterthwaite's a little.
    fit = sparsemixed.mixed("y i.a##i.b i.a##c.z || g:, reml dfmethod(kroger)", data)
    joint, anova = fit.joint_tests().frame, fit.anova(type=3).frame
    assert len(joint) == len(anova)
    for name, row in anova.iterrows():
        own = joint.loc[str(name).replace("i.", "").replace("c.", "")]
        assert (own["F"], own["df"], own["ddf"]) == pytest.approx((row["F"], row["df"], row["ddf"]), rel=1e-8), name


def test_means_of_designs_of_lmertest():
    liking = sparsemixed.mixed(
        "`Informed.liking` ~ Product * Information + (1 | Consumer) + (1 | Product:Consumer) + (1 | Information:Consumer)",
        sample("ham"),
        reml=True,
        dfmethod="satterthwaite, oim",
    )
    carrots = sparsemixed.mixed(
        "Preference ~ sens2 + C(Homesize) + (1 + sens2 | Consumer)", sample("carrots"), reml=True, dfmethod="satterthwaite, oim"
    )
    for fit, name, figures in (
        (liking, "Product", FIGURES["ham"]["Product"]),
        (liking, "Information", FIGURES["ham"]["Information"]),
        (carrots, "Homesize", FIGURES["carrots"]["Homesize"]),
    ):
        columns = {"Estimate": "estimate", "SE": "std_err", "df": "df", "lower": "low", "upper": "high"}
        agrees(fit.emmeans(name), [name], columns, figures)


# --- the largest of several t -------------------------------------------------------------------------------------------------


def one_factor(q, loadings, df):
    """P(max |T| > q) where correlations are products of loadings: integrals over the shared normal and over s."""
    b, (x, w) = np.asarray(loadings), np.polynomial.legendre.leggauss(160)
    z, root = 9.0 * x, np.sqrt(1 - b**2)

    def inner(s):
        inside = stats.norm.cdf((q * s + np.outer(z, b)) / root) - stats.norm.cdf((-q * s + np.outer(z, b)) / root)
        return (9.0 * w * stats.norm.pdf(z)) @ np.prod(inside, axis=1)

    if np.isinf(df):
        return 1 - inner(1.0)
    s = stats.chi(df, scale=1 / np.sqrt(df))
    low, high = s.ppf([1e-12, 1 - 1e-12])
    points = (low + high) / 2 + (high - low) / 2 * x
    return 1 - (high - low) / 2 * w @ (s.pdf(points) * np.array([inner(v) for v in points]))


@pytest.mark.parametrize(
    ("q", "loadings", "df"),
    [(2.2, [0.7, 0.7], 12.0), (2.5, [0.8, 0.5, 0.6], np.inf), (1.4, [0.7] * 4, np.inf), (3.0, [0.9, -0.4, 0.3, 0.6, 0.7], 9.5)],
)
def test_tails_against_integrals(q, loadings, df):
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    freedom = None if np.isinf(df) else np.full(len(loadings), df)
    tails, quantiles = largest_t(np.full(len(loadings), -q), correlation, freedom, 0.95)
    assert tails == pytest.approx(one_factor(q, loadings, df), abs=1e-4)
    assert one_factor(quantiles[0], loadings, df) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_all_pairs_of_equal_means_are_tukeys(groups):
    pairs = contrast_rows("pairwise", [str(i) for i in range(groups)])[0]
    correlation = pairs @ pairs.T / 2.0
    tails, quantiles = largest_t(np.full(len(pairs), 2.1), correlation, np.full(len(pairs), 17.0), 0.9)
    assert tails == pytest.approx(stats.studentized_range.sf(2.1 * np.sqrt(2), groups, 17), abs=1e-4)
    assert quantiles == pytest.approx(stats.studentized_range.ppf(0.9, groups, 17) / np.sqrt(2), abs=5e-4)


def test_missing_and_single_statistics():
    tails, quantiles = largest_t(np.array([1.3, np.nan]), np.eye(2), np.array([5.0, np.nan]), 0.95)
    assert tails[0] == pytest.approx(2 * stats.t.sf(1.3, 5))
    assert quantiles[0] == pytest.approx(stats.t.ppf(0.975, 5))
    assert np.isnan(tails[1])


# --- what is asked for --------------------------------------------------------------------------------------------------------


def test_contrasts_of_ones_own(three):
    found = three.emmeans("a", contrast={"1 - others": [1, -0.5, -0.5]}, adjust="none")
    means = three.emmeans("a").estimate
    assert found.frame["estimate"].to_numpy() == pytest.approx([means[0] - means[1:].mean()])
    assert three.emmeans("a", contrast="trt.vs.ctrl", reference=2, adjust="none").frame.index[0][1] == "1 vs 2"
    assert three.emmeans("a", contrast="trt.vs.ctrlk", adjust="none").frame.index[0][1] == "1 vs 3"
    assert list(three.emmeans(["a", "b"], pairwise=True, adjust="none").frame.index[0]) == ["a#b", "(1 1) vs (1 2)"]


def test_shown(three):
    shown = str(three.emmeans("a", weights="proportional"))
    assert "(mean)" in shown
    assert "(proportional)" in shown
    assert "Contrasts of estimated marginal means" in str(three.emmeans("a", contrast="eff"))
    assert "Pairwise comparisons of slopes" in str(three.emtrends("a", "x", pairwise=True))
    assert "Joint tests of marginal means" in str(three.joint_tests())
    assert "2.b" in three.joint_tests(by="b").to_html()


def test_an_empty_cell():
    fit = sparsemixed.mixed(f"y i.a##i.b x || g:, {SATTERTHWAITE}", sample("unbalanced6"))
    assert "not estimable" in str(fit.emmeans("a", by="b"))
    assert list(fit.emmeans("a", weights="cells").estimable) == [True, True, True]
    assert list(fit.emmeans("a", weights="equal").estimable) == [True, True, False]
    assert "some are not estimable" in str(fit.joint_tests())


def test_fits_without_their_rows(three, tmp_path):
    three.save(tmp_path / "one.fit")
    loaded = sparsemixed.load(tmp_path / "one.fit")
    assert loaded.emmeans("a", contrast="eff").frame["estimate"].to_numpy() == pytest.approx(
        three.emmeans("a", contrast="eff").frame["estimate"].to_numpy(), rel=1e-12
    )
    assert loaded.joint_tests().frame["F"].to_numpy() == pytest.approx(three.joint_tests().frame["F"].to_numpy(), rel=1e-8)
    with pytest.raises(SparseMixedError, match="needs the rows"):
        loaded.emmeans("a", weights="proportional")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda fit: fit.emmeans("q"), "not a variable of the fixed part"),
        (lambda fit: fit.emmeans("x"), "x is continuous; name its values"),
        (lambda fit: fit.emmeans(["a", "a"]), "named twice"),
        (lambda fit: fit.emmeans("a", by="a"), "named twice"),
        (lambda fit: fit.emmeans(3), "takes names of factors"),
        (lambda fit: fit.emmeans("a", weights="some"), "weights='some' is not one of"),
        (lambda fit: fit.emmeans("a", contrast="some"), "is not one of pairwise"),
        (lambda fit: fit.emmeans("a", contrast=3), "or a mapping of coefficients"),
        (lambda fit: fit.emmeans("a", contrast={"one": [1, -1]}), "needs 3 numbers"),
        (lambda fit: fit.emmeans("a", contrast={"one": "text"}), "needs 3 numbers"),
        (lambda fit: fit.emmeans("a", contrast="eff", pairwise=True), "cannot be combined"),
        (lambda fit: fit.emmeans("a", contrast="eff", adjust="tukey"), "is for all pairs"),
        (lambda fit: fit.emmeans("a", contrast="eff", reference=1), "goes with contrast='trt.vs.ctrl'"),
        (lambda fit: fit.emmeans("a", contrast="trt.vs.ctrl", reference=9), "is not one of 1, 2, 3"),
        (lambda fit: fit.emmeans("a", at="x=3"), "at takes a mapping"),
        (lambda fit: fit.emmeans("a", at={"z": 3}), "not a variable of the fixed part"),
        (lambda fit: fit.emmeans("a", at={"b": 7}), "no level of b"),
        (lambda fit: fit.emmeans("a", at={"x": "low"}), "takes numbers"),
        (lambda fit: fit.emmeans("a", at={"x": []}), "has no values"),
        (lambda fit: fit.emmeans("a", at={"a": 1}, pairwise=True), "only one mean"),
        (lambda fit: fit.emmeans("a", level=3), "must lie between"),
        (lambda fit: fit.emtrends("a", "b"), "is not a covariate of the fixed part"),
        (lambda fit: fit.joint_tests(by="q"), "not a variable of the fixed part"),
        (lambda fit: fit.joint_tests(weights="x"), "is not one of"),
    ],
)
def test_bad_input(three, ask, message):
    with pytest.raises(OptionError, match=message):
        ask(three)
