"""Linear constraints: against the reparameterised model without them, in words, in tables, and what may not be asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.command import read_model
from sparsemixed.design import build_design
from sparsemixed.design.fixed.elimination import Elimination
from sparsemixed.errors import CommandError, OptionError, SparseMixedError
from sparsemixed.inference.constrained import held_rows, moving_rows

TIED = {1: "x1 = x2", 2: "x3 = 0.5"}
MODELS = {
    "linear": "",
    "intercept": "|| g:",
    "slope": "|| g: x4, covariance(unstructured)",
    "crossed": "|| _all: R.g || h:",
    "ar 1": "|| g:, residuals(ar 1, t(t))",
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    n = 240
    frame = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(1, 5)})
    frame["g"], frame["t"] = np.arange(n) // 6, np.arange(n) % 6
    frame["h"], frame["a"] = rng.integers(0, 8, n), rng.integers(1, 5, n)
    frame["w"] = (frame["g"] % 5).astype(float)
    frame["v"] = (frame["g"] % 7).astype(float)
    effects = rng.normal(size=40)[frame.g] + 0.7 * rng.normal(size=40)[frame.g] * frame.x4 + 0.8 * rng.normal(size=8)[frame.h]
    frame["y"] = 1 + frame.x1 + 0.9 * frame.x2 + 0.6 * frame.x3 + effects + rng.normal(size=n)
    # What the constraints make of it.
    frame["z"], frame["x12"] = frame.y - 0.5 * frame.x3, frame.x1 + frame.x2
    return frame


def pair(data, model, constraints=TIED, **options):
    """A fit under `TIED`, and the model that says the same with other columns."""
    constrained = sparsemixed.mixed(f"y x1 x2 x3 x4 w {model}", data, constraints=constraints, **options)
    return constrained, sparsemixed.mixed(f"z x12 x4 w {model}", data, **options)


K = np.array([[1.0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
"""Coefficients of the constrained fits from those of the others (and 0.5 for x3)."""


@pytest.mark.parametrize("model", MODELS)
def test_maximum_likelihood_is_that_of_the_reparameterised_model(data, model):
    fit, other = pair(data, MODELS[model])
    assert fit.converged
    assert fit.llf == pytest.approx(other.llf, rel=1e-10)
    wanted = K @ other.params.to_numpy() + [0, 0, 0.5, 0, 0, 0]
    np.testing.assert_allclose(fit.params, wanted, rtol=1e-8, atol=1e-8)
    assert fit.params["x1"] == pytest.approx(fit.params["x2"], rel=1e-14)
    assert fit.params["x3"] == 0.5
    np.testing.assert_allclose(fit.cov_params(), K @ other.cov_params().to_numpy() @ K.T, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(fit.random_params, other.random_params, rtol=1e-6, atol=1e-8)
    assert (fit.fit.llf_linear, fit.aic, fit.bic) == pytest.approx((other.fit.llf_linear, other.aic, other.bic))
    names = ("k", "k_f", "rank", "df_m", "chi2", "p", "chi2_c")
    assert [fit.e[name] for name in names] == pytest.approx([other.e[name] for name in names], rel=1e-6, nan_ok=True)
    np.testing.assert_allclose(fit.predict(what="stdp"), other.predict(what="stdp"), rtol=1e-7)
    np.testing.assert_allclose(fit.predict(what="residuals"), other.predict(what="residuals"), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("model", MODELS)
def test_reml_differs_by_the_scale_of_the_columns(data, model):
    """T is orthonormal: the column of x1 and x2 together is (x1 + x2) / sqrt(2)."""
    fit, other = pair(data, MODELS[model], reml=True)
    assert fit.llf == pytest.approx(other.llf + 0.5 * np.log(2), rel=1e-10)
    assert fit.fit.llf_linear == pytest.approx(other.fit.llf_linear + 0.5 * np.log(2), rel=1e-10)
    np.testing.assert_allclose(fit.params, K @ other.params.to_numpy() + [0, 0, 0.5, 0, 0, 0], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(fit.bse, np.sqrt(np.diag(K @ other.cov_params().to_numpy() @ K.T)), rtol=1e-6)


@pytest.mark.parametrize("method", ["satterthwaite", "satterthwaite, oim", "kroger", "kroger, oim", "krfull", "kr2009"])
@pytest.mark.parametrize("model", MODELS)
def test_small_samples(data, model, method):
    fit, other = pair(data, MODELS[model], reml=True, dfmethod=method)
    df = other.df[["x12", "x12", "x4", "w", "_cons"]].to_numpy()
    assert list(fit.df.drop("x3")) == pytest.approx(list(df), rel=1e-6)
    assert np.isnan(fit.df["x3"])
    np.testing.assert_allclose(fit.cov_params(), K @ other.cov_params().to_numpy() @ K.T, rtol=1e-5, atol=1e-8)
    found, wanted = fit.test("x1 x4", small=True), other.test("x12 x4", small=True)
    assert (found.statistic, found.df, found.ddf) == pytest.approx((wanted.statistic, 2, wanted.ddf), rel=1e-5)
    found, wanted = fit.lincom("x1 + 2*x3 - x4", small=True), other.lincom("x12 - x4 + 1", small=True)
    assert (found.estimate, found.std_err, found.ddf) == pytest.approx((wanted.estimate, wanted.std_err, wanted.ddf), rel=1e-5)
    names = ("F", "ddf_m", "df_min", "df_max")
    assert [fit.e[n] for n in names] == pytest.approx([other.e[n] for n in names], rel=1e-5)


@pytest.mark.parametrize("method", ["residual", "repeated", "anova", "betwithin"])
def test_degrees_of_freedom_by_column(data, method):
    fit, other = pair(data, "|| g: x4", reml=True, dfmethod=method)
    assert list(fit.df.drop("x3")) == list(other.df[["x12", "x12", "x4", "w", "_cons"]])
    assert np.isnan(fit.df["x3"])
    assert (fit.e["F"], fit.e["ddf_m"]) == pytest.approx((other.e["F"], other.e["ddf_m"]), nan_ok=True)


@pytest.mark.parametrize(
    "model",
    [
        "[fweight=k] || g: x4",
        "[pweight=k] || g:, pweight(s)",
        "|| g:, vce(robust)",
        "|| g:, residuals(ar 1, t(t)) vce(cluster g)",
    ],
)
def test_weights_and_robust_standard_errors(data, model):
    weighted = data.assign(k=1.0 + data.t % 3, s=1.0 + data.g % 4)
    fit, other = pair(weighted, model)
    assert fit.llf == pytest.approx(other.llf, rel=1e-10)
    np.testing.assert_allclose(fit.params, K @ other.params.to_numpy() + [0, 0, 0.5, 0, 0, 0], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(fit.cov_params(), K @ other.cov_params().to_numpy() @ K.T, rtol=1e-6, atol=1e-10)
    assert fit.bse["x3"] == 0
    assert [fit.e[name] for name in ("chi2", "df_m", "rank")] == pytest.approx([other.e[n] for n in ("chi2", "df_m", "rank")])


def test_tied_columns_of_different_kinds(data):
    """x1 varies within groups and w does not: x1 = w makes one column, x1 + w, which does; 2*x1 + w + v = 0 makes two."""
    one = sparsemixed.mixed("y x1 w v || g:", data, reml=True, constraints=["x1 = w"])
    merged = sparsemixed.mixed("y xw v || g:", data.assign(xw=data.x1 + data.w), reml=True)
    for method in ("repeated", "betwithin", "anova"):
        found, wanted = (f.estat.df(method).iloc[:, 0] for f in (one, merged))
        assert list(found) == list(wanted[["xw", "xw", "v", "_cons"]])
    two = sparsemixed.mixed("y x1 w v || g:", data, reml=True, constraints=["2*x1 + w + v = 0"])
    for method in ("repeated", "betwithin"):
        with pytest.raises(OptionError, match=rf"dfmethod\({method}\) has .* constraints\(\).* use dfmethod\(satterthwaite\)"):
            two.estat.df(method)
    # Of x1 and u, tied through x2, the sum does not vary within groups, although each column does.
    mixed = data.assign(u=data.w - data.x1)
    with pytest.raises(OptionError, match="tie coefficients of columns that vary within groups"):
        sparsemixed.mixed("y x1 u x2 || g:", mixed, constraints=["x1 - u + x2 = 0"], dfmethod="repeated")
    # The anova method takes the smallest of the tied coefficients.
    tied = sparsemixed.mixed("y x1 x4 || g: x4", data, constraints=["x1 = x4"], dfmethod="anova")
    assert tied.df["x1"] == tied.df["x4"] == 39


def test_the_text_picks_numbers(data):
    fit = sparsemixed.mixed(
        "y x1 x2 x3 || g:, constraints(2)", data, constraints={1: "x1 = x2", 2: "x3 = x2", 9: "no such thing"}
    )
    assert fit.fit.design.constraints.labels == ("- [y]x2 + [y]x3 = 0",)
    listed = sparsemixed.mixed("y x1 x2 x3, const(2-3, 1) || g:", data, constraints=["x1 = x2", "x3 = 1", "_cons"])
    assert listed.fit.design.constraints.labels == ("[y]x3 = 1", "[y]_cons = 0", "[y]x1 - [y]x2 = 0")


def test_formulas_and_prefixes(data):
    command = sparsemixed.mixed("y x1 x2 x3 || g:", data, constraints=["[y]x1 = _b[x2]", "_b[y:x3] - 1/2"])
    formula = sparsemixed.mixed("y ~ x1 + x2 + x3 + (1 | g)", data, constraints=TIED)
    assert formula.llf == pytest.approx(command.llf, rel=1e-12)
    assert formula.fit.design.constraints.labels == ("[y]x1 - [y]x2 = 0", "[y]x3 = .5")
    chain = sparsemixed.mixed("y ~ x1 + x2 + x3 + (1 | g)", data, constraints=["x1 = x2 = x3 = 1"])
    assert list(chain.params[:3]) == [1, 1, 1]
    assert chain.fit.design.constraints.labels == ("[y]x1 - [y]x2 = 0", "[y]x1 - [y]x3 = 0", "[y]x1 = 1")
    assert sparsemixed.mixed("y x1 || g:", data, constraints="x1").params["x1"] == 0
    assert sparsemixed.mixed("y x1 || g:", data, constraints=[]).fit.design.constraints is None


def test_factors(data):
    fit = sparsemixed.mixed("y i.a x1 || g:", data, constraints=["2.a = 3.a", "4.a = 1b.a"])
    same = sparsemixed.mixed("y b x1 || g:", data.assign(b=data.a.isin([2, 3]) * 1.0))
    assert fit.llf == pytest.approx(same.llf, rel=1e-10)
    assert list(fit.params[:3]) == pytest.approx([same.params["b"], same.params["b"], 0])
    assert fit.fit.design.constraints.labels == ("[y]2.a - [y]3.a = 0", "- [y]1b.a + [y]4.a = 0")
    assert fit.testparm("i.a").df == 1
    table = fit.contrast("r.a")
    assert np.isnan(table.effects["pvalue"].iloc[2])
    assert table.df == 1
    for method in ("bonferroni", "scheffe", "tukey"):
        pairs = fit.pwcompare("a", mcompare=method).effects
        assert pairs["low"].isna().sum() == pairs["pvalue"].isna().sum() == 2


@pytest.mark.parametrize(
    ("constraints", "message", "at"),
    [
        (["x1 = x9"], "constraint 1: there is no coefficient x9; there are x1, x2, _cons", "x9"),
        ({3: "[z]x1 = x2"}, r"constraint 3: \[z\]x1: the only equation of fixed effects is \[y\]", "[z]"),
        (["x1*x2 = 1"], "constraint 1: a product or ratio of coefficients is not linear", "*"),
        (["x1^2 = 1"], "constraint 1: a power of coefficients is not linear", "^"),
        (["exp(x1) = 1"], r"constraint 1: there is no coefficient exp\(x1\)", "exp(x1)"),
        (["x1", "x2 >= 1"], "constraint 2: only equations can be imposed", ">"),
        (["x1 != x2"], "only equations can be imposed", "!"),
        (["x1 = "], "constraint 1: found the end", " "),
        (["1 = 2"], "constraint 1 names no coefficient", "1"),
        (["x1 = 1e999"], "beyond the range of floating point", "x1"),
    ],
)
def test_equations_that_are_not_understood(data, constraints, message, at):
    with pytest.raises(CommandError, match=message) as caught:
        sparsemixed.mixed("y x1 x2 || g:", data, constraints=constraints)
    text = list(constraints.values())[-1] if isinstance(constraints, dict) else constraints[-1]
    assert (caught.value.text, caught.value.position) == (text, text.index(at) if at.strip() else text.rindex(" "))
    assert "^" in str(caught.value).splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "constraints", "message"),
    [
        ("constraints(1 3/4)", {1: "x1 = x2"}, r"constraints\(1 3/4\): constraints 3, 4 are not defined; those defined are 1"),
        ("constraints(2)", None, r"constraints\(2\): constraint 2 is not defined; give the equations by keyword"),
        ("constraints(a)", None, "found a where numbers should be"),
        ("constraints(0)", None, "numbered from 1 to 1999"),
        ("constraints(3/1)", None, "ranges upwards"),
        ("constraints(1) constraints(2)", TIED, r"constraints\(2\) contradicts constraints\(1\)"),
        ("constraints", TIED, "needs an argument"),
        ("", 5, "option constraints takes equations, as a list or by number.*found 5"),
        ("", {"a": "x1"}, "'a' is not the number of a constraint"),
        ("", {0: "x1"}, "0 is not the number of a constraint"),
        ("", {True: "x1"}, "True is not the number"),
        ("", [3], "constraint 1 must be an equation in quotes"),
        ("", ["x1", " "], "constraint 2 is empty"),
        ("", ["x1 = 1", "x1 = 2"], "constraints 1 and 2 contradict each other"),
        ("", ["x1 = x2", "x2 = x3", "x3 = x1 + 1"], "constraints 1, 2 and 3 contradict each other"),
        ("", ["x3 = 1", "x1 = x2", "x2 = 0", "x1 = 1"], "constraints 2, 3 and 4 contradict each other"),
        ("", ["x1 = x1 + 1"], "constraint 1 cannot hold: it comes down to 0 = 1"),
        ("", ["x1 = 1 = 2"], "constraint 1 contradicts itself"),
    ],
)
def test_refused(data, options, constraints, message):
    with pytest.raises(SparseMixedError, match=message):
        sparsemixed.mixed(f"y x1 x2 x3 || g:, {options}" if options else "y x1 x2 x3 || g:", data, constraints=constraints)


def test_undefined_numbers_are_pointed_at():
    with pytest.raises(OptionError) as caught:
        read_model("y x1, constraints(2) || g:", {"constraints": ["x1"]})
    assert caught.value.position == 6


def notes(data, command, constraints):
    design = build_design(read_model(command, {"constraints": constraints}), data)
    return design.notes, design.constraints


def test_what_is_dropped(data):
    found, kept = notes(data, "y x1 x2 x3 || g:", ["x1 = x2", "2*x2 = 2*x1", "x2/3 = x3", "3*x3 = x1"])
    assert found == (
        "note: constraint 2 is implied by the others; dropped.",
        "note: constraint 4 is implied by the others; dropped.",
    )
    assert kept.labels == ("[y]x1 - [y]x2 = 0", ".3333333*[y]x2 - [y]x3 = 0")
    found, kept = notes(data, "y x1 x2 x3 || g:", ["x1 = x2", "x1 = x2 = x3"])
    assert found == ("note: constraint 2 ([y]x1 - [y]x2 = 0) is implied by the others; dropped.",)
    found, kept = notes(data, "y i.a || g:", {5: "1.a = 0"})
    assert found == ("note: constraint 5 holds without being imposed, because 1b.a is zero in this model; dropped.",)
    assert kept is None
    assert notes(data, "y x1 || g:", ["x1 = x1"])[0] == ("note: constraint 1 holds without being imposed; dropped.",)
    twice = data.assign(copy=2 * data.x1)
    found, kept = notes(twice, "y x1 copy || g:", ["x1 = copy + 1", "copy = 0"])
    assert found[1:] == ("note: constraint 2 holds without being imposed, because o.copy is zero in this model; dropped.",)
    np.testing.assert_array_equal(kept.a, [1, 0])
    with pytest.raises(OptionError, match=r"constraint 1 cannot hold: it comes down to 0 = 1, because o.copy is zero"):
        notes(twice, "y x1 copy || g:", ["copy = 1"])
    assert "note: constraint 2 is implied" in str(sparsemixed.mixed("y x1 x2 || g:", data, constraints=["x1", "2*x1"]))


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_every_coefficient_fixed(data, model, reml):
    constraints = ["x1", "x2 = 1", "x1 + x2 + x4 = 1", "_cons = 1"]
    fit = sparsemixed.mixed(f"y x1 x2 x4 {MODELS[model]}", data, reml=reml, constraints=constraints)
    random = MODELS[model]
    without = data.assign(r=data.y - data.x2 - 1)
    none = sparsemixed.mixed(f"r, noconstant {random}", without, reml=reml)
    assert fit.llf == pytest.approx(none.llf, rel=1e-10)
    assert list(fit.params) == [0, 1, 0, 1]
    assert not fit.cov_params().to_numpy().any()
    assert (fit.e["df_m"], fit.e["k_f"]) == (0, 0)
    assert "Wald chi2(0)" in str(fit)
    if reml:
        assert fit.estat.df(["residual", "satterthwaite", "kroger"]).isna().to_numpy().all()


def test_tests_that_meet_the_constraints(data):
    fit, other = pair(data, "|| g:")
    assert fit.test("x1 x2").statistic == pytest.approx(other.test("x12").statistic)
    assert fit.test("x1 x2").df == 1
    assert fit.test("x1 x2").note == "Constraint 2 dropped: implied by the constraints of the model."
    for text, note in (
        ("x3 = 0.5", "implied by the constraints of the model"),
        ("x1 = x2", "implied by the constraints of the model"),
        ("x3", "false under the constraints of the model, whatever the data"),
    ):
        found = fit.test(text)
        assert (found.df, found.note) == (0, f"Constraint 1 dropped: {note}.")
        assert np.isnan(found.statistic)
        assert np.isnan(found.pvalue)
        assert "Constraint 1 dropped" in str(found)
    some = fit.test("(x3 = 0) (x4 = 0) (x1 = x2)")
    assert some.statistic == pytest.approx(other.test("x4").statistic)
    assert "Constraint 1 dropped: false" in some.note
    assert "Constraint 3 dropped: implied" in some.note
    combination = fit.lincom("x1 - x2")
    assert (combination.estimate, combination.std_err) == (pytest.approx(0, abs=1e-14), 0)
    assert np.isnan(combination.pvalue)
    assert "(constrained)" in str(combination)


def test_the_first_of_contradictory_hypotheses_is_tested(data):
    """Under x1 + x2 = 1 the header asks for x1 = 0 and x2 = 0; Stata's test keeps the first."""
    fit = sparsemixed.mixed("y x1 x2 || g:", data, constraints=["x1 + x2 = 1"])
    assert fit.e["df_m"] == 1
    assert fit.e["chi2"] == pytest.approx(fit.zvalues["x1"] ** 2)
    rows = np.eye(3)
    assert list(moving_rows(fit.fit, rows).kept) == [True, False, True]
    assert list(moving_rows(fit.fit, rows).holds) == [True, False, True]
    assert list(moving_rows(fit.fit, rows, np.array([0.0, 1, 0])).holds) == [True, True, True]
    assert list(held_rows(fit.fit, np.array([[1.0, 1, 0], [1, 2, 0]]))) == [True, False]


def test_likelihood_ratio_tests(data):
    free = sparsemixed.mixed("y x1 x2 x3 x4 w || g:", data)
    tied, _ = pair(data, "|| g:")
    found = sparsemixed.lrtest(free, tied)
    assert (found.df, found.statistic) == (2, pytest.approx(2 * (free.llf - tied.llf)))
    slopes = sparsemixed.mixed("y x1 x2 x3 x4 w || g: x4", data, constraints=TIED)
    assert sparsemixed.lrtest(tied, slopes).df == 1
    assert sparsemixed.lrtest(tied, slopes).mixture_pvalue < sparsemixed.lrtest(tied, slopes).pvalue
    with pytest.raises(OptionError, match="so neither is nested"):
        sparsemixed.lrtest(tied, pair(data, "|| g:", ["x1 = x3", "x2"])[0])


def test_reml_likelihoods_are_compared_under_the_same_constraints(data):
    free = sparsemixed.mixed("y x1 x2 x3 x4 w || g:", data, reml=True)
    tied, _ = pair(data, "|| g:", reml=True)
    with pytest.raises(OptionError, match="different fixed parts or constraints"):
        sparsemixed.lrtest(free, tied)
    same = sparsemixed.mixed("y x4 x1 w x3 x2 || g: x4", data, reml=True, constraints=["2*x3 = 1", "x2 - x1 = 0"])
    assert sparsemixed.lrtest(tied, same).df == 1
    for other in (["x1 = x2", "x3 = 0.6"], ["x1 = x3", "x2 = 0.5"]):
        fit = sparsemixed.mixed("y x1 x2 x3 x4 w || g: x4", data, reml=True, constraints=other)
        with pytest.raises(OptionError, match="different fixed parts or constraints"):
            sparsemixed.lrtest(tied, fit)
    scaled = sparsemixed.mixed("z x12 x4 w || g: x4", data, reml=True, constraints=["x12 = 0"])
    with pytest.raises(OptionError):
        sparsemixed.lrtest(tied, scaled)


TABLE = """\
 ( 1)  [y]x1 - [y]x2 = 0
 ( 2)  [y]x3 = .5
------------------------------------------------------------------------------
           y | Coefficient  Std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------"""


def test_tables(data):
    fit, _ = pair(data, "|| g:")
    text = str(fit)
    assert f"\n\n{TABLE}\n" in text
    rows = {line.partition("|")[0].strip(): line for line in text.splitlines()}
    assert rows["x3"] == "          x3 |         .5  (constrained)"
    assert rows["x1"].partition("|")[2] == rows["x2"].partition("|")[2]
    for quiet in (
        fit.summary(nocnsreport=True),
        str(sparsemixed.mixed(fit.fit.spec.text + ", nocnsreport", data, constraints=TIED)),
    ):
        assert "( 1)" not in quiet
        assert "(constrained)" in quiet
    alone = fit.summary(nofetable=True, noheader=True)
    assert alone.startswith(" ( 1)  [y]x1 - [y]x2 = 0\n ( 2)  [y]x3 = .5\n\n---")
    html, latex = fit._repr_html_(), fit.to_latex()
    assert "<p> ( 1)  [y]x1 - [y]x2 = 0<br> ( 2)  [y]x3 = .5</p>" in html
    assert '<td colspan="5">(constrained)</td>' in html
    assert "( 1)  [y]x1 - [y]x2 = 0\\\\\n ( 2)  [y]x3 = .5" in latex
    assert "x3 & .5 & (constrained)" in latex
    assert "not defined" not in pair(data, "|| g:", reml=True, dfmethod="kroger")[0].summary()


def test_long_constraints_are_wrapped(data):
    many = data.assign(**{f"a_rather_long_name_{i}": np.cos(np.arange(len(data)) * i) for i in range(1, 6)})
    names = [f"a_rather_long_name_{i}" for i in range(1, 6)]
    text = str(sparsemixed.mixed(f"y {' '.join(names)} || g:", many, constraints=[" + ".join(names) + " = 1"]))
    block = text[text.index(" ( 1)") :].partition("\n---")[0].splitlines()
    assert len(block) == 3
    assert all(line.startswith(("       [y]", "       +")) for line in block[1:])


def test_stored_results(data):
    fit, _ = pair(data, "|| g:")
    found = fit.e["Cns"]
    assert list(found.columns[:-1]) == list(fit.e["b"].columns)
    assert found.columns[-1] == ("_Cns", "_r")
    np.testing.assert_allclose(found.to_numpy()[:, :-1] @ fit.e["b"].to_numpy()[0], found[("_Cns", "_r")], atol=1e-14)
    assert found.shape == (2, 9)
    assert "e(Cns): DataFrame" in repr(fit.e)
    with pytest.raises(KeyError, match=r"only with constraints\(\)"):
        sparsemixed.mixed("y x1 || g:", data).e["Cns"]
    factor = sparsemixed.mixed("y i.a || g:", data, constraints=["3.a = 2"]).e["Cns"]
    assert dict(factor.loc["r1"][factor.loc["r1"] != 0]) == {("y", "3.a"): 1, ("_Cns", "_r"): 2}


def test_command_line(data, tmp_path, capsys):
    data.to_csv(tmp_path / "d.csv", index=False)
    arguments = ["fit", str(tmp_path / "d.csv"), "y x1 x2 x3 || g:", "--constraint", "x1 = x2", "--constraint", "x3"]
    assert cli.main(arguments) == 0
    assert "\n ( 1)  [y]x1 - [y]x2 = 0\n ( 2)  [y]x3 = 0\n---" in capsys.readouterr().out
    assert cli.main([*arguments[:2], "y x1, constraints(1) || g:"]) == 2
    assert "--constraint" in capsys.readouterr().err


def test_units_do_not_matter(data):
    """Coefficients from 1e-9 to 1e9: tied ones stay tied, and nothing mixes by rounding."""
    scaled = data.assign(x1=data.x1 * 1e9, x2=data.x2 * 1e-9, x3=data.x3 * 1e6)
    fit = sparsemixed.mixed("y x1 x2 x3 x4 w || g:", scaled, constraints=["1e18*x1 = x2", "2e-6*x3 = 1e-12"])
    _, other = pair(data, "|| g:")
    back = np.array([1e9, 1e-9, 1e6, 1, 1, 1])
    np.testing.assert_allclose(fit.params * back, K @ other.params.to_numpy() + [0, 0, 0.5, 0, 0, 0], rtol=1e-7)
    assert fit.llf == pytest.approx(other.llf, rel=1e-9)
    nearly = sparsemixed.mixed("y x1 x2 || g:", data, constraints=["1e10*x1 + x2 = 0", "x1 = 0"])
    assert list(nearly.params[:2]) == [0, 0]


def test_rescaled_equations_are_judged_alike():
    rng = np.random.default_rng(1)
    C = rng.integers(-2, 3, (6, 5)).astype(float)
    C[4:] = C[:2] + 3 * C[2:4]
    for scales in (np.ones(11), 10.0 ** rng.integers(-9, 10, 11)):
        rows, elimination = scales[:6, None] * C * scales[6:], Elimination()
        added = [elimination.add(row, 0.0, i).independent for i, row in enumerate(rows)]
        assert added == [np.linalg.matrix_rank(C[: i + 1]) > np.linalg.matrix_rank(C[:i]) if i else True for i in range(6)]
