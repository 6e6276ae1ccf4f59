"""New responses in known groups with correlated errors, against the conditional distribution from V of old and new rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import NotAvailableError, OptionError


@pytest.fixture(scope="module")
def visits():
    data = simulate_longitudinal(20, 5, seed=3)
    data["t"] = 2.0 * data.time + (data.id % 2) * 0.5
    data["clinic"], data["w"] = data.id % 4, 1.0 + data.time
    return data


def covariance(fit, data):
    """V of any rows by the structure at the fitted parameters, the random part from printed variances."""
    design, theta = fit.fit.design, fit.fit.theta
    part = design.residual
    rho = theta[len(theta) - part.structure.n_rho :]
    t = data[fit.fit.spec.residual.t].to_numpy(float)
    R = part.structure.covariance(rho, t) * np.equal.outer(data.id.to_numpy(), data.id.to_numpy())
    if fit.fit.spec.weights is not None:
        R = R / np.sqrt(np.outer(data.w, data.w))
    V, random = fit.fit.sigma2 * R, np.zeros((len(data),) * 2)
    for row in fit.VarCorr().itertuples():
        if row.grp != "Residual" and row.var2 is None:
            level, z = row.grp, np.ones(len(data)) if row.var1 == "_cons" else data[row.var1].to_numpy()
            random += row.vcov * np.outer(z, z) * np.equal.outer(data[level].to_numpy(), data[level].to_numpy())
    return V + random


MODELS = [
    ("y time || id:, residuals(exponential, t(t)) reml", {}),
    ("y time || id: time, residuals(ar 1, t(time))", {}),
    ("y time || clinic: || id:, residuals(ar 2, t(time)) reml", {}),
    ("y time || id:, noconstant residuals(toeplitz 2, t(time)) reml", {}),
    ("y time || id:, residuals(ar 1, t(time)) reml", {"precision_weights": "w"}),
]


@pytest.mark.parametrize(("model", "options"), MODELS)
def test_responses_are_their_conditional_expectations(model, options, visits):
    keep = ~((visits.time == 2) & (visits.id % 3 == 0))
    old = visits[keep].reset_index(drop=True)
    fit = sparsemixed.mixed(model, old, **options)
    new = pd.concat([visits[~keep], visits[visits.time == 4].assign(time=6, t=13.0, w=2.0)]).reset_index(drop=True)
    new.loc[len(new) - 1, ["id", "clinic"]] = [999, 77]
    if "noconstant" in model:
        assert fit.fit.design.random == ()
    found = fit.predict(new.drop(columns="y"), "response", se=True)
    n = len(old)
    for i in range(len(new)):
        both = pd.concat([old, new.iloc[[i]]], ignore_index=True)
        V, X = covariance(fit, both), np.column_stack([both.time, np.ones(n + 1)])
        inverse = np.linalg.inv(V[:n, :n])
        Phi = np.linalg.inv(X[:n].T @ inverse @ X[:n])
        weights = V[n, :n] @ inverse
        moved = X[n] - weights @ X[:n]
        mean = X[n] @ fit.fit.beta + weights @ (old.y - X[:n] @ fit.fit.beta)
        variance = V[n, n] - weights @ V[:n, n] + moved @ Phi @ moved
        np.testing.assert_allclose([found.predicted[i], found.se[i] ** 2], [mean, variance], rtol=1e-8)
    np.testing.assert_allclose(fit.predict(new, "response"), found.predicted, rtol=1e-12)


def test_independent_errors_tell_nothing(visits):
    fit = sparsemixed.mixed("y time || id: time, reml", visits)
    found = fit.predict(visits, "response", interval="prediction", level=90)
    pd.testing.assert_frame_equal(found, fit.predict(visits, "fitted", interval="prediction", level=90))
    by_arm = sparsemixed.mixed("y time || id:, residuals(independent, by(clinic))", visits)
    np.testing.assert_allclose(by_arm.predict(visits, "response"), by_arm.predict(visits, "fitted"))


def test_observed_times_have_their_observations(visits):
    fit = sparsemixed.mixed("y time || id:, residuals(ar 1, t(time)) reml", visits)
    found = fit.predict(visits, "response", se=True)
    np.testing.assert_allclose(found.predicted, visits.y, rtol=1e-9)
    np.testing.assert_allclose(found.se, 0.0, atol=1e-6)
    missing = fit.predict(visits.head(2).assign(time=[np.nan, 1.0]), "response", se=True)
    assert missing.iloc[0].isna().all()
    assert missing.iloc[1].notna().all()


def test_what_cannot_be(visits, tmp_path):
    fit = sparsemixed.mixed("y time || id:, residuals(ar 1, t(time)) reml", visits)
    with pytest.raises(OptionError, match="response is for new data"):
        fit.predict(what="response")
    with pytest.raises(OptionError, match="intervals of responses are those of new observations"):
        fit.predict(visits, "response", interval="confidence")
    visits = visits.assign(item=visits.time % 3)
    crossed = sparsemixed.mixed("y time || _all: R.item || id:, residuals(ar 1, t(time))", visits)
    with pytest.raises(NotAvailableError, match="errors are correlated between groups of _all"):
        crossed.predict(visits.assign(time=visits.time + 9), "response")
    fit.save(tmp_path / "bare.fit")
    with pytest.raises(sparsemixed.errors.DataError, match="saved without its data"):
        sparsemixed.load(tmp_path / "bare.fit").predict(visits, "response")
