"""Standard errors and limits of predictions against dense algebra, for models of every structure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

import sparsemixed
from sparsemixed.datasets import simulate_crossed, simulate_longitudinal
from sparsemixed.errors import DataError, NotAvailableError, NumericalError, OptionError
from sparsemixed.postestimation.prediction.error_blocks import singular_errors
from tests.oracles.dense_predictions import corrected, dense, term_factors
from tests.oracles.random_models import random_model

SEEDS = [1, 2, 3, 5, 8, 36, 133]


def fitted(seed):
    model = random_model(seed)
    return sparsemixed.mixed(model.command, model.data, **model.options), model.data


def moved(data, seed):
    """Rows of the data with other combinations of groups, and groups that the sample did not have."""
    rng = np.random.default_rng(seed)
    new = data.sample(30, random_state=seed, replace=True).reset_index(drop=True)
    new["c"] = rng.integers(0, 7, len(new))
    new.loc[:4, "b"] += 100
    new.loc[5:7, "a"] += 100
    return new.drop(columns="y")


def scale_of(oracle):
    """Mean variance of a response: what rounding is measured against."""
    return np.diag(oracle.V).mean()


def check_against_dense(seed):
    fit, data = fitted(seed)
    if "unbounded" in fit.status:
        return  # V is singular: there is nothing to compare
    oracle, new = dense(fit.fit), moved(data, seed)
    size = scale_of(oracle)
    if np.linalg.eigvalsh(oracle.R)[0] < -1e-9 * np.diag(oracle.R).max():
        with pytest.raises(NumericalError, match=r"no covariance matrix|not positive definite"):
            fit.predict(what="fitted", se=True)
        return
    found = fit.predict(what="fitted", se=True)
    np.testing.assert_allclose(found.se**2, oracle.variances(*oracle.own_rows), rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(found.predicted, fit.predict(what="fitted"), rtol=1e-12)
    x, z, unknown = oracle.rows(new)
    expected = oracle.variances(x, z)
    G = [fit.fit.sigma2 * f @ f.T for f in term_factors(fit.fit)]
    expected = expected + sum(np.einsum("ma,ab,mb->m", u, g, u) for u, g in zip(unknown, G, strict=True))
    if singular_errors(fit.fit) and never_met(oracle.Z, z):
        with pytest.raises(NotAvailableError, match="groups that never met are not available"):
            fit.predict(new, "fitted", se=True)
        return
    found = fit.predict(new, "fitted", se=True)
    np.testing.assert_allclose(found.se**2, expected, rtol=1e-9, atol=1e-9 * size)
    prediction = fit.predict(new, "fitted", interval="prediction")
    errors = [error_variance(fit, row) for _, row in new.iterrows()]
    np.testing.assert_allclose(prediction.se**2, expected + errors, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(prediction.high - prediction.predicted, norm.ppf(0.975) * prediction.se, rtol=1e-12)


def never_met(Z, z):
    """Whether a row of z (m, q) has effects of two groups that share no row of Z (n, q)."""
    met = (Z != 0.0).T.astype(float) @ (Z != 0.0)
    return any((met[np.ix_(own, own)] == 0.0).any() for own in map(np.flatnonzero, z))


def error_variance(fit, row):
    """Of one new observation, as printed."""
    printed = {p.label: p.estimate for p in fit.fit.components[-1].variances}
    if fit.fit.spec.residual.name in ("unstructured", "banded"):
        levels = fit.fit.design.residual.levels
        variances = [v for k, v in printed.items() if "var(" in k]
        return variances[levels.index(f"{row.t:.0f}")]
    own = [v for k, v in printed.items() if "var(" in k]
    if fit.fit.spec.residual.by is not None:
        own = [v for k, v in printed.items() if "var(" in k and k.startswith(f"{row.arm:.0f}:")]
    structure = None if fit.fit.design.residual is None else fit.fit.design.residual.structure
    if structure is not None and "var(" not in " ".join(printed):
        raise AssertionError(printed)
    precision = fit.fit.spec.weights is not None and fit.fit.spec.weights.kind == "precision"
    return own[0] / (row.precision if precision else 1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_standard_errors_are_those_of_dense_algebra(seed):
    check_against_dense(seed)


def test_corrected_standard_errors():
    """2 g3 by differences of the predictor's weights; of xb it is Kenward and Roger's covariance."""
    seen = 0
    for seed in range(60):
        model = random_model(seed)
        if "residuals" in model.options or "[fweight" in model.command or seen == 3:
            continue
        fit = sparsemixed.mixed(model.command, model.data, **{**model.options, "reml": True})
        if fit.fit.boundary.any():
            continue
        seen += 1
        oracle, new = dense(fit.fit), moved(model.data, seed)
        x, z, _ = oracle.rows(new)
        added = fit.predict(new, "fitted", se="corrected").se ** 2 - fit.predict(new, "fitted", se=True).se ** 2
        np.testing.assert_allclose(added, corrected(fit.fit, x, z), rtol=1e-5, atol=1e-7 * scale_of(oracle))
        inside = fit.predict(what="fitted", se="corrected").se ** 2
        expected = oracle.variances(*oracle.own_rows) + corrected(fit.fit, *oracle.own_rows)
        np.testing.assert_allclose(inside, expected, rtol=1e-5)
    assert seen == 3


def test_corrected_errors_of_xb_are_those_of_kenward_and_roger():
    data = simulate_longitudinal(12, 5, seed=3)
    fit = sparsemixed.mixed("y time || id:, reml dfmethod(kr2009, oim)", data)
    simple = sparsemixed.mixed("y time || id:, reml", data)
    found = simple.predict(se="corrected").se
    K = fit.fit.design.X
    np.testing.assert_allclose(found**2, np.einsum("ij,jk,ik->i", K, fit.cov_params(), K), rtol=1e-8)


def test_limits_of_xb_have_the_fits_degrees_of_freedom():
    data = simulate_longitudinal(12, 5, seed=3)
    fit = sparsemixed.mixed("y time || id: time, reml dfmethod(kroger)", data)
    new = pd.DataFrame({"time": [0.0, 3.0, np.nan]})
    found = fit.predict(new, interval="confidence", level=90)
    for time, low, high, se in zip([0.0, 3.0], found.low, found.high, found.se, strict=False):
        row = fit.lincom(f"{time}*time + _cons", level=90, small=True)
        np.testing.assert_allclose([low, high, se], [row.low, row.high, row.std_err], rtol=1e-10)
    assert found.iloc[2].isna().all()


def test_prediction_intervals_of_a_linear_model_are_the_textbook_ones():
    data = simulate_longitudinal(6, 4, seed=3)
    fit = sparsemixed.mixed("y time, reml dfmethod(residual)", data)
    X, n = np.column_stack([data.time, np.ones(len(data))]), len(data)
    sigma2 = np.sum((data.y - X @ np.linalg.lstsq(X, data.y, rcond=None)[0]) ** 2) / (n - 2)
    spread = np.sqrt(sigma2 * (1 + np.einsum("ij,jk,ik->i", X, np.linalg.inv(X.T @ X), X)))
    found = fit.predict(interval="prediction")
    np.testing.assert_allclose(found.high - found.predicted, t.ppf(0.975, n - 2) * spread, rtol=1e-9)


@pytest.mark.parametrize(("what", "level"), [("xb", None), ("fitted", "clinic"), ("fitted", None)])
def test_a_new_observation_has_the_variance_of_what_is_left_out(what, level):
    data = simulate_longitudinal(24, 5, seed=3)
    data["clinic"] = data["id"] % 4
    fit = sparsemixed.mixed("y time || clinic: || id: time, reml", data)
    mean = fit.predict(what=what, se=True, relevel=level)
    found = fit.predict(what=what, interval="prediction", relevel=level)
    V = {name: fit.random_params.loc[name, "estimate"] for name in fit.random_params.index}
    slope, own = V["id: Independent", "var(time)"], V["id: Independent", "var(_cons)"]
    of_id = slope * data.time**2 + own if level != None or what == "xb" else 0.0  # noqa: E711
    of_clinic = V["clinic: Identity", "var(_cons)"] if what == "xb" else 0.0
    np.testing.assert_allclose(found.se**2 - mean.se**2, of_id + of_clinic + V["", "var(Residual)"], rtol=1e-9)
    if level == "clinic":
        effects = fit.random_effects["clinic"].set_index("clinic")["_cons"]
        np.testing.assert_allclose(found.predicted, fit.predict() + effects[data.clinic].to_numpy(), rtol=1e-12)
        np.testing.assert_allclose(fit.predict(what="residuals", relevel="clinic"), data.y - found.predicted, atol=1e-12)


def test_effects_drawn_for_new_groups():
    """One for each group, from the fitted distribution, and known then."""
    data = simulate_longitudinal(24, 5, seed=3)
    fit = sparsemixed.mixed("y time || id: time, covariance(unstructured) reml", data)
    new = pd.DataFrame({"id": np.repeat(np.arange(1000, 5000), 2), "time": np.tile([0.0, 1.0], 4000)})
    drawn = (fit.predict(new, "fitted", new_levels="draw", seed=1) - fit.predict(new)).to_numpy().reshape(-1, 2)
    G = fit.cov_re.loc[["_cons", "time"], ["_cons", "time"]].to_numpy()
    np.testing.assert_allclose(np.cov(np.column_stack([drawn[:, 0], drawn[:, 1] - drawn[:, 0]]).T), G, rtol=0.12, atol=0.02)
    again = fit.predict(new, "fitted", new_levels="draw", seed=1, se=True)
    np.testing.assert_allclose(again.predicted - fit.predict(new), drawn.ravel(), atol=1e-12)
    np.testing.assert_allclose(again.se, fit.predict(new, se=True).se, rtol=1e-10)
    known = data[["id", "time"]].iloc[:10]
    np.testing.assert_allclose(fit.predict(known, "fitted", new_levels="draw"), fit.predict(known, "fitted"))


def test_saved_fits_know_their_errors_where_they_were_asked_to(tmp_path):
    data = simulate_crossed(300, 20, 15, seed=2)
    fit = sparsemixed.mixed("y x || _all: R.item || user:, reml", data)
    fit.save(tmp_path / "bare.fit")
    expected = fit.predict(data, "fitted", interval="prediction")
    fit.save(tmp_path / "computed.fit")
    sparsemixed.mixed("y x || _all: R.item || user:, reml", data).save(tmp_path / "errors.fit", errors=True)
    for name in ("computed", "errors"):
        found = sparsemixed.load(tmp_path / f"{name}.fit").predict(data, "fitted", interval="prediction")
        pd.testing.assert_frame_equal(found, expected, rtol=1e-12)
    with pytest.raises(DataError, match="need the system behind the fit: this fit was saved without its data"):
        sparsemixed.load(tmp_path / "bare.fit").predict(data, "fitted", se=True)
    loaded = sparsemixed.load(tmp_path / "errors.fit")
    other = sorted({*data.item} - {*data.item[data.user == data.user[0]]})[0]
    apart = pd.DataFrame({"x": [0.0], "user": [data.user[0]], "item": [other]})
    assert fit.predict(apart, "fitted", se=True).se[0] > 0
    with pytest.raises(DataError, match="need the system behind the fit"):
        loaded.predict(apart, "fitted", se=True)


def test_covariates_far_from_zero_keep_their_digits():
    data = simulate_longitudinal(24, 5, seed=3)
    near = sparsemixed.mixed("y time || id: time, covariance(unstructured) reml", data)
    far = sparsemixed.mixed("y time || id: time, covariance(unstructured) reml", data.assign(time=data.time + 1e5))
    np.testing.assert_allclose(far.predict(what="fitted", se=True).se, near.predict(what="fitted", se=True).se, rtol=1e-6)


@pytest.mark.parametrize("solver", ["dense", "sparse"])
def test_every_storage_has_the_same_errors(solver):
    data = simulate_crossed(600, 40, 30, seed=2)
    data["third"] = np.random.default_rng(1).integers(0, 9, len(data))
    fit = sparsemixed.mixed(f"y x || _all: R.item || _all: R.third || user: x, reml solver({solver})", data)
    oracle = dense(fit.fit)
    np.testing.assert_allclose(fit.predict(what="fitted", se=True).se ** 2, oracle.variances(*oracle.own_rows), rtol=1e-9)
    rng = np.random.default_rng(4)
    new = pd.DataFrame({"x": rng.normal(size=200), "user": rng.integers(1, 41, 200), "item": rng.integers(1, 31, 200)})
    new["third"] = rng.integers(0, 9, 200)
    x, z, unknown = oracle.rows(new)
    assert not any(u.any() for u in unknown)
    np.testing.assert_allclose(fit.predict(new, "fitted", se=True).se ** 2, oracle.variances(x, z), rtol=1e-9)


def test_what_cannot_be(tmp_path):
    data = simulate_longitudinal(12, 5, seed=3)
    data["arm"] = data.time % 3
    fit = sparsemixed.mixed("y time || id:", data)
    cases = [
        ({"what": "residuals", "se": True}, "se and interval are those of xb, fitted, response, not of residuals"),
        ({"what": "reffects", "se": True}, 'not of reffects; their standard errors are what="reses"'),
        ({"se": "robust"}, "se='robust' is not one of True, False, 'conditional', 'corrected'"),
        ({"interval": "credible"}, "interval='credible' is not one of confidence, prediction"),
        ({"what": "fitted", "relevel": "school"}, "there is no level 'school'; the levels are id"),
        ({"what": "xb", "relevel": "id"}, "a level of groups is for fitted, residuals"),
        ({"what": "fitted", "level": "id", "relevel": "id"}, "level as a text is relevel"),
        ({"what": "fitted", "se": "corrected"}, "needs REML estimation"),
        ({"what": "fitted", "coefficients": "known"}, "is for the standard errors of reses"),
        ({"what": "reses", "coefficients": "guessed"}, "neither known nor estimated"),
        ({"what": "fitted", "seed": 1}, 'seed is that of new_levels="draw"'),
        ({"what": "rstandart"}, "unknown what='rstandart'; did you mean rstandard?"),
    ]
    for options, message in cases:
        with pytest.raises(OptionError, match=message):
            fit.predict(**options)
    robust = sparsemixed.mixed("y time || id:, vce(robust)", data)
    assert robust.predict(se=True).se.notna().all()
    for options in ({"what": "fitted", "se": True}, {"interval": "prediction"}):
        with pytest.raises(OptionError, match=r"rest on the model's covariance, and this fit has vce\(robust\)"):
            robust.predict(**options)
    correlated = sparsemixed.mixed("y time || id:, residuals(ar 1, t(time)) reml", data)
    with pytest.raises(NotAvailableError, match=r"is not available with residuals\(\)"):
        correlated.predict(what="fitted", se="corrected")
    iterative = sparsemixed.mixed("y x || _all: R.item || user:, solver(krylov)", simulate_crossed(2000, 80, 40, seed=1))
    assert iterative.predict(se=True).se.notna().all()
    with pytest.raises(NotAvailableError, match=r"made by solver\(krylov\), without one"):
        iterative.predict(what="fitted", se=True)
    members = sparsemixed.mixed("y time || id: R.arm, covariance(exchangeable)", data)
    with pytest.raises(NotAvailableError, match="effects that are correlated with one another"):
        members.predict(pd.DataFrame({"time": [0.0], "id": [1], "arm": [7]}), "fitted", se=True)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(300))
def test_standard_errors_of_300_models(seed):
    check_against_dense(seed)
