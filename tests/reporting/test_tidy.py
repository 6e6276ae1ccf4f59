"""Fits as tidy data frames: broom.mixed's names, and the numbers of `Results`."""

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import OptionError

NUMBERS = ["estimate", "std.error", "statistic", "df", "p.value", "conf.low", "conf.high"]


@pytest.fixture(scope="module")
def data():
    return sparsemixed.datasets.simulate_longitudinal(60, 5, seed=4).assign(arm=lambda d: d["id"] % 3)


@pytest.fixture(scope="module")
def fit(data):
    return sparsemixed.mixed("y i.arm time || id: time, covariance(unstructured)", data)


def test_columns_and_order(fit):
    found = fit.tidy()
    assert list(found) == ["effect", "group", "term", *NUMBERS]
    assert found["term"].tolist() == [*fit.params.index, "var(time)", "var(_cons)", "cov(time,_cons)", "var(Residual)"]
    assert found["effect"].tolist() == ["fixed"] * 4 + ["ran_pars"] * 4
    assert found["group"].isna().tolist() == [True] * 4 + [False] * 4
    assert found["group"].tolist()[4:] == ["id", "id", "id", "Residual"]
    assert all(found[name].dtype == float for name in NUMBERS)
    parts = [fit.tidy("fixed"), fit.tidy("ran_pars")]
    pd.testing.assert_frame_equal(found, pd.concat(parts, ignore_index=True))


def test_numbers_are_those_of_the_fit(fit):
    fixed, random = fit.tidy("fixed", level=90), fit.tidy("ran_pars")
    for name, series in {"estimate": fit.params, "std.error": fit.bse, "statistic": fit.zvalues, "p.value": fit.pvalues}.items():
        assert np.array_equal(fixed[name], series)
    assert np.array_equal(fixed[["conf.low", "conf.high"]], fit.conf_int(90))
    assert fixed["df"].isna().all()
    assert np.array_equal(random[["estimate", "std.error", "conf.low", "conf.high"]], fit.random_params)
    assert list(fit.tidy(conf_int=False))[-1] == "p.value"


def test_small_samples_have_degrees_of_freedom(data):
    fit = sparsemixed.mixed("y i.arm time || id:, reml dfmethod(kroger)", data)
    fixed = fit.tidy("fixed")
    assert np.array_equal(fixed["df"], fit.df)
    assert np.array_equal(fixed["p.value"], fit.pvalues)


def test_standard_deviations_where_the_fit_shows_them(data):
    fit = sparsemixed.mixed("y time || id: time, covariance(unstructured) stddeviations", data)
    assert fit.tidy("ran_pars")["term"].tolist() == ["sd(time)", "sd(_cons)", "corr(time,_cons)", "sd(Residual)"]


def test_groups_of_crossed_factors_and_residual_structures(data):
    ratings = sparsemixed.datasets.simulate_crossed(500, 40, 15, seed=2)
    crossed = sparsemixed.mixed("y x || _all: R.item || user:", ratings).tidy("ran_pars")
    assert crossed[["group", "term"]].to_numpy().tolist() == [
        ["_all", "var(R.item)"], ["user", "var(_cons)"], ["Residual", "var(Residual)"],
    ]  # fmt: skip
    ar = sparsemixed.mixed("y time || id:, noconstant residuals(ar 1, t(time))", data).tidy("ran_pars")
    assert ar["group"].tolist() == ["Residual", "Residual"]


def test_glance(fit, data):
    row = fit.glance()
    assert len(row) == 1
    assert list(row) == ["nobs", "sigma", "logLik", "AIC", "BIC", "deviance", "df.residual", "converged"]
    found = row.iloc[0]
    assert (found["nobs"], found["df.residual"], found["converged"]) == (300, 300 - 8, True)
    assert found["sigma"] ** 2 == pytest.approx(fit.random_params.loc[("", "var(Residual)"), "estimate"])
    assert (found["logLik"], found["AIC"], found["BIC"]) == pytest.approx((fit.llf, fit.aic, fit.bic))
    reml = sparsemixed.mixed("y time || id:, reml", data)
    assert reml.glance()["REMLcrit"][0] == -2 * reml.llf
    assert "deviance" not in reml.glance()


def test_sigma_is_that_of_the_first_errors_where_they_differ(data):
    for residuals in ("unstructured, t(time)", "independent, by(arm)", "ar 1, t(time)"):
        fit = sparsemixed.mixed("y time || id:, noconstant", data, residuals=residuals)
        first = next(x for (_, label), x in fit.random_params["estimate"].items() if "var(e" in label)
        assert fit.glance()["sigma"][0] ** 2 == pytest.approx(first)


def test_saved_fits_say_the_same_without_their_data(fit, tmp_path):
    fit.save(tmp_path / "fit.smx")
    loaded = sparsemixed.load(tmp_path / "fit.smx")
    pd.testing.assert_frame_equal(loaded.tidy(), fit.tidy())
    pd.testing.assert_frame_equal(loaded.glance(), fit.glance())
    assert str(sparsemixed.compare(loaded)) == str(sparsemixed.compare(fit))


def test_unknown_effects_are_refused(fit):
    with pytest.raises(OptionError, match="ran_vals"):
        fit.tidy("ran_vals")
