"""Small-sample inference as shown: options, header, tables of coefficients, stored results, against the manual's print."""

from __future__ import annotations

import inspect
from pkgutil import resolve_name

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.errors import OptionError
from sparsemixed.inference.degrees.table import coefficient_covariance
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.spec import DFMETHODS, VCE, SmallSample, degrees_methods
from tests.golden import golden, load
from tests.oracles import manual_fits
from tests.oracles.printed import output, same_layout

EXAMPLE_13_DF = """\
------------------------------------------------------------------
       score | Coefficient  Std. err.           DF       t    P>|t|
-------------+----------------------------------------------------
        drug |
          2  |        -.8   1.939072         12.0    -0.41   0.687
          3  |      -10.8   1.939072         12.0    -5.57   0.000
          4  |        5.6   1.939072         12.0     2.89   0.014
             |
       _cons |       26.4   3.149604          4.0     8.38   0.001
------------------------------------------------------------------"""

DRUGS = "score i.drug || person:, reml dfmethod(repeated)"
VENEER = "gcf followup base_gcf cda age || patient: followup, cov(un) || tooth:, reml nolog"


def test_repeated_measures_as_printed(manual_data):
    fit = sparsemixed.mixed(DRUGS, manual_data("t43"))
    assert same_layout(str(fit), output(13)), str(fit)
    assert same_layout(fit.summary(dftable="pvalue", noretable=True, noheader=True).rpartition("\n\n")[0], EXAMPLE_13_DF)
    assert fit.summary(small=True) == fit.summary()
    replay = fit.summary(small=False)
    assert "Wald chi2(3)     =  74.28" in replay
    assert "DF method" not in replay
    assert "P>|z|" in replay
    assert "DF        [95% conf. interval]" in fit.summary(dftable="ci")
    assert "DF: min" in fit._repr_html_()


def test_both_information_matrices(manual_data):
    """pbkrtest has the expected information, lmerTest the observed; single coefficients have the same degrees by both methods."""
    fit, figures = sparsemixed.mixed(VENEER, manual_data("veneer")), golden("dof")["veneer"]
    for information, method in {"eim": "kroger", "oim": "satterthwaite"}.items():
        table = fit.estat.df(["satterthwaite", "kroger"], information=information)
        for title in ("Satterthwaite", "Kenward-Roger"):
            assert table[title].to_dict() == pytest.approx(figures[method]["df"], rel=1e-4)
    joint = figures["satterthwaite"]["joint"]
    assert fit.estat.df(post="satterthwaite", information="oim").e["ddf_m"] == pytest.approx(joint["ddf"], rel=1e-4)
    # No program has this one: by Kenward and Roger's formulas from the estimates that the manual prints.
    assert fit.estat.df(post="kroger", information="oim").e["F"] == pytest.approx(1.50558, rel=1e-4)


def test_stored_results(manual_data):
    fit = sparsemixed.mixed(f"{VENEER} dfmethod(kroger)", manual_data("veneer"))
    e, figures = fit.e, golden("dof")["veneer"]["kroger"]
    assert (e["small"], e["dfmethod"], e["dftitle"]) == (1, "kroger", "Kenward-Roger")
    df = list(figures["df"].values())
    assert (e["df_min"], e["df_avg"], e["df_max"]) == pytest.approx((min(df), np.mean(df), max(df)), rel=1e-4)
    assert (e["F"], e["ddf_m"]) == pytest.approx((figures["joint"]["F"], figures["joint"]["ddf"]), rel=1e-4)
    assert e["p"] == pytest.approx(0.2370, abs=5e-5)  # as example 14 prints it
    assert np.allclose(np.sqrt(np.diag(e["V_df"])), fit.bse)
    assert np.allclose(e["V_df"], fit.cov_params())
    assert e["V"].iloc[0, 0] == pytest.approx(fit.fit.vcov_beta[0, 0])
    assert e["df"].equals(fit.df)
    assert "e(dftitle) = Kenward-Roger" in repr(e)
    plain = sparsemixed.mixed(VENEER, manual_data("veneer"))
    assert plain.e["small"] == 0
    with pytest.raises(KeyError, match="dfmethod"):
        plain.e["F"]


@pytest.fixture
def data():
    rng = np.random.default_rng(4)
    g, h = np.repeat(np.arange(12), 5), np.repeat(np.arange(6), 10)
    w = rng.normal(size=12)[g]
    x = rng.normal(size=60)
    y = x + w + rng.normal(size=12)[g] + rng.normal(size=6)[h] + rng.normal(size=60)
    return pd.DataFrame({"y": y, "x": x, "w": w, "g": g, "h": h})


def test_exact_methods(data):
    repeated = sparsemixed.mixed("y x w || g:", data, dfmethod="repeated")
    assert list(repeated.df) == [60 - 12 - 1, 12 - 2, 12 - 2]
    assert list(repeated.estat.df(["residual"])["Residual"]) == [57.0] * 3
    anova = sparsemixed.mixed("y x w || h: x || g: x", data, dfmethod="anova")
    assert list(anova.df)[0::2] == [5.0, 5.0]
    rank = np.linalg.matrix_rank(
        np.column_stack([data.w, *(np.eye(12)[data.g] * c[:, None] for c in (np.ones(60), data.x.values))])
    )
    assert anova.df["w"] == 60 - rank


def test_degrees_that_differ_leave_a_chi_squared_test(data):
    fit = sparsemixed.mixed("y x w || g:", data, dfmethod="repeated")
    assert "Wald chi2(2)" in str(fit)
    assert "P>|t|" in str(fit)
    assert np.isnan(fit.e["F"])
    assert np.isnan(fit.e["ddf_m"])
    assert fit.test("x = 0", small=True).ddf == 47
    assert fit.test("x = w", small=True).ddf is None
    assert "large-sample" in fit.lincom("x - w", small=True).note


def test_between_within_as_in_nlme():
    """The split-plot of Pinheiro & Bates (2000), section 1.6.1."""
    oats = load("oats")
    fit = sparsemixed.mixed("yield ~ C(nitro) + Variety + (1 | Block / Variety)", oats.assign(nitro=oats.nitro.astype(str)))
    assert fit.estat.df("betwithin")["Between-within"].to_dict() == golden("nlme")["oats between and within"]["df"]


def test_designs_that_a_method_cannot_serve(data):
    with pytest.raises(OptionError, match="two-level"):
        sparsemixed.mixed("y x || h: || g:", data, dfmethod="repeated")
    with pytest.raises(OptionError, match="nested"):
        sparsemixed.mixed("y x || _all: R.x2 || g:", data.assign(x2=np.arange(60) % 7), dfmethod="betwithin")
    with pytest.raises(OptionError, match="needs REML"):
        sparsemixed.mixed("y x || g:", data).estat.df(["kroger"])


def test_linear_models_are_exact(data):
    fit = sparsemixed.mixed("y x w", data, reml=True)
    table = fit.estat.df(["residual", "satterthwaite", "kroger"])
    assert np.allclose(table, 57.0)
    assert np.allclose(fit.estat.df(post="kroger").bse, fit.bse)


def test_variants_of_kenward_roger_without_second_derivatives(data):
    """Variances of random effects enter V linearly, so that the three agree."""
    fit = sparsemixed.mixed("y x w || h: || g: x, reml", data)
    plain, *others = [fit.estat.df(post=method) for method in ("kroger", "krfull", "kr2009")]
    for other in others:
        assert np.array_equal(other.cov_params(), plain.cov_params())
        assert np.array_equal(other.e["V_df"], plain.e["V_df"])
        assert list(other.df) == list(plain.df)
    assert "DF method: Kenward-Roger (2009)" in str(others[1])
    assert list(fit.estat.df(["kroger", "krfull"]).columns) == ["Kenward-Roger", "Kenward-Roger (full)"]


def test_a_boundary_is_said(data):
    flat = data.assign(y=np.random.default_rng(0).normal(size=60) + np.tile([1.0, -1, 0, 1, -1], 12))
    fit = sparsemixed.mixed("y x || g:, reml", flat, dfmethod="kroger")
    assert fit.fit.boundary_names
    assert "Variances of zero count as known in the degrees of freedom" in str(fit)
    assert list(fit.df) == pytest.approx([58.0, 58.0])


def test_a_perfect_correlation_is_not_said_to_be_known():
    rng = np.random.default_rng(5)
    a, x = np.repeat(np.arange(8), 6), rng.normal(size=48)
    y = rng.normal(size=8)[a] * (1 + 0.8 * x) + rng.normal(size=48)
    frame = pd.DataFrame({"y": y, "x": x, "a": a})
    fit = sparsemixed.mixed("y x || a: x, covariance(unstructured) reml dfmethod(kroger)", frame)
    assert fit.fit.boundary_names
    assert "count as known" not in str(fit)
    assert "count as known" not in str(fit.estat.df(post="kroger", information="oim"))


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ("dfmethod(residual)", SmallSample("residual")),
        ("dfm(rep)", SmallSample("repeated")),
        ("dfmethod(anova)", SmallSample("anova")),
        ("reml dfmethod(sat)", SmallSample("satterthwaite")),
        ("dfmethod(satterthwaite, eim) reml", SmallSample("satterthwaite")),
        ("reml dfmethod(kr , oim)", SmallSample("kroger", "oim")),
        ("reml dfmethod(krf)", SmallSample("krfull")),
        ("reml dfmethod(kr2009, oim)", SmallSample("kr2009", "oim")),
        ("reml", None),
    ],
)
def test_options(options, asked):
    assert read_model(f"y x || id:, {options}").estimation.dfmethod == asked
    assert read_model(f"y x, {options} || id:").estimation.dfmethod == asked


@pytest.mark.parametrize(
    ("options", "at", "message"),
    [
        ("dfmethod(kroger)", "dfmethod", "needs REML"),
        ("mle dfmethod(satterthwaite)", "dfmethod", "needs REML"),
        ("dfmethod(residual, oim)", "residual", "takes no option"),
        ("reml dfmethod(kroger, xim)", "kroger", "found xim"),
        ("reml dfmethod(foo)", "foo", "expected residual"),
        ("reml dfmethod()", ")", "nothing"),
        ("dftable(ci)", "dftable", "needs degrees of freedom"),
        ("small", "small", "needs degrees of freedom"),
        ("dfmethod(residual) dftable(foo)", "foo", "default, ci or pvalue"),
        ("dfmethod(residual) dfmethod(repeated)", "dfmethod(repeated)", "contradicts"),
    ],
)
def test_options_refused(options, at, message):
    with pytest.raises(OptionError, match=message) as caught:
        read_model(f"y x || id:, {options}")
    assert caught.value.position == f"y x || id:, {options}".rindex(at)


def test_keywords():
    spec = read_model("y ~ x + (1 | id)", {"reml": True, "dfmethod": "kroger, oim", "dftable": "pvalue"})
    assert spec.estimation.dfmethod == SmallSample("kroger", "oim")
    assert spec.display.dftable == "pvalue"
    assert read_model("y x || id:", {"dfmethod": None}).estimation.dfmethod is None


def test_replay_without_degrees_of_freedom():
    fit = sparsemixed.results.Results(manual_fits.example_1())
    with pytest.raises(OptionError, match="dfmethod"):
        fit.summary(small=True)
    with pytest.raises(OptionError, match="dfmethod"):
        fit.summary(dftable="ci")
    with pytest.raises(OptionError, match="expected default, ci or pvalue"):
        fit.summary(dftable="wide")
    with pytest.raises(OptionError, match="dfmethod"):
        fit.test("week", small=True)
    with pytest.raises(OptionError, match="name methods"):
        fit.estat.df()


def test_what_is_declared_is_bound():
    """Every declared method names what computes it, a class or function that takes what it is given."""
    assert all(name == declared.name for table in (DFMETHODS, VCE) for name, declared in table.items())
    for name, declared in degrees_methods().items():
        made = resolve_name(declared.computed_by)
        wanted = ["information"] if declared.takes_information else ["name"] if name in VCE else []
        assert list(inspect.signature(made).parameters) == wanted, name
        assert all(callable(getattr(made, method)) for method in ("covariance", "dof", "coefficients")), name
    for declared in VCE.values():
        assert bool(declared.moments) == (declared.degrees is not None)
        if declared.moments:
            assert list(inspect.signature(resolve_name(declared.moments)).parameters) == ["fit", "stack"]


def test_methods_with_a_covariance_of_their_own_are_declared_so():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": rng.integers(0, 8, 40), "x": rng.normal(size=40)})
    data["y"] = rng.normal(size=8)[data["g"]] + rng.normal(size=40)
    fit = sparsemixed.mixed("y x || g:, reml", data).fit
    for name, declared in DFMETHODS.items():
        own = not np.array_equal(coefficient_covariance(fit, SmallSample(name)), fit.vcov_beta)
        assert own == declared.own_covariance, name


def test_what_is_remembered_goes_with_the_fit():
    calls = []

    @cached_on_fit("anova-rank")
    def count(fit, key):
        calls.append(key)
        return len(calls)

    fit = manual_fits.example_1()
    assert count(fit, "a") == count(fit, "a") == 1
    assert count(fit, "b") == 2
    assert count(manual_fits.example_1(), "a") == 3


def test_values_are_kept_under_a_key_of_the_registry():
    with pytest.raises(KeyError):
        cached_on_fit("no-such-key")(len)


def test_information_criteria(manual_data):
    fit = sparsemixed.mixed("weight week || id: week", manual_data("pig"))
    other = sparsemixed.mixed("weight week || id:", manual_data("pig"))
    table, figures = fit.estat.ic(other), golden("stata")["criteria"]
    assert list(table.iloc[0, :5]) == pytest.approx(list(figures.values()), abs=6e-4)
    assert table["AICc"].iloc[0] == pytest.approx(figures["AIC"] + 60 / 426, abs=1e-3)
    assert table["CAIC"].iloc[0] == pytest.approx(figures["BIC"] + 5, abs=1e-3)
    assert len(table) == 2
