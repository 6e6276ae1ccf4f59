"""Variances of zero under the iterative solver: held, told from small ones by the one-sided derivative, and named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design import build_design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.objectives import iterative as stochastic
from sparsemixed.estimation.objectives import zero_variances as vanishing
from sparsemixed.estimation.objectives.iterative import StochasticObjective
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.objectives.zero_variances import slope_at_zero
from sparsemixed.estimation.orthonormal import engine_terms, orthonormal_coordinates
from sparsemixed.estimation.parameters import parameters
from sparsemixed.solver.crossproducts.crossproducts import cross_products
from sparsemixed.solver.factored.choose import penalized_system
from sparsemixed.solver.iterative.system import KrylovSystem
from tests.oracles.fitted import fitted

THREE = "y ~ x + (1 | u) + (1 | i) + (1 | z)"
SLOPES = "y ~ x + (1 | u) + (1 + x || i)"


def ratings(seed, sd_item=0.0, sd_z=0.0, taken=0.0, n=12_000, users=900, items=300):
    """Crossed ratings without item effects; `taken` of the items' means is taken away, so that they are too much alike."""
    rng = np.random.default_rng(seed)
    u, i, z = rng.integers(0, users, n), rng.integers(0, items, n), rng.integers(0, 12, n)
    y = 1.0 + 0.5 * rng.normal(size=users)[u] + sd_item * rng.normal(size=items)[i] + sd_z * rng.normal(size=12)[z]
    data = pd.DataFrame({"y": y + rng.normal(size=n), "u": u, "i": i, "z": z, "x": rng.normal(size=n)})
    data["y"] -= taken * data.groupby("i")["y"].transform("mean")
    return data


@pytest.fixture(params=[True, False], ids=["probes", "exhausted"])
def traces(request, monkeypatch):
    """With random probes to the end, and with exact traces."""
    if request.param:
        monkeypatch.setattr(stochastic, "EXHAUSTIVE_WORK", 0.0)


NONE_OR_LITTLE = ((0, 0.5, 0.3), (1, 0.0, 0.0), (2, 0.3, 0.0), (3, 0.0, 0.2))


@pytest.mark.usefixtures("traces")
@pytest.mark.parametrize(
    ("model", "seed", "taken", "sd_z"),
    [
        pytest.param(model, *case, marks=[] if case[0] in quick else pytest.mark.slow)
        for model, quick in ((THREE, (0, 1)), (SLOPES, (2, 3)))
        for case in NONE_OR_LITTLE
    ],
)
def test_the_same_variances_are_zero_as_in_exact_fits(model, seed, taken, sd_z):
    data = ratings(seed, taken=taken, sd_z=sd_z)
    exact = fitted(model, data, reml=True, difficult=True)
    fit = sparsemixed.mixed(model, data, reml=True, solver="krylov")
    assert exact.fit.boundary_names
    assert fit.fit.boundary_names == exact.fit.boundary_names
    assert fit.converged
    assert fit.llf == pytest.approx(exact.llf, abs=0.05)
    found, wanted = fit.random_params, exact.random_params
    assert (found["estimate"] == 0.0).tolist() == (wanted["estimate"] == 0.0).tolist()
    assert found["std_err"].isna().tolist() == wanted["std_err"].isna().tolist()
    told = wanted["std_err"].notna()
    apart = (found["estimate"] - wanted["estimate"])[told].abs()
    assert (apart <= 0.005 * wanted["std_err"][told]).all()
    np.testing.assert_allclose(fit.bse, exact.bse, rtol=1e-4)
    assert f"On the boundary of the parameter space: {fit.fit.boundary_names[0]}" in " ".join(str(fit).split())


def objectives(data, reml, seed=0):
    """The iterative and the dense objective of `THREE`."""
    design = build_design(read_model(THREE, {"reml": reml}), data)
    orthogonal, layout = orthonormal_coordinates(design), parameters(design.random)
    cp = cross_products(engine_terms(design, layout), orthogonal.Q, orthogonal.residual, orthogonal.n_obs)
    return StochasticObjective(cp, KrylovSystem(cp), layout, reml, seed), PenalizedObjective(
        cp, penalized_system(cp), layout, reml
    )


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("few", [0, 10_000], ids=["signs", "exact"])
@pytest.mark.parametrize("k", [0, 1, 2])
def test_one_sided_derivative_is_that_of_the_deviance(k, few, reml, monkeypatch):
    """Against differences of the exact deviance, for the eliminated term and for the others."""
    monkeypatch.setattr(vanishing, "MAX_EXACT_COLUMNS", few)
    monkeypatch.setattr(vanishing, "ERRORS_TO_TELL_SIGN", 1e9)  # never sure, so that all signs are drawn
    data = ratings(5, sd_item=0.2, n=3000, users=300, items=100)
    iterative, dense = objectives(data, reml)
    theta = np.array([0.4, 0.2, 0.1])
    theta[k] = 0.0
    found = slope_at_zero(iterative.derivatives(iterative.evaluate(theta)), k)
    step = np.eye(3)[k] * 1e-3
    wanted = (dense.evaluate(theta + step).deviance - dense.evaluate(theta).deviance) / 1e-6
    # In its own standard errors: the curvature of the deviance in the variance, to which W gives half.
    W = whitened(dense, theta, k)
    wanted /= np.sqrt(2.0 * np.vdot(W, W))
    assert found.error <= 0.06
    assert (found.error == 0) == (few > 0)
    assert found.value == pytest.approx(wanted, abs=4 * found.error + 1e-3 * abs(wanted))


def whitened(dense, theta, k):
    """Z'inv(V0)Z of one term, densely."""
    cp, factors = dense.cp, dense.parameters.factors(theta)
    A = cp.matrix.toarray() if hasattr(cp.matrix, "toarray") else cp.matrix
    Lambda = np.concatenate([np.full(j, factor[0, 0]) for factor, j in zip(factors, cp.n_groups, strict=True)])
    M = Lambda[:, None] * A * Lambda + np.eye(cp.q)
    where = cp.slices[dense.parameters.places[k].term]
    return (A - A @ (Lambda[:, None] * np.linalg.inv(M) * Lambda) @ A)[where, where]


def test_a_variance_held_too_early_is_set_free(monkeypatch):
    data = ratings(4, sd_item=0.1)
    model = "y ~ x + (1 | u) + (1 | i)"
    exact = sparsemixed.mixed(model, data, reml=True, difficult=True)
    assert not exact.fit.boundary_names
    held, truly = [], vanishing.held_at_zero

    def early(objective, theta, freed):
        if not freed.any():
            theta = theta * [1.0, 0.0]
            held.append(theta)
        return truly(objective, theta, freed)

    monkeypatch.setattr("sparsemixed.estimation.objectives.estimated_score.held_at_zero", early)
    fit = sparsemixed.mixed(model, data, reml=True, solver="krylov")
    assert held
    assert fit.converged
    np.testing.assert_allclose(fit.random_params["estimate"], exact.random_params["estimate"], rtol=1e-3)


def test_what_cannot_be_told_is_said(monkeypatch):
    monkeypatch.setattr(vanishing, "MAX_EXACT_COLUMNS", 0)
    monkeypatch.setattr(vanishing, "MAX_RANDOM_SIGNS", 16)
    monkeypatch.setattr(vanishing, "ERRORS_TO_TELL_SIGN", 1e6)
    fit = sparsemixed.mixed("y ~ x + (1 | u) + (1 | i)", ratings(0, taken=0.5), reml=True, solver="krylov")
    assert not fit.converged
    assert "whether var(_cons) of i is 0 cannot be told" in fit.fit.message


def test_a_singular_covariance_matrix_is_named():
    """Slopes that do not vary have any correlation with the intercepts: zero is no answer for their variance alone."""
    data, model = ratings(0, sd_item=0.5), "y ~ x + (1 | u) + (1 + x | i)"
    assert "is a linear combination of _cons" in sparsemixed.mixed(model, data).status
    with pytest.raises(NumericalError, match=r"covariance matrix of i: x, _cons is becoming singular"):
        sparsemixed.mixed(model, data, solver="krylov")


def test_only_variances_without_covariances_can_be_held():
    data = ratings(0)
    design = build_design(read_model("y ~ x + (1 + x | u) + (1 + x || i) + (1 | z)", {}), data)
    assert parameters(design.random).stand_alone().tolist() == [False] * 3 + [True] * 3
