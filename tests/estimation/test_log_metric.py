"""matlog: covariance matrices by their logarithms, the map and the search in it.

Tolerances of log likelihoods are those of tests/test_techniques.py: 1e-11 of predicted distance with the exact Hessian, and the
deviance's rounding.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import expm, expm_frechet

import sparsemixed
from property_tests.test_fits import COMMANDS, frame
from property_tests.test_residual_fits import STRUCTURES as RESIDUALS
from property_tests.test_residual_fits import longitudinal
from sparsemixed.errors import NumericalError, OptionError
from sparsemixed.estimation.objectives.logarithms import LogObjective
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Plan
from sparsemixed.spec import EstimationOptions
from sparsemixed.structures.random.exchangeable import Exchangeable
from sparsemixed.structures.random.identity import Identity
from sparsemixed.structures.random.independent import Independent
from sparsemixed.structures.random.matrix_logarithm import WIDEST, MatrixLogarithm
from sparsemixed.structures.random.unstructured import Unstructured
from tests.estimation.test_estimation import objective_for
from tests.estimation.test_techniques import SOLVERS, compare
from tests.golden import load
from tests.oracles.engine_cases import SHAPES
from tests.oracles.weighted_cases import MODELS, command, nested

FAMILIES = [
    Identity(1),
    Identity(3),
    Independent(3),
    Exchangeable(2),
    Exchangeable(5),
    Unstructured(1),
    Unstructured(2),
    Unstructured(4),
    Unstructured(3).in_basis(np.array([[4e6, 2e3, 900.0], [2e3, 1.001, 0.5], [900.0, 0.5, 5.0]])),
]


def ids(structure):
    return f"{structure!r}{'' if structure.in_own_basis() is structure else ' own'}"


def random_omega(structure, seed, spread=1.0):
    return spread * np.random.default_rng(seed).normal(size=structure.n_theta)


def covariance(structure, theta):
    factor = structure.in_own_basis().factor(theta)
    return factor @ factor.T


@pytest.mark.parametrize("structure", FAMILIES, ids=ids)
def test_the_covariance_is_the_exponential(structure):
    logarithm = MatrixLogarithm(structure)
    omega = random_omega(structure, 1)
    theta = logarithm.theta(omega)
    matrix = np.tensordot(omega, logarithm.basis, axes=1)
    np.testing.assert_allclose(covariance(structure, theta), expm(matrix), rtol=1e-12, atol=1e-12 * np.abs(expm(matrix)).max())
    np.testing.assert_allclose(logarithm.omega(theta), omega, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(
        structure.nearest(structure.factor(theta) @ structure.factor(theta).T), theta, rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("structure", FAMILIES, ids=ids)
def test_the_jacobian_carries_frechet_derivatives(structure):
    """dSigma / domega by scipy's expm_frechet is dSigma / dtheta, the products of the factor with its derivatives, times J."""
    logarithm = MatrixLogarithm(structure)
    omega = random_omega(structure, 2)
    theta, jacobian = logarithm.theta(omega), logarithm.jacobian(omega)
    half = logarithm.own.dfactor() @ logarithm.own.factor(theta).T
    through_theta = np.einsum("jab,jk->kab", half + half.transpose(0, 2, 1), jacobian)
    matrix = np.tensordot(omega, logarithm.basis, axes=1)
    for moved, basis in zip(through_theta, logarithm.basis, strict=True):
        expected = expm_frechet(matrix, basis, compute_expm=False)
        np.testing.assert_allclose(moved, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("structure", FAMILIES, ids=ids)
@pytest.mark.parametrize("low", [-10.0, -30.0, -45.0])
def test_the_jacobian_beside_a_singular_matrix(structure, low):
    """Central differences of theta, relative to the size of each parameter where theta is the root of one eigenvalue."""
    logarithm = MatrixLogarithm(structure)
    matrix = np.tensordot(random_omega(structure, 3, 0.5), logarithm.basis, axes=1)
    values, vectors = np.linalg.eigh(matrix)
    # Lowering the smallest eigenvalue keeps the pattern where its space is the pattern's own; else all are lowered.
    simple = type(structure) is Unstructured
    values = np.where(np.arange(structure.m) == 0, low, values) if simple else values + low
    omega = logarithm._coordinates((vectors * values) @ vectors.T)
    jacobian, step = logarithm.jacobian(omega), 1e-4
    for k in range(omega.size):
        move = step * np.eye(omega.size)[k]
        found = (logarithm.theta(omega + move) - logarithm.theta(omega - move)) / (2 * step)
        scale = np.abs(logarithm.theta(omega)).max()
        np.testing.assert_allclose(jacobian[:, k], found, atol=1e-6 * scale, rtol=1e-5)


def test_smaller_than_anything_counts_as_the_limit():
    logarithm = MatrixLogarithm(Unstructured(2))
    inside = logarithm.within(np.array([1.0, -1e4, 0.3]))
    values = np.linalg.eigvalsh(np.tensordot(inside, logarithm.basis, axes=1))
    assert values[1] - values[0] == pytest.approx(WIDEST)
    assert np.all(np.isfinite(logarithm.jacobian(inside)))
    apart = MatrixLogarithm(Independent(2))  # nothing mixes, so nothing is lost
    np.testing.assert_array_equal(apart.within(np.array([30.0, -100.0])), [30.0, -100.0])
    with pytest.raises(NumericalError, match="infinity"):
        logarithm.within(np.array([1e3, 0.0, 0.0]))
    with pytest.raises(NumericalError, match="overflowed"):
        logarithm.within(np.array([np.inf, 0.0, 0.0]))


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_by_differences_and_hessian_at_the_optimum(shape, reml):
    logarithms = LogObjective(objective_for(shape, reml))
    inner = logarithms.inner
    start = inner.evaluate(np.linspace(0.4, 1.1, inner.n_theta))
    omega = logarithms.omega(start.theta)
    assert logarithms.evaluate(omega).deviance == pytest.approx(start.deviance, rel=1e-12)
    unit = np.eye(omega.size)

    def gradient(at):
        return logarithms.derivatives(logarithms.evaluate(at)).gradient

    def difference(function, at, k, h=1e-4):
        ends = [function(at + factor * h * unit[k]) for factor in (-2, -1, 1, 2)]
        return (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h)

    found = [difference(lambda at: logarithms.evaluate(at).deviance, omega, k) for k in range(omega.size)]
    np.testing.assert_allclose(gradient(omega), found, rtol=1e-6, atol=1e-7)
    plan = Plan(EstimationOptions(metric="matlog"), exact=True, metric=LogObjective)
    end = minimize(inner, start, plan, lambda d: -0.5 * d)
    best = logarithms.omega(end.evaluation.theta)
    hessian = logarithms.derivatives(logarithms.evaluate(best)).observed_information.profiled
    # Where the gradient vanishes, to about 1e-5, the omitted second derivatives of the map do.
    for k in range(omega.size):
        np.testing.assert_allclose(hessian[k], difference(gradient, best, k, 1e-3), rtol=1e-3, atol=1e-4 * np.abs(hessian).max())


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])  # with 2 a variance vanishes
@pytest.mark.parametrize("model", COMMANDS)
def test_same_optimum(model, seed, reml):
    newton, other = compare(model, frame(seed), {"matlog": True}, reml=reml)
    for name in ("estimate", "std_err"):
        np.testing.assert_allclose(other.random_params[name], newton.random_params[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("random", ["|| g:, noconstant", "|| g:,", "|| g: x, cov(un)"])
@pytest.mark.parametrize("structure", RESIDUALS)
def test_residual_structures(structure, random):
    compare(f"y x {random} residuals({structure})", longitudinal(1), {"matlog": True}, reml=True)


@pytest.mark.parametrize("name", MODELS)
def test_weights(name):
    compare(command(name), nested(3), {"matlog": True})


@pytest.mark.parametrize("asked", ["nr", "bfgs", "dfp"])
def test_average_information_and_techniques(asked, monkeypatch):
    monkeypatch.setattr(SOLVERS, "EXACT_BELOW", 0)
    data = sparsemixed.datasets.simulate_crossed(3000, 120, 80, seed=2)
    model = "y x || _all: R.user || item: x, cov(un)"
    newton = sparsemixed.mixed(model, data)
    other = sparsemixed.mixed(model, data, matlog=True, technique=asked)
    assert other.converged
    assert other.llf == pytest.approx(newton.llf, abs=1e-7)


@pytest.mark.parametrize("reml", [False, True])
def test_a_variance_of_zero_is_exactly_zero(reml):
    fit = sparsemixed.mixed("Yield || Batch:, matlog", load("dyestuff2"), reml=reml)
    assert fit.random_params.loc[("Batch: Identity", "var(_cons)"), "estimate"] == 0.0
    assert fit.converged
    assert "var(_cons) of Batch is 0" in fit.status


def test_a_perfect_correlation_is_named():
    rng = np.random.default_rng(0)
    g, x, b = np.repeat(np.arange(6), 10), np.tile(np.arange(10.0), 6), rng.normal(size=6)
    data = pd.DataFrame({"g": g, "x": x, "y": 3 * b[g] + 0.6 * b[g] * x + x + 0.1 * rng.normal(size=60)})
    newton, other = compare("y x || g: x, cov(un)", data, {"matlog": True})
    assert other.fit.boundary_names == newton.fit.boundary_names != ()


def test_the_metric_is_stored_and_shown():
    data = frame(1)
    fit = sparsemixed.mixed("y x || g:, matlog", data)
    assert fit.e["optmetric"] == "matlog"
    assert sparsemixed.mixed("y x || g:", data).e["optmetric"] == "matsqrt"
    assert sparsemixed.mixed("y x || g:, matsqrt", data).e["optmetric"] == "matsqrt"
    between, residual = fit.random_params["estimate"]
    assert fit.fit.log[-1].theta == pytest.approx([np.log(between / residual)], rel=1e-6)
    with pytest.raises(OptionError, match="matlog contradicts matsqrt"):
        sparsemixed.mixed("y x || g:, matsqrt matlog", data)
