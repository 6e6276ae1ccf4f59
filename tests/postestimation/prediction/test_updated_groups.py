"""Effects of groups given new responses, against the joint distribution of old and new rows at the fitted parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import DataError, NoResponseWarning, NotAvailableError, OptionError
from tests.oracles.marginal import covariance_of


def joint(fit, old, new, response="y"):
    """Predictions of new rows' x'b + zu and their variances, beta_hat fixed with its own error, from V of all rows.

    With tau = Z_n b: what old and new responses tell of it at beta_hat; beta_hat is a function of the old rows alone.
    """
    both = pd.concat([old, new], ignore_index=True)
    told = both[response].notna().to_numpy()
    cov, errors = covariance_of(fit, both)
    n, names = len(old), list(fit.params.index)
    X = np.column_stack([np.ones(len(both)) if name == "_cons" else both[name] for name in names])
    V = cov + errors
    Vt = V[np.ix_(told, told)]
    weights = cov[n:][:, told] @ np.linalg.inv(Vt)
    residual = (both[response] - X @ fit.params.to_numpy()).to_numpy()[told]
    mean = X[n:] @ fit.params.to_numpy() + weights @ residual
    # Error: tau given beta known, and beta_hat's, which is A y_old: its errors are correlated with those of nothing else here,
    # because b_hat uses the residuals of the old rows too: Cov(tau_hat - tau, beta_hat) by the linear forms.
    old_rows = np.arange(n)
    Vo = V[np.ix_(old_rows, old_rows)]
    Phi = np.linalg.inv(X[:n].T @ np.linalg.solve(Vo, X[:n]))
    A = Phi @ X[:n].T @ np.linalg.inv(Vo)
    full = np.zeros((len(new), len(both)))
    full[:, told] = weights
    full[:, :n] += (X[n:] - full[:, told] @ X[told]) @ A
    variance = np.einsum("mi,ij,mj->m", full, V, full) - 2 * np.einsum("mi,mi->m", full, cov[n:]) + np.diag(cov)[n:]
    return mean, variance


def shapes():
    data = simulate_longitudinal(30, 5, seed=3).rename(columns={"id": "user"})
    data["t"] = data.time
    data["clinic"] = data.user % 6
    data["item"] = np.random.default_rng(1).integers(0, 8, len(data))
    return data


MODELS = [
    ("y time || user:, reml", {}),
    ("y time || user: time, covariance(unstructured)", {}),
    ("y time || clinic: || user: time, reml", {}),
    ("y time || _all: R.item || user:, reml", {}),
    ("y time || user:, reml", {"precision_weights": "1 + t"}),
]


def new_rows(data, seed=5):
    """Rows of new and known users, of new and known clinics and items, some without a response."""
    rng = np.random.default_rng(seed)
    new = data.sample(24, random_state=seed).reset_index(drop=True)
    new.loc[:11, "user"] = 500 + np.arange(12) // 3
    new.loc[:5, "clinic"] = 77
    new.loc[6:11, "clinic"] = 2
    new["y"] = new.y + rng.normal(size=len(new))
    new.loc[[2, 5, 9, 10, 11, 20], "y"] = np.nan
    return new


@pytest.mark.filterwarnings("ignore::sparsemixed.errors.NoResponseWarning")
@pytest.mark.parametrize(("model", "options"), MODELS)
def test_predictions_given_new_responses(model, options):
    data = shapes()
    fit, new = sparsemixed.mixed(model, data, **options), new_rows(data)
    mean, variance = joint(fit, data, new)
    found = fit.predict(new, "fitted", update=True, se=True)
    np.testing.assert_allclose(found.predicted, mean, rtol=1e-9)
    np.testing.assert_allclose(found.se**2, variance, rtol=1e-8)
    np.testing.assert_allclose(fit.predict(new, "fitted", update=True), mean, rtol=1e-9)
    prediction = fit.predict(new, "fitted", update=True, interval="prediction")
    errors = fit.scale / (1.0 + new.t if options else 1.0)
    np.testing.assert_allclose(prediction.se**2, variance + errors, rtol=1e-8)


def test_correlated_errors_of_new_groups():
    data = shapes()
    fit = sparsemixed.mixed("y time || user:, residuals(ar 1, t(t)) reml", data)
    new = new_rows(data).assign(t=np.tile([0.0, 2.0, 3.0], 8), user=600 + np.arange(24) // 3)
    with pytest.warns(NoResponseWarning, match="1 of user"):
        found = fit.predict(new, "fitted", update=True, se=True)
    mean, variance = joint(fit, data, new)
    np.testing.assert_allclose(found.predicted, mean, rtol=1e-9)
    np.testing.assert_allclose(found.se**2, variance, rtol=1e-8)
    with pytest.raises(NotAvailableError, match="errors of new rows of known groups of user are correlated"):
        fit.predict(new_rows(data).assign(t=np.arange(24.0) + 9), "fitted", update=True)
    alone = sparsemixed.mixed("y time || user:, noconstant residuals(ar 1, t(t))", data)
    assert alone.fit.design.random == ()


@pytest.mark.filterwarnings("ignore::sparsemixed.errors.NoResponseWarning")
def test_effects_of_new_groups_on_loaded_fits(tmp_path):
    data = shapes()
    fit = sparsemixed.mixed("y time || user: time, covariance(unstructured) reml", data)
    fit.save(tmp_path / "bare.fit")
    fit.save(tmp_path / "errors.fit", errors=True)
    bare, errors = (sparsemixed.load(tmp_path / f"{name}.fit") for name in ("bare", "errors"))
    new = new_rows(data)
    fresh = new[new.user >= 500]
    expected = fit.random_effects_for(new)["user"]
    pd.testing.assert_frame_equal(bare.random_effects_for(fresh)["user"], fit.random_effects_for(fresh)["user"])
    pd.testing.assert_frame_equal(errors.random_effects_for(new)["user"], expected)
    with pytest.raises(DataError, match="saved without its data"):
        bare.random_effects_for(new)
    assert expected.responses.sum() == new.y.notna().sum()
    own = expected.set_index("user")
    at = fit.predict(new, "fitted", update=True) - fit.predict(new)
    np.testing.assert_allclose(
        at, own.loc[new.user, "_cons"].to_numpy() + own.loc[new.user, "time"].to_numpy() * new.time, atol=1e-12
    )
    silent = own[own.responses == 0]
    known = fit.random_effects["user"].set_index("user")
    np.testing.assert_allclose(silent.loc[silent.index >= 500, ["time", "_cons"]], 0.0, atol=0)
    old = silent.index[silent.index < 500]
    np.testing.assert_allclose(silent.loc[old, ["time", "_cons"]], known.loc[old, ["time", "_cons"]], rtol=1e-9)
    spread = fit.random_effects_se["user"].set_index("user")
    np.testing.assert_allclose(silent.loc[old, "se(time)"], spread.loc[old, "time"], rtol=1e-9)


def test_whoever_gives_no_response_is_told_of():
    data = shapes()
    fit, new = sparsemixed.mixed("y time || clinic: || user:", data), new_rows(data)
    with pytest.warns(NoResponseWarning, match="gave no response and are predicted without an effect: 1 of user"):
        found = fit.predict(new, "fitted", update=True)
    clinic = fit.random_effects_for(new.drop(index=[9, 10, 11]))["clinic"].set_index("clinic")["_cons"]
    np.testing.assert_allclose(found[9:12], fit.predict(new)[9:12] + clinic[2], rtol=1e-12)
    with pytest.raises(DataError, match="3 rows belong to groups of user that the sample did not have: 2 503"):
        fit.predict(new, "fitted", update=True, new_levels="error")


def test_what_cannot_be():
    data = shapes()
    fit, new = sparsemixed.mixed("y time || user:", data), new_rows(data)
    for options, message in [
        ({"data": None}, "update takes new data"),
        ({"what": "xb"}, "update is for fitted, not for xb"),
        ({"new_levels": "draw"}, 'update and new_levels="draw" exclude each other'),
        ({"se": "corrected"}, 'update and se="corrected" exclude each other'),
    ]:
        with pytest.raises(OptionError, match=message):
            fit.predict(**{"data": new, "what": "fitted", "update": True, **options})
    with pytest.raises(sparsemixed.errors.CommandError, match="variable `y` not found"):
        fit.random_effects_for(new.drop(columns="y"))
    with pytest.raises(OptionError, match="the model has no random effects"):
        sparsemixed.mixed("y time", data).random_effects_for(new)
    weighted = sparsemixed.mixed("y time [fweight=item] || user:", data.assign(item=1))
    with pytest.raises(NotAvailableError, match="after weights that replicate observations"):
        weighted.random_effects_for(new)
