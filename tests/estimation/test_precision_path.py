"""Correlated errors through the precision matrix: against dense algebra, and against the cluster patterns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.estimation.objectives.precision import PrecisionObjective
from sparsemixed.estimation.parameters import parameters
from sparsemixed.estimation.problems import residual as residual_problems
from sparsemixed.solver.crossproducts.crossproducts import TermData
from sparsemixed.solver.crossproducts.weighted_rows import WeightedRows, constant_within
from sparsemixed.solver.residual.precision import BlockPrecision, MarkovPrecision, precision
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES
from tests.oracles import dense_oracle as oracle
from tests.oracles.engine_cases import make_term

GROUPS = 12
LEVELS = tuple("012345")
MAKE = {
    "ar 1": lambda: RESIDUAL_STRUCTURES["ar"](1),
    "ar 2": lambda: RESIDUAL_STRUCTURES["ar"](2),
    "ma 1": lambda: RESIDUAL_STRUCTURES["ma"](1),
    "toeplitz 1": lambda: RESIDUAL_STRUCTURES["toeplitz"](1),
    "exponential": lambda: RESIDUAL_STRUCTURES["exponential"](),
    "exchangeable": lambda: RESIDUAL_STRUCTURES["exchangeable"](5),
    "unstructured": lambda: RESIDUAL_STRUCTURES["unstructured"](LEVELS),
    "banded 1": lambda: RESIDUAL_STRUCTURES["banded"](LEVELS, 1),
    "independent": lambda: RESIDUAL_STRUCTURES["independent"](LEVELS),
    "ar 1 by": lambda: ByLevel((RESIDUAL_STRUCTURES["ar"](1),) * 2, ("a", "b")),
}
DESIGNS = {
    "group": ("inner",),
    "nested": ("inner", "outer"),
    "crossed": ("inner", "week"),
    "crossed twice": ("inner", "outer", "week", "pair"),
}


def setting(name, design, reml, solver, seed=0):
    rng = np.random.default_rng([seed, list(MAKE).index(name), list(DESIGNS).index(design)])
    sizes = rng.integers(1, 6, GROUPS)
    start = np.concatenate([[0], np.cumsum(sizes)])
    n = int(start[-1])
    group = np.repeat(np.arange(GROUPS), sizes)
    t = np.concatenate([np.sort(rng.choice(6, size, replace=False)) for size in sizes]).astype(float)
    terms = {
        "inner": make_term(rng, n, GROUPS, [("unstructured", 2)], group),
        "outer": make_term(rng, n, 4, [("identity", 1)], group // 3),
        "week": make_term(rng, n, 6, [("identity", 1)], t.astype(int)),
        "pair": make_term(rng, n, 3, [("independent", 2)], (t // 2).astype(int)),
    }
    chosen = [terms[key] for key in DESIGNS[design]]
    structure = MAKE[name]()
    times = np.column_stack([t, group % 2]) if "by" in name else t
    layout = parameters(chosen, [constant_within(term.codes, start) for term in chosen])
    data = [TermData(chosen[r].codes, chosen[r].n_groups, chosen[r].columns) for r in layout.order]
    X = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=n)]))[0]
    y = rng.normal(size=n) + rng.normal(size=GROUPS)[group]
    stored = precision(structure, times, start)
    rows = WeightedRows(data, np.column_stack([X, y]), start, stored.indptr, stored.indices)
    objective = PrecisionObjective(rows, stored, layout, structure, reml, solver)
    scale = 0.15 if "toeplitz" in name else 0.4
    theta = np.concatenate([rng.uniform(0.4, 1.1, layout.n_theta), scale * rng.normal(size=structure.n_rho)])

    def covariance(theta):
        own, rho = objective.split(theta)
        R = np.zeros((n, n), rho.dtype)
        for low, high in pairwise(start):
            R[low:high, low:high] = structure.covariance(rho, times[low:high])
        Z = oracle.random_design([(d.codes, d.n_groups, d.columns) for d in data])
        root = oracle.repeated(layout.factors(own), objective.cp.n_groups)
        return R + Z @ root @ root.T @ Z.T

    return objective, theta, X, y, covariance


CASES = [(name, design, solver) for name in MAKE for design, solver in (
    ("group", "auto"), ("nested", "auto"), ("crossed", "dense"), ("crossed", "sparse"), ("crossed twice", "dense"),
)]  # fmt: skip
# Each case has one likelihood, and the next the other; designs are five, so that each has both.
LIKELIHOODS = [
    pytest.param(*case, reml, marks=[] if reml == bool(k % 2) else pytest.mark.slow)
    for k, case in enumerate(CASES)
    for reml in (False, True)
]


@pytest.mark.parametrize(("name", "design", "solver", "reml"), LIKELIHOODS)
def test_deviance_gradient_and_hessian(name, design, solver, reml):
    objective, theta, X, y, covariance = setting(name, design, reml, solver)
    at = objective.evaluate(theta)
    derivatives = objective.derivatives(at)
    s2, step, eye = at.sigma2, 1e-5, np.eye(theta.size)
    V = covariance(theta)
    assert at.deviance == pytest.approx(oracle.deviance(y, X, s2 * V, reml), rel=1e-11)
    # Central differences of the dense covariance are exact for its quadratic entries and good to 1e-9 for the others.
    first = [s2 * (covariance(theta + step * e) - covariance(theta - step * e)) / (2 * step) for e in eye]
    expected = oracle.gradient(y, X, s2 * V, first, reml)
    np.testing.assert_allclose(derivatives.gradient, expected, rtol=1e-6, atol=1e-7)
    numeric = np.array(
        [
            (objective.derivatives(objective.evaluate(theta + step * e)).gradient
             - objective.derivatives(objective.evaluate(theta - step * e)).gradient) / (2 * step)
            for e in eye
        ]
    )  # fmt: skip
    exact = objective.derivatives(objective.evaluate(theta)).observed_information.profiled
    np.testing.assert_allclose(exact, numeric, rtol=1e-5, atol=1e-5 * np.abs(numeric).max())


def test_markov_and_block_precision_agree():
    rng = np.random.default_rng(1)
    start = np.array([0, 1, 5, 9])
    t = np.array([3, 0, 1, 4, 6, 2, 3, 4, 9.0])
    weights = rng.normal(size=(9, 9))
    for structure, rho in ((MAKE["ar 1"](), -0.7), (MAKE["ar 1"](), 0.4), (MAKE["ar 1"](), 0.0), (MAKE["exponential"](), 0.8)):
        rho = np.array([rho])
        a, b = precision(structure, t, start), BlockPrecision(structure, t, start, np.ones(len(start) - 1))
        assert isinstance(a, MarkovPrecision)

        def dense(stored, data):
            out = np.zeros((9, 9))
            out[np.repeat(np.arange(9), np.diff(stored.indptr)), stored.indices] = data
            return out

        for left, right in ((a.values(rho), b.values(rho)), *[(a.derivatives(rho), b.derivatives(rho))]):
            np.testing.assert_allclose(left[1], right[1], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(
                dense(a, np.atleast_2d(left[0])[0]), dense(b, np.atleast_2d(right[0])[0]), rtol=1e-10, atol=1e-12
            )
        symmetric = weights + weights.T
        seconds = [s.second(rho, symmetric[np.repeat(np.arange(9), np.diff(s.indptr)), s.indices]) for s in (a, b)]
        np.testing.assert_allclose(seconds[0], seconds[1], rtol=1e-8, atol=1e-9)


COMMANDS = (
    "y x || g:, residuals(ar 1, t(t))",
    "y x || g: x, residuals(ma 1, t(t)) reml",
    "y x || g:, noconstant residuals(unstructured, t(t))",
    "y x || g:, noconstant residuals(exponential, t(t) by(b)) reml",
    "y x || top: || g:, residuals(toeplitz 2, t(t))",
    "y x || _all: R.t || g:, residuals(ar 1, t(t))",
    "y x || _all: R.t || _all: R.h, residuals(independent, by(b)) reml",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_both_paths_give_the_same_fit(command, monkeypatch):
    rng = np.random.default_rng(3)
    g, t = np.repeat(np.arange(24), 6), np.tile(np.arange(6), 24)
    data = pd.DataFrame({"g": g, "t": t, "top": g // 6, "b": g % 2, "h": rng.integers(0, 7, 144), "x": rng.normal(size=144)})
    data["y"] = data.x + 1.2 * rng.normal(size=24)[g] + 0.6 * rng.normal(size=6)[t] + rng.normal(size=144)
    data = data[rng.random(144) > 0.15]
    fits = []
    for size in (10**6, 0):
        monkeypatch.setattr(residual_problems, "SMALL_CLUSTER", size)
        fits.append(sparsemixed.mixed(command, data))
    clusters, precise = fits
    assert clusters.fit.solver == "clusters" != precise.fit.solver
    assert precise.llf == pytest.approx(clusters.llf, rel=1e-10)
    np.testing.assert_allclose(precise.bse, clusters.bse, rtol=1e-6)
    np.testing.assert_allclose(precise.random_params, clusters.random_params, rtol=1e-4, atol=1e-7)
    for left, right in zip(precise.fit.u, clusters.fit.u, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)
    for left, right in zip(precise.fit.u_var, clusters.fit.u_var, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


def test_no_term_is_constant_within_residual_groups():
    """All rows in one residual group and only crossed effects: nothing can be eliminated block-wise."""
    rng = np.random.default_rng(5)
    n = 230
    data = pd.DataFrame({"a": rng.integers(0, 9, n), "t": np.arange(n), "x": rng.normal(size=n)})
    data["y"] = data.x + rng.normal(size=9)[data.a] + rng.normal(size=n)
    fit = sparsemixed.mixed("y x || _all: R.a, residuals(ar 1, t(t))", data)
    assert fit.fit.solver == "dense"
    assert fit.converged
    V = np.zeros((n, n))
    var_a, rho, var_e = fit.random_params["estimate"]
    same = data.a.to_numpy()[:, None] == data.a.to_numpy()[None, :]
    V = var_a * same + var_e * rho ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    X = np.column_stack([data.x, np.ones(n)])
    assert fit.llf == pytest.approx(-0.5 * oracle.deviance(data.y.to_numpy(), X, V, False), rel=1e-10)


def test_long_series_take_linear_time_and_memory():
    rng = np.random.default_rng(7)
    n = 4000
    e = np.zeros(2 * n)
    for k in range(2 * n):
        e[k] = rng.normal() if k % n == 0 else -0.6 * e[k - 1] + 0.8 * rng.normal()
    data = pd.DataFrame({"id": np.repeat([0, 1], n), "t": np.tile(np.arange(n), 2), "x": rng.normal(size=2 * n), "e": e})
    data["y"] = data.x + data.e
    fit = sparsemixed.mixed("y x || id:, noconstant residuals(ar 1, t(t))", data)
    assert fit.random_params["estimate"].iloc[0] == pytest.approx(-0.6, abs=0.05)
    with pytest.raises(sparsemixed.errors.DataError, match="would need"):
        sparsemixed.mixed("y x || id:, noconstant residuals(toeplitz 40, t(t))", data)
