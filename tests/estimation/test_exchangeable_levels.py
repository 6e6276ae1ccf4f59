"""`R.a, covariance(exchangeable)`: one covariance matrix over all levels of a, whatever levels a group has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import sparsemixed
from sparsemixed.structures.random.exchangeable import Exchangeable
from tests.oracles import dense_oracle as oracle

LEVELS, HELD = 8, 3
MODEL = "y x || g: R.a, covariance(exchangeable)"


def unbalanced(seed, contrast):
    """Twelve groups with three of eight levels each; effects that sum to zero within groups where `contrast`."""
    rng = np.random.default_rng(seed)
    rows = []
    for g in range(12):
        effects = rng.normal(size=HELD)
        effects = 1.2 * (effects - effects.mean()) if contrast else effects + 0.7 * rng.normal()
        for level, effect in zip(rng.choice(LEVELS, HELD, replace=False), effects, strict=True):
            rows += [(g, level, rng.normal(), effect + 0.7 * rng.normal()) for _ in range(3)]
    return pd.DataFrame(rows, columns=["g", "a", "x", "y"])


def covariance(data, var, cov, residual):
    same = data.g.to_numpy()[:, None] == data.g.to_numpy()
    level = data.a.to_numpy()[:, None] == data.a.to_numpy()
    return same * np.where(level, var, cov) + residual * np.eye(len(data))


def llf(data, printed, reml):
    X = np.column_stack([data.x, np.ones(len(data))])
    return -0.5 * oracle.deviance(data.y.to_numpy(), X, covariance(data, *printed), reml)


def best(data, reml):
    """Over all matrices whose smallest eigenvalue, of eight levels, is not negative."""

    def loss(free):
        across, along, residual = np.exp(free)
        common = (along - across) / LEVELS
        return -llf(data, (across + common, common, residual), reml)

    options = {"xatol": 1e-5, "fatol": 1e-9}
    return max(-minimize(loss, start, method="Nelder-Mead", options=options).fun for start in ([0, 0, 0], [0, -6, 0]))


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize(("seed", "contrast"), [(0, True), (1, True), (2, False)])
def test_optimum_over_matrices_of_all_levels(seed, contrast, reml):
    data = unbalanced(seed, contrast)
    fit = sparsemixed.mixed(MODEL, data, reml=reml)
    printed = fit.random_params["estimate"].to_numpy()
    assert fit.converged
    assert fit.llf == pytest.approx(llf(data, printed, reml), abs=1e-9)
    assert fit.llf == pytest.approx(best(data, reml), abs=1e-6)
    limit = -1.0 / (LEVELS - 1)
    assert printed[1] / printed[0] >= limit - 1e-12
    if contrast:  # without the limit it would be near -1/2
        assert printed[1] / printed[0] == pytest.approx(limit, rel=1e-10)
        assert "the sum of the effects R.a of g is 0" in fit.status


@pytest.mark.parametrize("options", [{"solver": "sparse"}, {"matlog": True}, {"emiterate": 500, "tolerance": 1e-8}])
def test_every_way_to_the_optimum(options):
    data = unbalanced(2, False)
    assert sparsemixed.mixed(MODEL, data, **options).llf == pytest.approx(sparsemixed.mixed(MODEL, data).llf, abs=1e-7)


def test_beside_a_crossed_factor():
    rng = np.random.default_rng(3)
    data = pd.concat([unbalanced(seed, False).assign(g=lambda d, seed=seed: d.g + 12 * seed) for seed in range(3)])
    data["h"] = rng.integers(0, 10, len(data))
    data["y"] += rng.normal(size=10)[data.h]
    model = MODEL.replace("||", "|| _all: R.h ||", 1)
    exact, sparse, iterative = (sparsemixed.mixed(model, data, solver=solver) for solver in ("dense", "sparse", "krylov"))
    assert sparse.llf == pytest.approx(exact.llf, abs=1e-9)
    np.testing.assert_allclose(iterative.random_params["estimate"], exact.random_params["estimate"], rtol=1e-4)


@pytest.mark.parametrize("contrast", [False, True])
def test_with_correlated_errors(contrast):
    data = unbalanced(4, contrast)
    data["t"] = np.arange(len(data)) % 9
    fit = sparsemixed.mixed(f"{MODEL} || g:, noconstant residuals(ar 1, t(t))", data)
    var, cov, rho, residual = fit.random_params["estimate"]
    assert fit.llf >= sparsemixed.mixed(MODEL, data).llf - 1e-8
    assert cov / var >= -1.0 / (data.a.nunique() - 1) - 1e-12
    errors = residual * rho ** np.abs(np.subtract.outer(data.t.to_numpy(), data.t.to_numpy()))
    V = covariance(data, var, cov, 0.0) + np.where(np.equal.outer(data.g.to_numpy(), data.g.to_numpy()), errors, 0.0)
    X = np.column_stack([data.x, np.ones(len(data))])
    assert fit.llf == pytest.approx(-0.5 * oracle.deviance(data.y.to_numpy(), X, V, False), abs=1e-8)


def test_what_is_shown_and_kept(tmp_path):
    data = unbalanced(2, False)
    fit = sparsemixed.mixed(f"{MODEL} reml dfmethod(kroger)", data)
    assert fit.e["redim"] == str(LEVELS)
    effects = fit.random_effects["g: R.a"]
    assert len(effects) == 12 * HELD
    assert set(map(tuple, effects[["g", "a"]].to_numpy(int))) == set(map(tuple, data[["g", "a"]].to_numpy()))
    fit.save(tmp_path / "fit.smx")
    kept = sparsemixed.load(tmp_path / "fit.smx")
    assert str(kept) == str(fit)
    new = data.assign(y=np.nan)
    np.testing.assert_allclose(kept.predict(new, "fitted"), fit.predict(what="fitted"), rtol=1e-12)


def test_predictions_by_the_dense_formula():
    data = unbalanced(3, False)
    fit = sparsemixed.mixed(MODEL, data)
    var, cov, residual = fit.random_params["estimate"]
    e = data.y - fit.predict(what="xb")
    V = covariance(data, var, cov, residual)
    shared = V - residual * np.eye(len(data))
    np.testing.assert_allclose(fit.predict(what="fitted") - fit.predict(what="xb"), shared @ np.linalg.solve(V, e), rtol=1e-8)
    variance = np.diag(shared - shared @ np.linalg.solve(V, shared))
    np.testing.assert_allclose(fit.predict(what="reses").iloc[:, 0], np.sqrt(variance), rtol=1e-8)


@pytest.mark.parametrize("n_effects", [4, 5, 9])
def test_the_structure_is_a_part_of_the_whole(n_effects):
    """Its matrix is that of all effects in coordinates in which only one of those without columns matters."""
    part, whole = Exchangeable(4, n_effects), Exchangeable(n_effects)
    theta = np.array([0.8, 0.3])
    mean = np.zeros((4, n_effects))
    mean[:3, :3], mean[3, 3:] = np.eye(3), 1.0 / np.sqrt(n_effects - 3)
    all_of_it = whole.factor(theta) @ whole.factor(theta).T
    np.testing.assert_allclose(part.factor(theta) @ part.factor(theta).T, mean @ all_of_it @ mean.T, atol=1e-14)
    own = part.factor(theta) @ part.factor(theta).T
    np.testing.assert_allclose(part.nearest(own), theta, rtol=1e-12)
    np.testing.assert_allclose(part.from_root(np.linalg.cholesky(own)), theta, rtol=1e-10)
    assert [p.value for p in part.display(theta, ("R.a",))] == [p.value for p in whole.display(theta, ("R.a",))]
    assert part != Exchangeable(4, n_effects + 1)
