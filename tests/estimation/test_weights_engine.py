"""Weighted fits: replicated data, the integrals that define the likelihood, derivatives, and R."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import SparseMixedError
from sparsemixed.estimation.estimate import refactor_at_optimum
from tests.oracles.weighted_cases import MODELS, command, nested, replicated
from tests.oracles.weighted_oracle import log_likelihood


def unweighted(name):
    text = MODELS[name][0].replace("[W]", "")
    for level in "abc":
        text = text.replace(f" w(w{level})", "")
    return text.replace(",  ", ", ")


@pytest.mark.parametrize("name", MODELS)
def test_whole_weights_are_replicates(name):
    data = nested(1)
    fit = sparsemixed.mixed(command(name), data)
    whole = sparsemixed.mixed(unweighted(name), replicated(data, MODELS[name][1], "[W]" in MODELS[name][0]))
    assert fit.nobs == whole.nobs
    assert fit.llf == pytest.approx(whole.llf, rel=1e-11)
    assert fit.fit.llf_linear == pytest.approx(whole.fit.llf_linear, rel=1e-11)
    # Flat directions are found to the square root of the deviance's tolerance.
    np.testing.assert_allclose(fit.params, whole.params, rtol=1e-6)
    np.testing.assert_allclose(fit.bse, whole.bse, rtol=1e-5)
    np.testing.assert_allclose(fit.random_params, whole.random_params, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["intercept", "three levels", "slopes above", "four levels"])
def test_predictions_are_those_of_one_replicate(name):
    data = nested(2)
    fit = sparsemixed.mixed(command(name), data)
    whole = sparsemixed.mixed(unweighted(name), replicated(data, MODELS[name][1], "[W]" in MODELS[name][0]))
    for attribute in ("random_effects", "random_effects_se"):
        found, wanted = getattr(fit, attribute), getattr(whole, attribute)
        for grouping, frame in found.items():
            level = next(level for level in "abc" if level in frame.columns)
            values = [c for c in frame.columns if c not in ("a", "b", "c")]
            other = wanted[grouping]
            first = other[other[level].astype(str).str.endswith("/0")] if MODELS[name][1] else other
            for path in ("a", "b", "c"):
                if path in first.columns:
                    first = first[first[path].astype(str).str.endswith("/0")]
            names = first[level].astype(str).str.removesuffix("/0").astype(int)
            order = np.argsort(names.to_numpy())
            np.testing.assert_allclose(frame.sort_values(level)[values], first.iloc[order][values], rtol=1e-4, atol=1e-5)


def levels_of(fit, weights):
    """The oracle's levels from the top, with the fit's covariances."""
    terms = sorted(fit.design.random, key=lambda t: t.n_groups)
    factors = {}
    objective, _, _ = refactor_at_optimum(fit)
    for place in objective.parameters.places:
        term = fit.design.random[objective.parameters.order[place.term]]
        G = factors.setdefault(id(term), np.zeros((term.k, term.k)))
        stop = place.column + place.block.structure.m
        root = place.block.structure.factor(fit.theta[place.theta])
        G[place.column : stop, place.column : stop] = fit.sigma2 * root @ root.T
    return [(t.codes, t.columns, factors[id(t)], weights[t.n_groups]) for t in terms]


@pytest.mark.parametrize("name", ["intercept", "slope", "three levels", "slopes above", "four levels"])
@pytest.mark.parametrize("kind", ["fweight", "pweight"])
def test_likelihood_is_the_recursive_integral(name, kind):
    data = nested(3)
    if kind == "pweight":
        rng = np.random.default_rng(0)
        data["w"] = rng.uniform(0.5, 3.0, len(data))
        for level in "abc":
            data[f"w{level}"] = rng.uniform(0.5, 3.0, 18)[data[level]]
    fit = sparsemixed.mixed(command(name, kind), data).fit
    weights = {}
    for level, n_groups in (("a", 18), ("b", 6), ("c", 3)):
        own = np.ones(n_groups)
        own[data[level]] = data[f"w{level}"]
        weights[n_groups] = own
    e = fit.design.y - fit.design.X @ fit.beta
    wanted = log_likelihood(e, fit.sigma2, levels_of(fit, weights), data["w"].to_numpy(float))
    assert fit.llf == pytest.approx(wanted, rel=1e-11)


def test_likelihood_is_the_integral_by_quadrature():
    """Three levels of random intercepts, every integral on a grid: the trapezoidal rule is exact to rounding for normals."""
    data = nested(12, 90)
    fit = sparsemixed.mixed("y x [pw=w] || b:, pw(wb) || a:, pw(wa)", data).fit
    upper, lower, sigma2 = (v.estimate for v in fit.variances)
    assert not fit.boundary.any()
    e = fit.design.y - fit.design.X @ fit.beta
    grid = np.linspace(-9.0, 9.0, 801)
    step = grid[1] - grid[0]

    def normal(x, variance):
        return -0.5 * (x**2 / variance + np.log(2 * np.pi * variance))

    total = 0.0
    for _, school in data.assign(e=e).groupby("b"):
        inside = normal(np.sqrt(upper) * grid, upper) + np.log(step * np.sqrt(upper))
        for _, group in school.groupby("a"):
            mean = np.sqrt(upper) * grid[:, None] + np.sqrt(lower) * grid[None, :]
            log = sum(w * normal(r - mean, sigma2) for r, w in zip(group["e"], group["w"], strict=True))
            log += normal(np.sqrt(lower) * grid, lower) + np.log(step * np.sqrt(lower))
            inside = inside + group["wa"].iloc[0] * np.logaddexp.reduce(log, axis=1)
        total += school["wb"].iloc[0] * np.logaddexp.reduce(inside)
    assert fit.llf == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("name", ["intercept", "slope", "two equations", "three levels", "slopes above", "four levels"])
def test_derivatives_equal_finite_differences(name):
    objective, _, at = refactor_at_optimum(sparsemixed.mixed(command(name), nested(5)).fit)
    rng = np.random.default_rng(1)
    theta = at.theta + rng.uniform(0.05, 0.3, at.theta.size)
    derivatives = objective.derivatives(objective.evaluate(theta))
    gradient, hessian = derivatives.gradient, derivatives.observed_information.profiled
    step = 1e-5
    for j, move in enumerate(step * np.eye(theta.size)):
        high, low = objective.evaluate(theta + move), objective.evaluate(theta - move)
        assert gradient[j] == pytest.approx((high.deviance - low.deviance) / (2 * step), rel=1e-6, abs=1e-5)
        change = (objective.derivatives(high).gradient - objective.derivatives(low).gradient) / (2 * step)
        np.testing.assert_allclose(hessian[j], change, rtol=1e-5, atol=1e-6 * np.abs(hessian).max())


@pytest.mark.parametrize("name", ["three levels", "slopes above"])
def test_storages_agree(name):
    data = nested(6)
    fits = [sparsemixed.mixed(command(name), data, solver=solver) for solver in ("block", "sparse")]
    assert [fit.fit.solver for fit in fits] == ["block", "sparse"]
    assert fits[0].llf == pytest.approx(fits[1].llf, rel=1e-12)
    np.testing.assert_allclose(fits[0].random_params, fits[1].random_params, rtol=1e-5)


def test_dense_storage_is_refused():
    with pytest.raises(SparseMixedError, match="solver\\(dense\\) is not available with weights of groups"):
        sparsemixed.mixed(command("three levels"), nested(6), solver="dense")


@pytest.mark.parametrize("name", ["three levels", "by"])
def test_a_constant_at_the_top_scales_the_likelihood_only(name):
    data = nested(7)
    fit = sparsemixed.mixed(command(name, "pweight"), data)
    data["wb"] *= 12.5
    other = sparsemixed.mixed(command(name, "pweight"), data)
    assert other.llf == pytest.approx(12.5 * fit.llf, rel=1e-11)
    np.testing.assert_allclose(other.params, fit.params, rtol=1e-6)
    np.testing.assert_allclose(other.bse, fit.bse, rtol=1e-5)
    np.testing.assert_allclose(other.random_params, fit.random_params, rtol=1e-4)


@pytest.mark.parametrize("emiterate", [1, 30])
def test_em_steps_raise_the_weighted_likelihood(emiterate):
    data = nested(8)
    fit = sparsemixed.mixed(command("three levels"), data, emiterate=emiterate)
    values = [entry.llf for entry in fit.fit.em_log]
    assert len(values) == emiterate + 1
    assert np.all(np.diff(values) > 0)
    assert fit.llf == pytest.approx(sparsemixed.mixed(command("three levels"), data).llf, rel=1e-11)


def test_observation_weights_with_crossed_factors():
    rng = np.random.default_rng(9)
    data = nested(9).assign(item=rng.integers(0, 9, 160))
    fit = sparsemixed.mixed("y x [fw=w] || _all: R.item || a:", data)
    whole = sparsemixed.mixed("y x || _all: R.item || a:", data.loc[data.index.repeat(data["w"])])
    assert fit.llf == pytest.approx(whole.llf, rel=1e-11)
    np.testing.assert_allclose(fit.random_params, whole.random_params, rtol=1e-5)


@pytest.mark.parametrize("errors", ["", "residuals(ar 1, t(t))", "residuals(independent, by(sex))"])
@pytest.mark.parametrize("reml", [False, True])
def test_precision_weights_divide_the_error_variance(errors, reml):
    """Dense: V = sigma2 (W^-1/2 R W^-1/2) + Z G Z'; the optimum of the dense likelihood in sigma2 and beta."""
    data = nested(10)
    data["v"] = np.random.default_rng(3).uniform(0.3, 3.0, len(data))
    fit = sparsemixed.mixed(f"y x || a:, {errors}", data, precision_weights="v", reml=reml).fit
    half = np.diag(1.0 / np.sqrt(data["v"]))
    if errors.startswith("residuals(ar"):
        t, rho = data["t"].to_numpy(float), next(v.estimate for v in fit.variances if v.label == "rho")
        R = np.where(data["a"].to_numpy()[:, None] == data["a"].to_numpy(), rho ** np.abs(t[:, None] - t), 0.0)
    elif errors:
        first, second = (v.estimate for v in fit.variances[-2:])
        R = np.diag(np.where(data["sex"] == 0, 1.0, second / first))
    else:
        R = np.eye(len(data))
    Z = np.eye(18)[data["a"]]
    V = fit.sigma2 * half @ R @ half + fit.variances[0].estimate * Z @ Z.T
    X, y = fit.design.X, fit.design.y
    inverse = np.linalg.inv(V)
    information = X.T @ inverse @ X
    beta = np.linalg.solve(information, X.T @ inverse @ y)
    np.testing.assert_allclose(fit.beta, beta, rtol=1e-9)
    e, n, p = y - X @ beta, len(y), X.shape[1]
    deviance = np.linalg.slogdet(V)[1] + e @ inverse @ e + (n - reml * p) * np.log(2 * np.pi)
    deviance += np.linalg.slogdet(information)[1] if reml else 0.0
    assert fit.llf == pytest.approx(-0.5 * deviance, rel=1e-11)
