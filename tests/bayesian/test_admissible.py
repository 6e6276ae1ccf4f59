"""Marginal likelihoods of errors whose parameters have a region: by integrals over dense likelihoods, and by known volumes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import toeplitz
from scipy.special import ndtr

import sparsemixed
from sparsemixed.bayesian.admissible import DRAWN, _of_draws, log_volume, stationary
from sparsemixed.priors import Exponential, Flat, Gamma, HalfCauchy, HalfNormal, HalfT, InverseGamma, Normal, Uniform
from sparsemixed.structures.residual_errors.autoregressive import coefficients

SCALE = 2.0


def series(order, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(4, 60))
    y = z.copy()
    for k in range(2, 60):
        y[:, k] = z[:, k] + 0.5 * y[:, k - 1] - 0.3 * y[:, k - 2]
    return pd.DataFrame({"y": y[:, -9:].ravel(), "id": np.repeat(range(4), 9), "t": np.tile(range(9), 4)})


def dense(data, R, sigma):
    """Restricted log likelihood (len(sigma),) of a constant, errors of every group with correlations R."""
    y, one = data.y.to_numpy().reshape(4, -1), np.ones(R.shape[0])
    inverse, n = np.linalg.inv(R), data.y.size
    xx, xy, yy = 4 * one @ inverse @ one, (y @ inverse @ one).sum(), np.einsum("ga,ab,gb", y, inverse, y)
    logdet = 4 * np.linalg.slogdet(R)[1] + np.log(xx)
    return -0.5 * (logdet + (n - 1) * np.log(2 * np.pi * sigma**2) + (yy - xy**2 / xx) / sigma**2)


def integral(data, places, weights, correlations):
    """log of the integral over sigma, half-t, and over places (N, q) with these weights, their prior density among them."""
    logs = np.linspace(-2.0, 2.0, 161)
    sigma = np.exp(logs)
    prior = HalfT(3, SCALE).log_density(sigma) + logs + np.log(logs[1] - logs[0])
    values = []
    for place in places:
        R = correlations(place)
        definite = np.linalg.eigvalsh(R)[0] > 1e-9
        values.append(np.logaddexp.reduce(dense(data, R, sigma) + prior) if definite else -np.inf)
    return np.logaddexp.reduce(np.array(values) + np.log(weights))


def autocorrelations(phi, m):
    """r_0 .. r_(m-1) by the Yule-Walker equations of order two."""
    r = [1.0, phi[0] / (1 - phi[1])]
    for k in range(2, m):
        r.append(phi[0] * r[k - 1] + phi[1] * r[k - 2])
    return np.array(r)


def model(kind, data, priors=None, **options):
    own = {"sd": HalfT(3, SCALE), **(priors or {})}
    return sparsemixed.bayes(f"y || id:, noconstant residuals({kind}, t(t))", data, own, seed=1, draws=600, **options)


def nodes(count):
    """Gauss-Legendre nodes (N, 2) of two partial autocorrelations, coefficients, and the volume that each stands for."""
    x, w = np.polynomial.legendre.leggauss(count)
    partial = np.array([(a, b) for a in x for b in x])
    area = np.outer(w, w).ravel() * (1 - partial[:, 1])
    return np.array([coefficients(one) for one in partial]), area


def test_volumes():
    assert np.exp([log_volume(k) for k in (1, 2, 3, 4)]) == pytest.approx([2.0, 4.0, 16 / 3, 64 / 9])
    draws = np.random.default_rng(0).uniform([-2, -1], [2, 1], (100_000, 2))
    inside = (draws[:, 1] < 1 - np.abs(draws[:, 0])) & (draws[:, 1] > -1)
    np.testing.assert_array_equal(stationary(draws), inside)


def test_second_order_autoregression():
    """Uniform over the triangle of stationary coefficients, whose area is four."""
    data, (phi, area) = series(2), nodes(16)
    expected = integral(data, phi, area / 4.0, lambda p: toeplitz(autocorrelations(p, 9)))
    found = model("ar 2", data)
    assert abs(found.log_marginal - expected) < 4 * found.log_marginal_se + 1e-3
    assert found.log_marginal_se < 0.05


@pytest.mark.slow
def test_coefficients_with_priors_of_their_own():
    """Independent normals are cut off where no process is stationary."""
    data, (phi, area) = series(2), nodes(16)
    density = np.exp(Normal(0.5, 0.7).log_density(phi[:, 0]) + Normal(0, 0.7).log_density(phi[:, 1])) * area
    expected = integral(data, phi, density, lambda p: toeplitz(autocorrelations(p, 9))) - np.log(density.sum())
    found = model("ar 2", data, {"phi1": Normal(0.5, 0.7), "phi2": Normal(0, 0.7)})
    assert abs(found.log_marginal - expected) < 4 * found.log_marginal_se
    assert 0.001 < found.log_marginal_se < 0.05


def test_flat_priors_beside_others():
    """A flat density of the first coefficient, over the triangle's width 2 (1 - phi2), beside a prior of the second."""
    limits = [2.0, 1.0]
    mass = _of_draws([Flat(), Normal(0, 0.3)], 20_000, stationary, limits)
    assert abs(mass.log - np.log(2 * (1 - 2 * ndtr(-1 / 0.3)))) < 4 * mass.se
    assert 0 < mass.se < 0.02
    mass = _of_draws([Normal(0, 0.5), Flat()], 20_000, stationary, limits)
    x = np.linspace(-2, 2, 4001)
    exact = np.sum(np.exp(Normal(0, 0.5).log_density(x)) * (2 - np.abs(x))) * (x[1] - x[0])
    assert abs(mass.log - np.log(exact)) < 4 * mass.se


@pytest.mark.parametrize(
    "prior", [HalfNormal(0.5), HalfT(4, 0.3), HalfCauchy(0.4), Exponential(2), Gamma(2, 4), InverseGamma(3, 1)]
)
def test_draws_are_of_their_priors(prior):
    values = DRAWN[type(prior)](prior, 20_000, np.random.default_rng(1))
    for limit in (0.2, 0.5, 1.0):
        assert abs((values < limit).mean() - prior.cdf(limit)) < 4 * np.sqrt(0.25 / 20_000)


@pytest.mark.slow
def test_a_flat_coefficient_beside_a_normal_one():
    data, (phi, area) = series(2), nodes(16)
    density = np.exp(Normal(0.5, 0.7).log_density(phi[:, 0])) * area
    expected = integral(data, phi, density, lambda p: toeplitz(autocorrelations(p, 9))) - np.log(density.sum())
    found = model("ar 2", data, {"phi1": Normal(0.5, 0.7)})
    assert abs(found.log_marginal - expected) < 4 * found.log_marginal_se


def test_first_order_moving_average():
    data = series(2)
    x, w = np.polynomial.legendre.leggauss(60)
    expected = integral(data, x[:, None], w / 2, lambda p: toeplitz([1.0, p[0] / (1 + p[0] ** 2), *np.zeros(7)]))
    found = model("ma 1", data)
    assert abs(found.log_marginal - expected) < 4 * found.log_marginal_se


@pytest.mark.slow
def test_toeplitz_and_exchangeable_correlations():
    """Uniform over the correlations that make up a positive definite matrix."""
    data = series(2)
    x, w = np.polynomial.legendre.leggauss(40)
    places, areas = np.array([(a, b) for a in x for b in x]), np.outer(w, w).ravel()

    def banded(p):
        return toeplitz([1.0, p[0], p[1], *np.zeros(6)])

    inside = np.array([np.linalg.eigvalsh(banded(p))[0] > 0 for p in places])
    share = areas[inside].sum() / 4
    found = model("toeplitz 2", data)
    expected = integral(data, places, areas / 4, banded) - np.log(share)
    assert abs(found.log_marginal - expected) < 4 * found.log_marginal_se + 0.03  # edges of the region between nodes
    low = -1 / 8
    at = low + (1 - low) * (x + 1) / 2
    expected = integral(data, at[:, None], w / 2, lambda p: np.full((9, 9), p[0]) + (1 - p[0]) * np.eye(9))
    found = model("exchangeable", data)
    assert abs(found.log_marginal - expected) < 4 * found.log_marginal_se
    same = model("exchangeable", data, {"corr(e)": Uniform(-1, 1)})
    assert same.log_marginal == pytest.approx(found.log_marginal, abs=1e-9)


def test_banded_and_by_level():
    rows = sparsemixed.datasets.simulate_longitudinal(20, 4, seed=3).assign(sex=lambda d: d.id % 2)
    found = sparsemixed.bayes("y || id:, noconstant residuals(banded 1, t(time))", rows, seed=1, draws=300)
    assert 0 < found.log_marginal_se < 0.2
    by = sparsemixed.bayes("y || id:, noconstant residuals(ar 2, t(time) by(sex))", rows, seed=1, draws=300)
    assert np.isfinite(by.log_marginal)
