"""Derivatives of the fixed effects' precision, information matrices and degrees of freedom against dense algebra."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import solve_triangular

import sparsemixed
from sparsemixed.estimation import end_systems
from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.estimation.problems import table
from sparsemixed.inference.degrees.anova import rank_of_design
from sparsemixed.inference.degrees.kenward_roger import KenwardRoger
from sparsemixed.inference.degrees.satterthwaite import Satterthwaite
from sparsemixed.inference.information.covariance_entries import covariance_entries
from sparsemixed.inference.information.expected_traces import expected_traces
from sparsemixed.inference.information.penalized import fixed_derivatives, precision_derivatives
from tests.oracles import dense_dof
from tests.oracles import dense_oracle as oracle
from tests.oracles.engine_cases import SHAPES, make_objective, make_terms, solvers_for

N = 60
CASES = [(shape, solver) for shape in SHAPES for solver in solvers_for(shape)]


def blocks_of(terms):
    return [(block.structure, term) for term in terms for block in term.blocks]


@pytest.mark.parametrize(("shape", "solver"), CASES)
def test_derivatives_and_traces_at_any_theta(shape, solver):
    rng = np.random.default_rng([1, list(SHAPES).index(shape)])
    terms = make_terms(rng, N, shape)
    X = np.column_stack([np.ones(N), rng.normal(size=N), rng.normal(3.0, 2.0, N)])
    objective, orthogonal = make_objective(terms, X, rng.normal(size=N), True, solver)
    theta = rng.uniform(0.3, 1.2, objective.parameters.n_theta) * rng.choice([-1, 1], objective.parameters.n_theta)
    at = objective.evaluate(theta)
    derivatives = objective.derivatives(at)
    layout = covariance_entries(objective.parameters, theta, np.zeros(theta.size, bool))
    root = np.linalg.cholesky(at.sigma2 * at.XVX_inverse)
    P, Q = precision_derivatives(at, derivatives.ZtE @ root, at.U @ root, layout, True)
    T = expected_traces(at.system, at.factors, layout, at.sigma2)

    ordered = [(terms[r].codes, terms[r].n_groups, terms[r].columns) for r in objective.parameters.order]
    Z = oracle.random_design(ordered)
    factor = oracle.repeated(objective.parameters.factors(theta), objective.cp.n_groups)
    V = at.sigma2 * (np.eye(N) + Z @ factor @ factor.T @ Z.T)
    Phi, P0, Q0, T0 = dense_dof.precision(V, X, dense_dof.directions(terms))
    half = solve_triangular(orthogonal.R, root)
    np.testing.assert_allclose(half @ half.T, Phi, rtol=1e-8, atol=1e-12)
    scale = np.abs(T0).max()
    np.testing.assert_allclose(T, T0, rtol=1e-8, atol=1e-10 * scale)
    np.testing.assert_allclose(P, half.T @ P0 @ half, rtol=1e-8, atol=1e-10 * np.abs(P).max())
    np.testing.assert_allclose(Q, half.T @ Q0 @ half, rtol=1e-8, atol=1e-10 * np.abs(Q).max())


def simulated(seed, n=90):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 10, n), rng.integers(0, 7, n)
    x, z = rng.normal(size=n), rng.normal(size=n) + 0.3 * a
    effect = rng.normal(size=10)[a] + rng.normal(size=10)[a] * x + rng.normal(size=7)[b]
    return pd.DataFrame({"y": x + effect + rng.normal(size=n), "x": x, "z": z, "a": a, "b": b, "c": a // 3})


MODELS = {
    "intercept": "y x z || a:",
    "slope": "y x z || a: x, covariance(unstructured)",
    "independent": "y x z || a: x",
    "exchangeable": "y x z || a: x z, covariance(exchangeable)",
    "nested": "y x z || c: || a: x, covariance(unstructured)",
    "crossed": "y x z || _all: R.b || a:",
    "crossed slopes": "y x z || _all: R.b || a: x, covariance(unstructured)",
    "linear": "y x z",
}


def dense(fit, information):
    """Phi, P, Q and W of a fit from n x n matrices."""
    Phi, P, Q, matrix = dense_dof.of_fit(fit, information)
    return Phi, P, Q, np.linalg.inv(matrix)


@pytest.mark.parametrize("information", ["eim", "oim"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", [0, 1])
def test_degrees_of_freedom_of_fits(model, information, seed):
    fit = sparsemixed.mixed(MODELS[model], simulated(seed), reml=True).fit
    Phi, P, Q, W = dense(fit, information)
    roger, giesbrecht, unit = KenwardRoger(information), Satterthwaite(information), np.eye(3)
    root = fixed_derivatives(fit, information).root
    np.testing.assert_allclose(root @ root.T, Phi, rtol=1e-7, atol=1e-12)
    found = dense_dof.named(fit, fixed_derivatives(fit, information).covariance(information), fit.boundary)
    np.testing.assert_allclose(found, W, rtol=1e-4, atol=1e-6 * np.abs(W).max())
    np.testing.assert_allclose(roger.covariance(fit), dense_dof.adjusted_covariance(Phi, P, Q, W), rtol=1e-5, atol=1e-10)
    wanted = [dense_dof.satterthwaite(Phi, P, W, c) for c in unit]
    assert giesbrecht.coefficients(fit) == pytest.approx(wanted, rel=1e-5)
    assert roger.coefficients(fit) == pytest.approx(wanted, rel=1e-5)
    for K in (unit[:2], np.array([[1.0, -1, 0], [0, 1, 1], [2, 0, 5]])):
        assert roger.dof(fit, K) == pytest.approx(dense_dof.kenward_roger(Phi, P, W, K), rel=1e-5)


def test_boundary_components_are_left_out():
    data = simulated(3)
    data["y"] = np.random.default_rng(0).normal(size=len(data))
    fit = sparsemixed.mixed("y x z || _all: R.b || a:", data, reml=True).fit
    assert fit.boundary.any()
    found = fixed_derivatives(fit, "eim")
    assert len(found.P) == 1 + np.sum(~fit.boundary)
    Phi, P, _, W = dense(fit, "eim")
    wanted = [dense_dof.satterthwaite(Phi, P, W, c) for c in np.eye(3)]
    assert Satterthwaite().coefficients(fit) == pytest.approx(wanted, rel=1e-6)


def test_expected_information_without_standard_errors():
    fit = sparsemixed.mixed(MODELS["slope"], simulated(0), reml=True).fit
    bare = dataclasses.replace(fit, information=None)
    for information in ("eim", "oim"):
        assert Satterthwaite(information).coefficients(bare) == pytest.approx(Satterthwaite(information).coefficients(fit))


@pytest.mark.parametrize("model", [m for m in MODELS if m != "linear"])
def test_rank_of_the_design(model):
    fit = sparsemixed.mixed(MODELS[model], simulated(0), reml=True).fit
    Z = oracle.random_design([(t.codes, t.n_groups, t.columns) for t in fit.design.random])
    assert rank_of_design(fit) == np.linalg.matrix_rank(np.hstack([fit.design.X, Z]))


def test_units_of_covariates_do_not_matter():
    data = simulated(0)
    plain = sparsemixed.mixed(MODELS["crossed slopes"], data, reml=True).estat.df(["kroger"])
    data["z"] = 1e5 + 1e-3 * data["z"]
    shifted = sparsemixed.mixed(MODELS["crossed slopes"], data, reml=True).estat.df(["kroger"])
    assert list(shifted["Kenward-Roger"][:2]) == pytest.approx(list(plain["Kenward-Roger"][:2]), rel=1e-4)


def test_a_perfect_correlation_is_not_taken_as_known():
    """The expected information needs V alone, so the dense one at the boundary itself is the reference."""
    rng = np.random.default_rng(5)
    a, x = np.repeat(np.arange(8), 6), rng.normal(size=48)
    data = pd.DataFrame(
        {"y": rng.normal(size=8)[a] * (1 + 0.8 * x) + rng.normal(size=48), "x": x, "z": rng.normal(size=48), "a": a}
    )
    fit = sparsemixed.mixed(MODELS["slope"], data, reml=True).fit
    assert fit.boundary.all()
    free = dataclasses.replace(fit, boundary=np.zeros_like(fit.boundary))
    Phi, P, Q, W = dense(free, "eim")
    wanted = [dense_dof.satterthwaite(Phi, P, W, c) for c in np.eye(3)]
    assert Satterthwaite().coefficients(fit) == pytest.approx(wanted, rel=1e-3)
    np.testing.assert_allclose(KenwardRoger().covariance(fit), dense_dof.adjusted_covariance(Phi, P, Q, W), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("model", ["crossed", "crossed slopes"])
def test_a_system_that_was_kept_is_factored_without_the_rows(model, monkeypatch):
    """What follows a fit whose cross-products were kept is what follows from its rows, which then are not gone through."""
    data = simulated(5)
    monkeypatch.setattr(end_systems, "DEAR_ORDER", 10_000)
    plain = sparsemixed.mixed(MODELS[model], data, reml=True)
    expected = [each(plain) for each in FOLLOWING]
    monkeypatch.setattr(end_systems, "DEAR_ORDER", 1)
    kept = sparsemixed.mixed(MODELS[model], data, reml=True)
    system = end_systems.kept_system(kept.fit)
    assert system is not None
    assert system.reduction is not None
    monkeypatch.setattr(table, "reduce_rows", None)
    for found, each in zip([each(kept) for each in FOLLOWING], expected, strict=True):
        np.testing.assert_allclose(found, each, rtol=1e-7, atol=1e-9)


FOLLOWING = [
    lambda fit: fit.estat.df(post="kroger").df,
    lambda fit: fit.estat.df(post="satterthwaite", information="eim").df,
    lambda fit: fit.estat.df(post="anova").df,
    lambda fit: refactor_at_optimum(fit.fit)[1].Q,
    lambda fit: refactor_at_optimum(fit.fit)[1].residual,
]
