"""Var(b - b_hat) by the dense formula: beta known after maximum likelihood, estimated after REML.

Correlated errors, by both ways to compute, are in `test_residual_oracle.py`, weights of groups in `test_weights_engine.py`.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from tests.estimation.test_vanishing import objectives, ratings
from tests.oracles import dense_oracle as oracle
from tests.solver.test_engine import CASES, N, setting


def dense_variance(V, X, Z, G, reml):
    """G - GZ'QZG in units of sigma2, Q = P under REML and inv(V) under ML: Henderson (1975)."""
    inverse, P = oracle.projection(V, X)
    return G - G @ Z.T @ (P if reml else inverse) @ Z @ G


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize(("shape", "solver"), CASES)
def test_of_the_penalised_system(shape, solver, reml):
    objective, _, theta, X, _, Z = setting(shape, solver, reml)
    root = oracle.repeated(objective.parameters.factors(theta), objective.cp.n_groups)
    G = root @ root.T
    wanted = dense_variance(np.eye(N) + Z @ G @ Z.T, X, Z, G, reml)
    at = objective.evaluate(theta)
    design = SimpleNamespace(random=range(len(objective.parameters.order)))
    found = objective.predictions(design, objective.derivatives(at))[1]
    start = 0
    for r in objective.parameters.order:
        for block in found[r]:
            where = slice(start, start + len(block))
            np.testing.assert_allclose(block, at.sigma2 * wanted[where, where], rtol=1e-8, atol=1e-10)
            start += len(block)


@pytest.mark.parametrize("reml", [False, True])
def test_of_the_iterative_solver_with_exact_traces(reml):
    iterative, exact = objectives(ratings(5, sd_item=0.2, n=2000, users=120, items=60), reml)
    iterative.probes.exhaust()
    theta, design = np.array([0.4, 0.3, 0.2]), SimpleNamespace(random=range(3))
    found, wanted = (o.predictions(design, o.derivatives(o.evaluate(theta)))[1] for o in (iterative, exact))
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("text", ["y x || g: x, covariance(unstructured)", "y ~ x + (1 + x | g)"])
@pytest.mark.parametrize("weights", [False, True])
def test_of_fits_in_both_languages(text, weights, reml, tmp_path):
    """From printed parameters; precision weights divide error variances. The rows of `reses` and a saved fit say the same."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.arange(60) % 9, "x": rng.normal(size=60), "w": rng.uniform(0.5, 3.0, 60)})
    data["y"] = data.x + rng.normal(size=9)[data.g] + rng.normal(size=9)[data.g] * data.x + rng.normal(size=60)
    fit = sparsemixed.mixed(text, data, reml=reml, **({"precision_weights": "w"} if weights else {}))
    printed = fit.random_params["estimate"].droplevel(0)
    slope, constant, residual = (
        printed["var(x)"],
        printed["var(_cons)"],
        printed["var(e)" if "var(e)" in printed else "var(Residual)"],
    )
    covariance = printed[[name for name in printed.index if name.startswith("cov")]].item()
    G = np.kron(np.eye(9), [[constant, covariance], [covariance, slope]])
    Z = oracle.random_design([(data.g.to_numpy(), 9, np.column_stack([np.ones(60), data.x]))])
    X = np.column_stack([np.ones(60), data.x])
    errors = residual / data.w.to_numpy() if weights else np.full(60, residual)
    wanted = np.sqrt(np.diag(dense_variance(np.diag(errors) + Z @ G @ Z.T, X, Z, G, reml))).reshape(9, 2)
    found = fit.random_effects_se["g"][["_cons", "x"]]
    np.testing.assert_allclose(found, wanted, rtol=1e-7)
    np.testing.assert_allclose(fit.predict(what="reses").xs("_cons", axis=1, level=1).iloc[:, 0], wanted[data.g, 0], rtol=1e-7)
    fit.save(tmp_path / "fit.smx")
    pd.testing.assert_frame_equal(sparsemixed.load(tmp_path / "fit.smx").random_effects_se["g"], fit.random_effects_se["g"])


def test_after_maximum_likelihood_they_are_smaller():
    data = sparsemixed.datasets.simulate_longitudinal(6, 4, seed=4)
    fit = sparsemixed.mixed("y time || id:", data)
    vG, ve = fit.random_params["estimate"]
    assert fit.random_effects_se["id"]["_cons"].to_numpy() == pytest.approx(np.sqrt(vG * ve / (ve + 4 * vG)), rel=1e-10)
