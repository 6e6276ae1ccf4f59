"""Simulation-based calibration, and an independent Gibbs sampler beside."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import sparsemixed
from sparsemixed.priors import Exponential, InverseGamma, Normal, Uniform
from tests.bayesian.gibbs import batch_errors, gibbs

PRIORS = {"b": Normal(0, 2), "sd": Exponential(1.0)}
DRAWS, SETS, BINS = 200, 400, 20


def intercepts(rng):
    d = pd.DataFrame({"id": np.repeat(np.arange(10), 4), "x": rng.normal(size=40)})
    b, c, s, e = rng.normal(0, 2), rng.normal(0, 2), rng.exponential(), rng.exponential()
    d["y"] = c + b * d.x + s * rng.normal(size=10)[d.id] + e * rng.normal(size=40)
    return d, "y x || id:, stddeviations", PRIORS, {"x": b, "_cons": c, "sd(_cons)": s, "sd(Residual)": e}


def slopes(rng):
    d = pd.DataFrame({"id": np.repeat(np.arange(12), 5), "x": rng.normal(size=60)})
    b, c, (s, t, e), r = rng.normal(0, 2), rng.normal(0, 2), rng.exponential(size=3), rng.uniform(-1, 1)
    z = rng.normal(size=(2, 12))
    d["y"] = c + b * d.x + (s * z[0])[d.id] + (t * (r * z[0] + np.sqrt(1 - r * r) * z[1]))[d.id] * d.x + e * rng.normal(size=60)
    true = {"x": b, "_cons": c, "sd(_cons)": s, "sd(x)": t, "corr(x,_cons)": r, "sd(Residual)": e}
    return d, "y x || id: x, covariance(unstructured) stddeviations", PRIORS, true


def crossed(rng):
    d = pd.DataFrame({"a": np.repeat(np.arange(8), 6), "b": np.tile(np.arange(6), 8)})
    c, (s, t, e) = rng.normal(0, 2), rng.exponential(size=3)
    d["y"] = c + s * rng.normal(size=8)[d.a] + t * rng.normal(size=6)[d.b] + e * rng.normal(size=48)
    return d, "y || _all: R.a || b:, stddeviations", PRIORS, {"_cons": c, "sd(R.a)": s, "sd(_cons)": t, "sd(Residual)": e}


def autoregressive(rng):
    d = pd.DataFrame({"id": np.repeat(np.arange(8), 6), "t": np.tile(np.arange(6), 8)})
    c, (s, e), r = rng.normal(0, 2), rng.exponential(size=2), rng.uniform(-1, 1)
    lower = np.linalg.cholesky(r ** np.abs(np.subtract.outer(np.arange(6), np.arange(6))))
    d["y"] = c + s * rng.normal(size=8)[d.id] + e * (rng.normal(size=(8, 6)) @ lower.T).ravel()
    true = {"_cons": c, "sd(_cons)": s, "rho": r, "sd(e)": e}
    return d, "y || id:, residuals(ar 1, t(t)) stddeviations", {**PRIORS, "rho": Uniform(-1, 1)}, true


MODELS = {one.__name__: one for one in (intercepts, slopes, crossed, autoregressive)}


def ranks(name, sets):
    """Of true values among draws, a row for each data set; and how many posteriors were refused by name."""
    found, refused = [], 0
    for seed in range(sets):
        rng = np.random.default_rng([7, seed])
        data, command, priors, true = MODELS[name](rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                posterior = sparsemixed.bayes(command, data, priors, draws=600, seed=seed, method="sampling")
            except sparsemixed.errors.SparseMixedError:
                refused += 1
                continue
        draws = posterior.draws.iloc[:DRAWS]
        found.append([int((draws[key] < value).sum()) for key, value in true.items()])
    return np.array(found), refused


@pytest.mark.nightly
@pytest.mark.parametrize("name", MODELS)
def test_ranks_are_uniform(name):
    found, refused = ranks(name, SETS)
    assert refused <= 0.02 * SETS
    for column in found.T:
        counts = np.bincount(np.minimum(column * BINS // (DRAWS + 1), BINS - 1), minlength=BINS)
        expected = len(found) / BINS
        statistic = ((counts - expected) ** 2 / expected).sum()
        assert chi2.sf(statistic, BINS - 1) > 1e-4, counts


def indicators(codes):
    return (codes[:, None] == np.unique(codes)[None, :]).astype(float)


GIBBS = {
    "one way": ("y x || a:", ["a"]),
    "crossed": ("y x || _all: R.a || b:", ["a", "b"]),
    "nested": ("y x || a: || b:", ["a", "ab"]),
}


@pytest.mark.nightly
@pytest.mark.parametrize("name", GIBBS)
def test_beside_a_gibbs_sampler(name):
    rng = np.random.default_rng(3)
    d = pd.DataFrame({"a": np.repeat(np.arange(12), 10), "b": np.tile(np.repeat(np.arange(5), 2), 12), "x": rng.normal(size=120)})
    d["ab"] = d.a * 5 + d.b
    d["y"] = 1 + 0.5 * d.x + rng.normal(size=12)[d.a] + 0.7 * rng.normal(size=60)[d.ab] + rng.normal(size=120)
    command, levels = GIBBS[name]
    found = sparsemixed.bayes(command, d, {"b": Normal(0, 3), "var": InverseGamma(2, 1)}, draws=20_000, seed=1)
    Zs = [indicators(d[level].to_numpy()) for level in levels]
    X = np.column_stack([d.x, np.ones(120)])
    chain = gibbs(d.y.to_numpy(), X, Zs, 3.0, 2.0, 1.0, 20_000, 1000, 5)
    errors = np.hypot(batch_errors(chain), found.summary["mcse"])
    assert np.all(np.abs(found.summary["mean"] - chain.mean(axis=0)) < 4.5 * errors)
    np.testing.assert_allclose(found.summary["sd"], chain.std(axis=0), rtol=0.06)
