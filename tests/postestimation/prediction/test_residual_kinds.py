"""Residuals on every scale, and errors of random effects, against dense algebra for models of every structure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import NotAvailableError, NumericalError
from tests.oracles.dense_predictions import dense
from tests.oracles.random_models import random_model

SEEDS = [0, 4, 7, 9, 11, 22]


def whitened(V, groups, r):
    """inv(L) r with V = LL', group by group."""
    out = np.empty(len(r))
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        out[own] = np.linalg.solve(np.linalg.cholesky(V[np.ix_(own, own)]), r[own])
    return out


def check_residuals(seed):
    model = random_model(seed)
    fit = sparsemixed.mixed(model.command, model.data, **model.options)
    if "unbounded" in fit.status:
        return  # V is singular: there is nothing to compare
    oracle, design = dense(fit.fit), fit.fit.design
    V, R = (matrix[np.ix_(oracle.first, oracle.first)] for matrix in (oracle.V, oracle.R))
    r, e = fit.predict(what="marginal").to_numpy(), fit.predict(what="residuals").to_numpy()
    np.testing.assert_allclose(r, design.y - design.X @ fit.fit.beta, atol=1e-12)
    np.testing.assert_allclose(fit.predict(what="quantile"), norm.cdf(r / np.sqrt(np.diag(V))), rtol=1e-9)
    if fit.fit.without_errors:
        return
    codes = np.arange(len(r)) if design.residual is None else design.residual.codes
    if np.linalg.eigvalsh(R)[0] < 1e-9 * R.max():
        with pytest.raises(NumericalError, match=r"rstandard is not defined|no covariance matrix"):
            fit.predict(what="rstandard")
        return
    # Rows of the random models are in the order of their times.
    np.testing.assert_allclose(fit.predict(what="rstandard"), whitened(R, codes, e), rtol=1e-9, atol=1e-9)
    own = np.diag(R) - oracle.variances(*oracle.own_rows)
    found = fit.predict(what="studentized").to_numpy()
    sure = own > 1e-6 * np.diag(R)
    np.testing.assert_allclose(found[sure], (e / np.sqrt(np.where(sure, own, 1.0)))[sure], rtol=1e-6)
    if "[fweight" not in model.command:
        parts = oracle.V != 0
        for _ in range(len(r)):
            parts = parts @ parts
        expected = whitened(oracle.V, np.unique(parts, axis=0, return_inverse=True)[1].ravel(), r)
        np.testing.assert_allclose(fit.predict(what="scaled"), expected, rtol=1e-8, atol=1e-8)
    check_effects(fit, oracle)


def check_effects(fit, oracle):
    """Standard errors of random effects, the coefficients known and estimated."""
    Z = np.eye(oracle.Z.shape[1])
    half = oracle.G @ oracle.Z.T
    known = np.diag(oracle.G - half @ np.linalg.solve(oracle.V, half.T))
    both = {"known": known, "estimated": oracle.variances(np.zeros((len(Z), oracle.X.shape[1])), Z)}
    both[None] = both["estimated" if fit.fit.spec.estimation.method == "reml" else "known"]
    for coefficients, expected in both.items():
        found = fit.predict(what="reses", coefficients=coefficients)
        start = column = 0
        for term in fit.fit.design.random:
            own = expected[start : start + term.n_groups * term.k].reshape(-1, term.k)[term.codes]
            part = found.iloc[:, column : column + term.k].to_numpy()
            np.testing.assert_allclose(part**2, own, rtol=1e-8, atol=1e-9 * max(oracle.G.max(), 1e-12))
            start, column = start + term.n_groups * term.k, column + term.k


@pytest.mark.parametrize("seed", SEEDS)
def test_residuals_are_those_of_dense_algebra(seed):
    check_residuals(seed)


def test_residuals_need_errors():
    data = simulate_longitudinal(12, 5, seed=3)
    fit = sparsemixed.mixed("y time || id:", data)
    assert fit.predict(what="rstandard").to_numpy() == pytest.approx(fit.predict(what="residuals") / np.sqrt(fit.scale))
    crossed = data.assign(y=np.round(data.y, 12), cell=np.arange(len(data)))
    exact = sparsemixed.mixed("y time || id: || cell:", crossed)
    if exact.fit.without_errors:
        with pytest.raises(NotAvailableError, match="not defined where the residual variance is zero"):
            exact.predict(what="rstandard")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(300))
def test_residuals_of_300_models(seed):
    check_residuals(seed)
