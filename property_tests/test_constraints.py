"""Random constraints on random designs against dense constrained generalized least squares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sparsemixed
from tests.oracles import dense_oracle as oracle

P = 4
MODELS = ("y x1 x2 x3 || g:", "y x1 x2 x3 || _all: R.h || g:", "y x1 x2 x3")
WEIGHTS = st.lists(st.lists(st.integers(-3, 3), min_size=P, max_size=P), min_size=1, max_size=P - 1)


@st.composite
def problems(draw):
    """A seed, equations C beta = d that at least one beta satisfies, units of the columns, a model and a criterion."""
    C = np.array(draw(WEIGHTS), dtype=float)
    d = C @ np.array(draw(st.lists(st.integers(-2, 2), min_size=P, max_size=P)), dtype=float)
    units = 10.0 ** np.array([*draw(st.lists(st.integers(-4, 4), min_size=P - 1, max_size=P - 1)), 0])
    return draw(st.integers(0, 2**32 - 1)), C, d, units, draw(st.sampled_from(MODELS)), draw(st.booleans())


def frame(seed):
    rng = np.random.default_rng(seed)
    n = 60
    data = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in (1, 2, 3)})
    data["g"], data["h"] = rng.integers(0, 10, n), rng.integers(0, 5, n)
    effects = 1.5 * rng.normal(size=10)[data.g] + rng.normal(size=5)[data.h]
    data["y"] = 1 + data[["x1", "x2", "x3"]].sum(axis=1) + effects + rng.normal(size=n)
    return data


def equations(C, d):
    names = ("x1", "x2", "x3", "_cons")
    return [
        " + ".join(f"{c!r}*{name}" for c, name in zip(row.tolist(), names, strict=True)) + f" = {v!r}"
        for row, v in zip(C, d.tolist(), strict=True)
    ]


def covariance(fit):
    """V (n, n) at the estimates."""
    terms = [(t.codes, t.n_groups, t.columns) for t in fit.design.random]
    V = fit.variances[-1].estimate * np.eye(len(fit.design.y))
    for term, variance in zip(terms, fit.variances[:-1], strict=True):
        Z = oracle.random_design([term])
        V += variance.estimate * Z @ Z.T
    return V


def constrained_gls(X, y, V, C, d):
    """argmin (y - X b)'inv(V)(y - X b) subject to C b = d, and its covariance, from the bordered system; C of full rank."""
    A, m = X.T @ np.linalg.solve(V, X), len(C)
    bordered = np.block([[A, C.T], [C, np.zeros((m, m))]])
    inverse = np.linalg.inv(bordered)
    right = np.concatenate([X.T @ np.linalg.solve(V, y), d])
    return (inverse @ right)[: len(A)], inverse[: len(A), : len(A)]


def independent_rows(C):
    kept = []
    for i in range(len(C)):
        if np.linalg.matrix_rank(C[[*kept, i]]) == len(kept) + 1:
            kept.append(i)
    return kept


@given(problems())
def test_constrained_generalized_least_squares(problem):
    seed, C, d, units, model, reml = problem
    data = frame(seed)
    data[["x1", "x2", "x3"]] *= units[:3]
    # In the units of the columns the same equations: rows and columns on scales far apart.
    results = sparsemixed.mixed(model, data, reml=reml, constraints=equations(C * units, d))
    fit, kept = results.fit, independent_rows(C)
    assert fit.design.rank == P - len(kept)
    beta, Phi = constrained_gls(fit.design.X / units, fit.design.y, covariance(fit), C[kept], d[kept])
    np.testing.assert_allclose(fit.beta * units, beta, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(fit.vcov_beta * np.outer(units, units), Phi, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(C @ (fit.beta * units), d, atol=1e-9)
    if kept:
        constraints = fit.design.constraints
        np.testing.assert_allclose(constraints.T.T @ constraints.T, np.eye(P - len(kept)), atol=1e-13)
        sizes = np.linalg.norm(constraints.C, axis=1)
        np.testing.assert_allclose(constraints.C @ constraints.T / sizes[:, None], 0.0, atol=1e-13)
        assert np.linalg.norm(constraints.T.T @ constraints.a) <= 1e-9 * np.linalg.norm(constraints.a)
    else:
        assert fit.design.constraints is None


@given(problems())
def test_the_likelihood_falls_and_tests_agree(problem):
    """Constraints cost likelihood; the Wald test of the same equations in the free fit has as many degrees of freedom."""
    seed, C, d, _, model, _ = problem
    data, texts = frame(seed), equations(C, d)
    free = sparsemixed.mixed(model, data)
    tied = sparsemixed.mixed(model, data, constraints=texts)
    kept = independent_rows(C)
    assert tied.llf <= free.llf + 1e-7 * abs(free.llf)
    if kept:
        assert sparsemixed.lrtest(free, tied).df == len(kept) == free.test(C, d).df
        assert np.isnan(tied.test(C, d).statistic)
        assert tied.test(np.eye(P)).df == P - len(kept)
        assert tied.aic == pytest.approx(-2 * tied.llf + 2 * (P - len(kept) + len(tied.fit.theta) + 1))
