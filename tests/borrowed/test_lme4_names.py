"""lme4's functions of fits as methods, against lme4."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, OptionError
from tests.golden import golden, load

FIGURES = golden("lme4_methods")
PAIRS = {
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", "Reaction ~ 1 + (1 | Subject)"),
    "penicillin": ("diameter ~ x + (1 | plate) + (1 | sample)", "diameter ~ x + (1 | plate)"),
    "cake": ("angle ~ recipe + temp + (1 | recipe:replicate)", "angle ~ temp + (1 | recipe:replicate)"),
}
NAMES = {"recipeB": "B.recipe", "recipeC": "C.recipe"}
ONE = [name for name in PAIRS if name != "penicillin"]


def fits(name: str, reml: bool = True):
    return tuple(sparsemixed.mixed(model, load(name), reml=reml) for model in PAIRS[name])


@pytest.mark.parametrize("name", PAIRS)
def test_variances_and_correlations(name):
    table, theirs = fits(name)[0].VarCorr(), FIGURES[name]
    assert list(table.columns) == ["grp", "var1", "var2", "vcov", "sdcor"]
    texts = table[["grp", "var1", "var2"]].map(lambda text: text or "")
    # lme4 has the constant first.
    keys = [" ".join(filter(None, row)).replace("Days _cons", "_cons Days") for row in texts.to_numpy()]
    assert dict(zip(keys, table["vcov"], strict=True)) == pytest.approx(theirs["vcov"], rel=1e-4)
    assert dict(zip(keys, table["sdcor"], strict=True)) == pytest.approx(theirs["sdcor"], rel=1e-4)


@pytest.mark.parametrize("name", PAIRS)
def test_coefficients_of_the_first_group(name):
    fit, theirs = fits(name)[0], FIGURES[name]
    for level, figures in theirs["coef"].items():
        frame = fit.coef(level)
        group = theirs["groups"][level]
        index = [":".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in frame.index]
        mine = frame.iloc[index.index(group)]
        assert mine.to_dict() == pytest.approx({NAMES.get(n, n): v for n, v in figures.items()}, rel=1e-4, abs=1e-7)
        assert list(frame.columns)[: len(fit.params)] == list(fit.fixef().index)


@pytest.mark.parametrize("name", ONE)
def test_the_only_level_needs_no_name(name):
    fit = fits(name)[0]
    (level,) = fit.ranef()
    assert fit.coef().equals(fit.coef(level))


def test_coefficients_need_a_level_that_is_there():
    fit = fits("penicillin")[0]
    with pytest.raises(OptionError, match="name a level; the levels are plate, sample"):
        fit.coef()
    with pytest.raises(OptionError, match=r"no level 'plates'; did you mean plate\?; the levels are plate, sample"):
        fit.coef("plates")
    with pytest.raises(OptionError, match="no random effects"):
        sparsemixed.mixed("diameter ~ x", load("penicillin")).coef()


def test_coefficients_in_a_command():
    """Random effects without a fixed one of their name stay as they are, those of R.varname shift the constant."""
    data = load("penicillin")
    fit = sparsemixed.mixed("diameter || _all: R.sample || plate: x", data)
    own = fit.coef("plate")
    assert list(own.columns) == ["_cons", "x"]
    effects = fit.ranef()["plate"]
    assert own["x"].to_numpy() == pytest.approx(effects["x"].to_numpy())
    assert own["_cons"].to_numpy() == pytest.approx(fit.params["_cons"] + effects["_cons"].to_numpy())
    whole = fit.coef("_all: R.sample")
    assert whole["_cons"].to_numpy() == pytest.approx(fit.params["_cons"] + fit.ranef()["_all: R.sample"]["R.sample"].to_numpy())
    assert list(whole.index) == list("ABCDEF")


@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("name", PAIRS)
def test_anova_of_two_fits(name, reml):
    large, small = fits(name, reml)
    theirs = FIGURES[name]["anova"]
    for table in (sparsemixed.anova(large, small), small.anova(large)):
        for row, part in enumerate(("small", "large")):
            assert table.frame[list(theirs[part])].iloc[row].to_dict() == pytest.approx(theirs[part], rel=1e-6)
        last = table.frame.iloc[1]
        assert last["statistic"] == pytest.approx(theirs["statistic"], rel=1e-4)
        assert last["df"] == theirs["df"]
        assert last["pvalue"] == pytest.approx(theirs["pvalue"], rel=1e-2)
        assert table.frame.iloc[0][["statistic", "df", "pvalue"]].isna().all()
        assert any("fitted again by maximum likelihood" in note for note in table.notes) == reml
    assert large.fit.spec.estimation.method == ("reml" if reml else "ml")  # the fits themselves stay as they are
    test = sparsemixed.lrtest(*fits(name, reml=False))
    assert last["statistic"] == pytest.approx(test.statistic, rel=1e-6)


def test_anova_without_refits():
    data = load("sleepstudy")
    slopes, levels, less = (
        sparsemixed.mixed(model, data, reml=True)
        for model in ("Reaction ~ Days + (Days | Subject)", "Reaction ~ Days + (1 | Subject)", "Reaction ~ 1 + (1 | Subject)")
    )
    table = sparsemixed.anova(slopes, levels, refit=False, names=["slopes", "levels"])
    assert list(table.frame.index) == ["levels", "slopes"]
    assert table.statistic[1] == pytest.approx(sparsemixed.lrtest(slopes, levels).statistic)
    with pytest.raises(OptionError, match="anova: REML likelihoods with different fixed parts"):
        sparsemixed.anova(slopes, less, refit=False)


def test_anova_of_what_cannot_be_compared(tmp_path):
    data = load("sleepstudy")
    fit = sparsemixed.mixed("Reaction ~ Days + (Days | Subject)", data, reml=True)
    with pytest.raises(OptionError, match="anova compares fits: anova"):
        sparsemixed.anova(fit)
    with pytest.raises(OptionError, match="anova: the fits have 1"):
        fit.anova(sparsemixed.mixed("Reaction ~ Days + (1 | Subject)", data[data["Days"] > 1], reml=True))
    with pytest.raises(OptionError, match="anova: names must be 2 different names"):
        fit.anova(fit, names=["a", "a"])
    with pytest.raises(OptionError, match="anova: with robust standard errors"):
        fit.update(vce="robust", reml=False).anova(fit.update("Reaction ~ Days + (1 | Subject)"))
    fit.save(tmp_path / "without.smx")
    with pytest.raises(OptionError, match="does not hold its data, by which it could be fitted again"):
        sparsemixed.load(tmp_path / "without.smx").anova(fit.update(". ~ . - Days"))
    fit.save(tmp_path / "with.smx", data=True)
    less = fit.update(". ~ . - Days")
    assert sparsemixed.load(tmp_path / "with.smx").anova(less).frame.equals(fit.anova(less).frame)


def test_equal_models_have_no_test():
    large, _ = fits("cake")
    table = large.anova(large.update("angle ~ recipe + temp + (1 | recipe:replicate)"))
    assert table.df[1] == 0
    assert np.isnan(table.pvalue[1])
    assert "." in str(table)


def test_a_larger_model_with_a_lower_likelihood_is_noted():
    data = load("penicillin")
    one, other = (sparsemixed.mixed(f"diameter ~ {effects}", data) for effects in ("1 + (1 | sample)", "x + (1 | plate)"))
    assert any("not nested" in note for note in one.anova(other).notes)


@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("name", PAIRS)
def test_drop1(name, reml):
    table, theirs = fits(name, reml)[0].drop1(), FIGURES[name]["drop1"]
    assert table.frame["AIC"].to_dict() == pytest.approx(theirs["AIC"], rel=1e-6)
    for column in ("df", "statistic", "pvalue"):
        assert table.frame[column].iloc[1:].to_dict() == pytest.approx(theirs[column], rel=1e-3)
    assert any("fitted again" in note for note in table.notes) == reml


@pytest.fixture
def trial():
    data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    data["arm"], data["w"] = data["id"] % 3, 1 + data["id"] % 2
    data["x"] = np.sin(np.arange(len(data)))
    return data


@pytest.mark.parametrize("model", ["y i.arm##c.time x || id:", "y ~ C(arm) * time + x + (1 | id)"])
def test_main_effects_stay_while_their_interaction_does(trial, model):
    table = sparsemixed.mixed(model, trial).drop1().frame
    interaction = "arm:time" if "~" in model else "i.arm#c.time"
    assert list(table.index) == ["<none>", "x", interaction] or list(table.index) == ["<none>", interaction, "x"]
    without = sparsemixed.mixed("y i.arm c.time x || id:", trial)
    assert table.loc[interaction, "logLik"] == pytest.approx(without.llf, rel=1e-10)
    assert table.loc[interaction, "df"] == 2


def test_drop1_keeps_weights_structures_and_conditions(trial):
    fit = sparsemixed.mixed("y time x if time > 0 || id: time, covariance(unstructured)", trial, precision_weights="w")
    table = fit.drop1().frame
    other = sparsemixed.mixed("y time if time > 0 || id: time, covariance(unstructured)", trial, precision_weights="w")
    assert table.loc["x", "logLik"] == pytest.approx(other.llf, rel=1e-10)


def test_drop1_of_what_it_cannot_do(trial, tmp_path):
    fit = sparsemixed.mixed("y ~ time + x + (1 | id)", trial)
    fit.save(tmp_path / "fit.smx", data=True)
    with pytest.raises(OptionError, match="drop1 fits again, and this fit does not know its data"):
        sparsemixed.load(tmp_path / "fit.smx").drop1()
    with pytest.raises(OptionError, match="no term that could be left out"):
        fit.update("y ~ 1 + (1 | id)").drop1()
    with pytest.raises(OptionError, match="drop1: with robust standard errors"):
        fit.update(vce="robust").drop1()
    with pytest.raises(OptionError, match="drop1: constraints name"):
        fit.update(constraints=["x = 1"]).drop1()
    gaps = trial.assign(x=trial["x"].where(trial["time"] > 0))
    with pytest.raises(DataError, match="without x the model would use 360 rows in place of 300, because x has missing values"):
        sparsemixed.mixed("y ~ time + x + (1 | id)", gaps).drop1()
    trial.loc[5, "y"] = 0.0
    with pytest.raises(DataError, match="drop1: the data have changed"):
        fit.drop1()


def test_tables_of_crossed_factors_and_of_errors(trial):
    fit = sparsemixed.mixed("y time || _all: R.arm || id:, residuals(ar 1, t(time))", trial)
    table = fit.VarCorr()
    printed = fit.random_params["estimate"].to_numpy()
    whole = table["vcov"].where(table["vcov"].notna(), table["sdcor"])
    assert whole.to_numpy() == pytest.approx(printed)
    assert table["grp"].tolist() == ["_all", "id", "Residual", "Residual"]
    assert table["var1"].tolist() == ["R.arm", "_cons", "rho", "var(e)"]


def test_exchangeable_effects_of_a_factor(trial):
    fit = sparsemixed.mixed("y time || id: R.arm, covariance(identity) || id: time", trial)
    assert isinstance(fit.VarCorr(), pd.DataFrame)
    shared = sparsemixed.mixed("y || arm: time x, covariance(exchangeable)", trial)
    table = shared.VarCorr().set_index(["grp", "var1", "var2"])["vcov"]
    assert set(np.round(table.to_numpy(), 8)) <= set(np.round(shared.random_params["estimate"].to_numpy(), 8))


def test_what_must_be_read_with_care_is_noted():
    data = load("dyestuff2")
    flat = sparsemixed.mixed("Yield ~ 1 + (1 | Batch)", data)  # its variance is zero
    assert any("counted too: 1 of (2)" in note for note in flat.anova(flat.update("Yield ~ 1")).notes)
    slopes = sparsemixed.mixed("Reaction ~ Days + (Days | Subject)", load("sleepstudy"), iterate=0)
    assert not slopes.converged
    assert any("not converged: <none>, Days" in note for note in slopes.drop1().notes)
