"""The target against dense V, over random models of every structure; derivatives against differences; priors as densities."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.bayesian.model import bayes_model
from sparsemixed.bayesian.printed import printed_parameters
from sparsemixed.errors import SparseMixedError
from sparsemixed.priors import (
    LKJ,
    Beta,
    Fixed,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    HuangWand,
    InverseGamma,
    InverseWishart,
    Normal,
    Uniform,
    Wishart,
    pc,
)
from sparsemixed.priors.asked import read_priors
from tests.oracles.random_models import random_model


def made(command, data, priors=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sparsemixed.mixed(command, data, **options).fit
    return fit, bayes_model(fit, read_priors(priors)).target


def place(target, fit, seed):
    start = target.start(fit.theta, fit.sigma2)
    return start + 0.3 * np.random.default_rng(seed).normal(size=start.size)


def differences(function, x, step=1e-5):
    return np.array([(function(x + step * e) - function(x - step * e)) / (2 * step) for e in np.eye(x.size)])


def dense_marginal(y, X, V, mean, sd):
    """log N(y; Xm, V + X S X') with normal coefficients where sd is finite, flat ones elsewhere integrated out after that."""
    normal = np.isfinite(sd)
    V = V + (X[:, normal] * sd[normal] ** 2) @ X[:, normal].T
    e, free = y - X[:, normal] @ mean[normal], X[:, ~normal]
    inverse = np.linalg.inv(V)
    value, df = e @ inverse @ e + np.linalg.slogdet(V)[1], y.size - free.shape[1]
    if free.shape[1]:
        half = free.T @ inverse
        value += np.linalg.slogdet(half @ free)[1] - (half @ e) @ np.linalg.solve(half @ free, half @ e)
    return -0.5 * (value + df * np.log(2 * np.pi))


SEEDS = [s for s in range(10) if "pweights" not in random_model(s).options]


@pytest.mark.parametrize("seed", SEEDS)
def test_likelihood_of_random_models(seed):
    model = random_model(seed)
    try:
        fit, target = made(model.command, model.data, **model.options)
    except SparseMixedError as error:
        pytest.skip(str(error))
    phi = place(target, fit, seed)
    printed = printed_parameters(target, fit, phi[None], phi[None])[0].nodes[0]
    reml = dataclasses.replace(model, options={**model.options, "reml": True})
    expected = reml.llf(printed)
    assert target.integrated(phi[None]).log_likelihood[0] == pytest.approx(expected, rel=1e-9, abs=1e-6)

    names, rng = fit.design.names, np.random.default_rng(seed)
    chosen = [name for name in names if rng.random() < 0.6]
    with_normal = {name: Normal(rng.normal(), float(np.exp(rng.normal()))) for name in chosen}
    _, target = made(model.command, model.data, with_normal, **model.options)
    mean = np.array([with_normal[n].mean if n in with_normal else 0.0 for n in names])
    sd = np.array([with_normal[n].sd if n in with_normal else np.inf for n in names])
    expected = dense_marginal(model.y, model.X, model.covariance(printed), mean, sd)
    assert target.integrated(phi[None]).log_likelihood[0] == pytest.approx(expected, rel=1e-8, abs=1e-6)
    value = lambda x: float(target.log_density(x[None])[0])  # noqa: E731
    gradient, slopes = target.gradient(phi), differences(value, phi)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-4, atol=2e-5 * np.abs(slopes).max())


@pytest.fixture(scope="module")
def rows():
    rng, n = np.random.default_rng(1), 240
    d = pd.DataFrame({"id": np.repeat(np.arange(30), 8), "t": np.tile(np.arange(8.0), 30), "x": rng.normal(size=n)})
    d["g"], d["h"] = rng.integers(0, 7, n), d.t.astype(int) % 3
    d["pair"] = d.id * 3 + d.t.astype(int) // 3
    d["y"] = 10 + 0.5 * d.t + rng.normal(size=30)[d.id] * 2 + 0.3 * rng.normal(size=30)[d.id] * d.t
    d["y"] += rng.normal(size=7)[d.g] + rng.normal(size=n)
    return d


MODELS = {
    "y t || id: t, cov(unstructured)": {"Sigma": HuangWand(2, 3.0), "sigma": InverseGamma(1, 1), "t": Normal(0, 1)},
    "y t || id: t x, cov(unstructured)": {"sd": HalfT(3, 2), "corr": LKJ(2)},
    "y t || id: t x, cov(exchangeable)": {"var": Gamma(2, 1), "corr": LKJ(1.5)},
    "y t || _all: R.g || id:": {"_all: var": InverseGamma(0.5, 0.5), "b": Normal(1, 5)},
    "y t || _all: R.g || id: t, cov(un)": {"Sigma": InverseWishart(4), "sd(Residual)": pc(3, 0.1), "_all: sd": HalfCauchy(1)},
    "y t || id: t, cov(un) residuals(ar 1, t(t))": {"Sigma": Wishart(4, 2.0), "rho": Beta(2, 2), "sd(e)": HalfNormal(2)},
    "y t || id:, residuals(ar 2, t(t))": {"sd": HalfT(3, 2)},
    "y t || id:, residuals(exponential, t(t))": None,
    "y t || pair:, nocons residuals(unstructured, t(h))": None,
    "y t || id:, residuals(independent, by(h))": {"b": Normal(0, 5)},
    "y t": {"_cons": Normal(0, 3)},
    "y t || id: t": {"id: sd(t)": Fixed(0.3), "b": Normal(0, 5)},
    "y t || id: t, cov(un) ": {"sd": HalfT(3, 2), "corr": Uniform(-1, 1)},
}


@pytest.mark.parametrize("command", MODELS)
def test_derivatives(rows, command):
    fit, target = made(command, rows, MODELS[command])
    phi = place(target, fit, 3)
    gradient = target.gradient(phi)
    slopes = differences(lambda x: float(target.log_density(x[None])[0]), phi)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-6 * np.abs(slopes).max())
    curve = differences(target.gradient, phi)
    np.testing.assert_allclose(target.hessian(phi), curve, rtol=1e-5, atol=1e-6 * np.abs(curve).max())


@pytest.mark.parametrize("command", ["y t || id: t", "y t || _all: R.g || id:", "y || _all: R.g || _all: R.h || id: t, cov(un)"])
def test_many_places_at_once(rows, command):
    fit, target = made(command, rows)
    phi = np.array([place(target, fit, s) for s in range(5)])
    together, single = target.sums.at(target.thetas(target.full(phi))), []
    assert target.sums.vectorised
    for theta in target.thetas(target.full(phi)):
        single.append(target.sums._one(theta))
    np.testing.assert_allclose(together.logdet, [s[0] for s in single], rtol=1e-10)
    np.testing.assert_allclose(together.W, [s[1] for s in single], rtol=1e-9, atol=1e-9)


def log_prior_of_printed(command, rows, priors, density):
    """The target's prior, and the density of printed parameters with the Jacobian by differences."""
    fit, target = made(command, rows, priors)
    phi = place(target, fit, 5)
    printed = lambda x: printed_parameters(target, fit, x[None], x[None])[1].nodes[0]  # noqa: E731
    jacobian = np.linalg.slogdet(differences(printed, phi))[1]
    return float(target.log_prior(target.full(phi[None]))[0]), density(printed(phi)) + jacobian


def halft(x, scale):
    from scipy.stats import t

    return np.log(2) + t.logpdf(x / scale, 3) - np.log(scale)


@pytest.mark.parametrize("eta", [1.0, 2.5])
def test_lkj_and_half_t(rows, eta):
    def density(p):  # sd(t), sd(x), sd(_cons), three correlations, sd(Residual)
        R = np.array([[1, p[3], p[4]], [p[3], 1, p[5]], [p[4], p[5], 1]])
        # The constant of three effects: |R|^(eta - 1) over all correlation matrices, by partial correlations.
        from scipy.special import betaln

        constant = 2 * (betaln(eta + 0.5, eta + 0.5) + 2 * eta * np.log(2)) + betaln(eta, eta) + (2 * eta - 1) * np.log(2)
        return halft(p[:3], 2).sum() + halft(p[6], 2) + (eta - 1) * np.linalg.slogdet(R)[1] - constant

    priors = {"sd": HalfT(3, 2), "corr": LKJ(eta)}
    found, expected = log_prior_of_printed("y t || id: t x, cov(un)", rows, priors, density)
    assert found == pytest.approx(expected, abs=1e-6)


def test_inverse_wishart(rows):
    from scipy.stats import invgamma, invwishart

    def density(p):  # sd(t), sd(_cons), corr, sd(Residual)
        cov = p[2] * p[0] * p[1]
        S = np.array([[p[0] ** 2, cov], [cov, p[1] ** 2]])
        # From (var, var, cov) to (sd, sd, corr).
        change = np.log(4 * p[0] ** 2 * p[1] ** 2)
        return invwishart.logpdf(S, 3, np.eye(2)) + change + invgamma.logpdf(p[3] ** 2, 0.01, scale=0.01) + np.log(2 * p[3])

    found, expected = log_prior_of_printed("y t || id: t, cov(un)", rows, "stata", density)
    assert found == pytest.approx(expected, abs=1e-6)


def test_errors_and_shared_correlations(rows):
    def density(p):  # sd(t x _cons), corr, rho, sd(e); the correlation uniform from -1/2 to 1
        return halft(p[0], 2) + np.log(1 / 1.5) + np.log(0.5) + halft(p[3], 2)

    found, expected = log_prior_of_printed("y t || id: t x, cov(exch) residuals(ar 1, t(t))", rows, {"sd": HalfT(3, 2)}, density)
    assert found == pytest.approx(expected, abs=1e-6)
