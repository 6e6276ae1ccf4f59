"""Proposals: their density is that of their draws, and what is fitted to draws covers a skewed posterior."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.bayesian.adaptation import fitted, shaped
from sparsemixed.bayesian.coefficients import Integrated
from sparsemixed.bayesian.mode import Mode
from sparsemixed.bayesian.proposal import TMixture, at_modes
from sparsemixed.bayesian.sampling import sample


def mixture():
    roots = np.array([[[1.0, 0.0], [0.6, 0.5]], [[2.0, 0.3], [0.0, 1.0]]])
    skews = np.array([[0.7, -0.4], [0.0, 0.0]])
    return TMixture(np.array([0.7, 0.3]), np.array([[0.0, 0.0], [1.0, -1.0]]), roots, np.array([9.0, 5.0]), skews)


def test_density_integrates_to_one_and_is_that_of_the_draws():
    q = mixture()
    side = np.sinh(np.linspace(-7, 7, 1201))
    jacobian = np.cosh(np.linspace(-7, 7, 1201)) * (14 / 1200)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    mass = np.exp(q.log_density(grid)) * np.outer(jacobian, jacobian).ravel()
    assert mass.sum() == pytest.approx(1.0, abs=2e-5)
    draws = q.draw(200_000, np.random.default_rng(1))
    for inside in (lambda x: x[:, 0] > 1.0, lambda x: x[:, 1] < -0.5, lambda x: (x**2).sum(axis=1) < 1.0):
        assert inside(draws).mean() == pytest.approx(mass[inside(grid)].sum(), abs=0.006)


def log_gammas(phi):
    """Logarithms of gamma variables, turned: skewed to the left along oblique axes; and the log of the integral."""
    from scipy.special import gammaln

    n, shape = phi.shape[1], 3.0
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(n, n)))[0]
    z = phi @ turn
    return (shape * z - np.exp(z)).sum(axis=1), n * gammaln(shape)


@pytest.mark.parametrize(("n", "share"), [(3, 0.85), (12, 0.4)])
def test_adapted_proposals_cover_a_skewed_posterior(n, share):
    def evaluate(phi):
        empty = np.zeros((len(phi), 0))
        return log_gammas(phi)[0], Integrated(log_gammas(phi)[0], empty, np.zeros((len(phi), 0, 0)))

    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(n, n)))[0]
    mode = turn @ np.full(n, np.log(3.0))
    start = Mode(mode, float(log_gammas(mode[None])[0][0]), np.eye(n) / 3.0)
    nodes = sample(evaluate, [start], 6000, np.random.default_rng(3))
    assert nodes.ess > share * 6000
    assert nodes.khat < 0.5
    assert abs(nodes.log_marginal - log_gammas(mode[None])[1]) < 4 * nodes.log_marginal_se


def test_few_draws_do_not_make_correlations():
    n, random = 20, np.random.default_rng(4)
    start = at_modes([Mode(np.zeros(n), 0.0, np.eye(n))])
    draws = random.standard_normal((150, n))
    weights = np.full(150, 1 / 150)
    base = fitted(start, draws, weights, start.roots)
    made = shaped(base, draws, weights, start.roots).roots[0]
    covariance, plain = made @ made.T, np.cov(draws.T)
    off = ~np.eye(n, dtype=bool)
    assert np.abs(covariance[off]).max() < 0.2 * np.abs(plain[off]).max()
    # Of many draws they are what they are.
    L = np.linalg.cholesky(0.5 * np.eye(n) + 0.5)
    draws = random.standard_normal((20_000, n)) @ L.T
    weights = np.full(20_000, 1 / 20_000)
    made = shaped(fitted(start, draws, weights, start.roots), draws, weights, start.roots).roots[0]
    covariance = made @ made.T
    sizes = np.sqrt(np.diag(covariance))
    assert (covariance / np.outer(sizes, sizes))[off].mean() == pytest.approx(0.5, abs=0.03)
