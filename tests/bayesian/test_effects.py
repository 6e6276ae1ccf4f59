"""Random effects, draws and predictive distributions given the variance parameters, against dense joint normals."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.bayesian.compute import Request, compute_posterior
from sparsemixed.bayesian.effects import effect_draws, with_effects
from sparsemixed.bayesian.sums import marginal_sums
from sparsemixed.priors import Normal
from sparsemixed.priors.asked import read_priors
from tests.oracles.dense_oracle import random_design


@pytest.fixture(scope="module")
def rows():
    rng, n = np.random.default_rng(4), 120
    d = pd.DataFrame({"id": np.repeat(np.arange(15), 8), "t": np.tile(np.arange(8.0), 15), "g": rng.integers(0, 5, n)})
    d["y"] = 3 + 0.5 * d.t + rng.normal(size=15)[d.id] + 0.3 * rng.normal(size=15)[d.id] * d.t + rng.normal(size=5)[d.g]
    d["y"] += rng.normal(size=n)
    return d


MODELS = {
    "groups": ("y t || id: t, cov(un)", {}, None),
    "groups, normal": ("y t || id: t, cov(un)", {}, {"b": Normal(1, 2)}),
    "crossed": ("y t || _all: R.g || id: t, cov(un)", {}, None),
    "crossed, normal, sparse": ("y t || _all: R.g || id:", {"solver": "sparse"}, {"t": Normal(0, 0.1)}),
    "crossed, by iterations": ("y t || _all: R.g || id: t, cov(un)", {"solver": "krylov"}, None),
    "nested": ("y t || g2: || id: t", {}, None),
    "AR(1)": ("y t || id:, residuals(ar 1, t(t))", {}, None),
}


def one_place(rows, name):
    """A posterior whose draws of the variance parameters are all the same."""
    command, options, priors = MODELS[name]
    data = rows.assign(g2=rows.id // 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sparsemixed.mixed(command, data, reml=True, **options).fit
        found = compute_posterior(
            fit, read_priors(priors), Request(200, 1, method="auto" if fit.solver == "krylov" else "sampling")
        )
    same = {"theta": np.repeat(found.theta[:1], 4000, axis=0), "sigma": np.repeat(found.sigma[:1], 4000)}
    return fit, found.__class__(**{**vars(found), **same})


def dense_joint(fit, posterior):
    """Mean and covariance of (beta, b) by the mixed-model equations, in the columns as named."""
    design, sigma = fit.design, posterior.sigma[0]
    sums = marginal_sums(fit)
    covariances, start = [], 0
    terms = [(term.codes, term.n_groups, term.columns) for term in design.random]
    for term in design.random:
        blocks = []
        for block in term.blocks:
            place = next(p for p in sums.layout.places if p.block.position == block.position)
            factor = place.block.structure.factor(posterior.theta[0, place.theta])
            blocks.append(sigma**2 * factor @ factor.T)
            start += len(factor)
        size = sum(len(b) for b in blocks)
        G, at = np.zeros((size, size)), 0
        for b in blocks:
            G[at : at + len(b), at : at + len(b)] = b
            at += len(b)
        covariances.append(np.kron(np.eye(term.n_groups), np.linalg.inv(G)))
    R = np.eye(design.n_rows)
    if design.residual is not None:
        rho = posterior.theta[0, sums.layout.n_theta :]
        part = design.residual
        R = np.where(part.codes[:, None] == part.codes[None, :], part.structure.covariance(rho, part.t), 0.0)
    W = np.column_stack([design.X, random_design(terms)])
    inverse = np.linalg.inv(sigma**2 * R)
    K = W.T @ inverse @ W
    p, right = design.X.shape[1], W.T @ inverse @ design.y
    q = p
    for matrix in covariances:
        K[q : q + len(matrix), q : q + len(matrix)] += matrix
        q += len(matrix)
    R0 = sums.orthogonal.R
    K[:p, :p] += R0.T @ posterior.precision @ R0
    right[:p] += R0.T @ posterior.precision @ (posterior.prior_mean + R0 @ sums.orthogonal.start)
    covariance = np.linalg.inv(K)
    return covariance @ right, covariance


@pytest.mark.parametrize("name", MODELS)
def test_moments_of_effects(rows, name):
    fit, posterior = one_place(rows, name)
    mean, covariance = dense_joint(fit, posterior)
    found = with_effects(posterior)
    start = fit.design.X.shape[1]
    for term, b, v in zip(fit.design.random, found.effects, found.effects_var, strict=True):
        size = term.n_groups * term.k
        np.testing.assert_allclose(b.ravel(), mean[start : start + size], rtol=1e-6, atol=1e-8)
        own = np.einsum("jkk->jk", v).ravel()
        np.testing.assert_allclose(own, np.diag(covariance)[start : start + size], rtol=1e-6)
        start += size


@pytest.mark.parametrize("name", ["groups", "crossed, normal, sparse", "nested", "AR(1)"])
def test_draws_are_of_the_joint_normal(rows, name):
    """Exactly, by a basis of the noise in place of random numbers: what the noise is multiplied by has the right square."""
    fit, posterior = one_place(rows, name)
    sums = marginal_sums(fit)
    at = sums.objective.evaluate(posterior.theta[0])
    q = at.cp.q
    half = at.system.half_solve(np.eye(q))
    np.testing.assert_allclose(half @ half.T, at.system.solve(np.eye(q)), rtol=1e-8, atol=1e-10)
    beta = posterior.beta[:1].repeat(4000, axis=0)
    same = posterior.__class__(**{**vars(posterior), "beta": beta, "gamma": posterior.gamma[:1].repeat(4000, axis=0)})
    draws = np.array([np.concatenate([b.ravel() for b in b]) for _, b in effect_draws(same, np.arange(600), 5)])
    mean, covariance = dense_joint(fit, posterior)
    p = fit.design.X.shape[1]
    gain = covariance[p:, :p] @ np.linalg.inv(covariance[:p, :p])
    given = mean[p:] + gain @ (beta[0] - mean[:p])
    spread = np.sqrt(np.diag(covariance[p:, p:] - gain @ covariance[:p, p:]))
    assert np.abs((draws.mean(axis=0) - given) / spread).max() < 5 / np.sqrt(600)
    assert np.abs(draws.std(axis=0) / spread - 1).max() < 5 / np.sqrt(2 * 600)


def test_loo_against_dense_integration(rows):
    """Every row left out: its density over the draws, from V without the row."""
    small = rows[rows.id < 6]
    found = sparsemixed.bayes("y t || id:", small, seed=1, draws=1000, method="sampling")
    table = found.loo()
    fit, posterior = found.fit, found.posterior
    which = np.linspace(0, len(posterior.sigma) - 1, 200).astype(int)
    X, y = fit.design.X, fit.design.y
    Z = random_design([(t.codes, t.n_groups, t.columns) for t in fit.design.random])
    i, logs = 3, []
    rest = np.arange(len(y)) != i
    for s in which:
        V = posterior.sigma[s] ** 2 * (np.eye(len(y)) + posterior.theta[s, 0] ** 2 * Z @ Z.T)
        inverse = np.linalg.inv(V[np.ix_(rest, rest)])
        phi = np.linalg.inv(X[rest].T @ inverse @ X[rest])
        beta = phi @ X[rest].T @ inverse @ y[rest]
        c = V[i, rest] @ inverse
        off = X[i] - c @ X[rest]
        m = X[i] @ beta + c @ (y[rest] - X[rest] @ beta)
        v = V[i, i] - c @ V[rest, i] + off @ phi @ off
        logs.append(-0.5 * (np.log(2 * np.pi * v) + (y[i] - m) ** 2 / v))
    plain = -np.log(np.mean(np.exp(-np.array(logs))))
    assert table["elpd"].iloc[i] == pytest.approx(plain, abs=5e-3)


def test_predictive_draws_look_like_the_data(rows):
    found = sparsemixed.bayes("y t || id: t, cov(un) residuals(ar 1, t(t))", rows, seed=1, draws=800, method="sampling")
    for what in ("response", "new"):
        y = found.predictive(60, what)
        assert y.shape == (120, 60)
        assert abs(y.std().mean() / rows.y.std() - 1) < 0.35
        assert abs(y.mean().mean() - rows.y.mean()) < 0.3
    fitted = found.predictive(60, "fitted").mean(axis=1)
    assert np.corrcoef(fitted, rows.y)[0, 1] > 0.85
