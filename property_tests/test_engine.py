"""The engine on designs drawn at random: dense oracle, finite differences, and zero variances."""

from __future__ import annotations

from typing import get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsemixed.spec import EstimationOptions
from tests.oracles import dense_oracle as oracle
from tests.oracles.engine_cases import SHAPES, solvers_for
from tests.solver.test_engine import covariance, setting

CASES = [(shape, solver) for shape in SHAPES for solver in solvers_for(shape)]
DRAWS = st.tuples(st.sampled_from(CASES), st.booleans(), st.integers(0, 2**31 - 1))


@given(DRAWS, st.booleans())
def test_deviance_and_gradient_equal_dense_algebra(draw, singular):
    (shape, solver), reml, seed = draw
    objective, orthogonal, theta, X, y, Z = setting(shape, solver, reml, seed)
    if singular:
        theta[seed % theta.size] = 0.0
    at = objective.evaluate(theta)
    V, first, _ = covariance(objective, theta, Z)
    constant = orthogonal.constant(reml)
    assert at.deviance + constant == pytest.approx(oracle.deviance(y, X, at.sigma2 * V, reml), rel=1e-10)
    expected = oracle.gradient(y, X, at.sigma2 * V, [at.sigma2 * v for v in first], reml)
    np.testing.assert_allclose(objective.derivatives(at).gradient, expected, rtol=1e-7, atol=1e-8)


@given(DRAWS)
def test_derivatives_equal_finite_differences(draw):
    (shape, solver), reml, seed = draw
    objective, _, theta, _, _, _ = setting(shape, solver, reml, seed)
    step = 1e-5
    derivatives = objective.derivatives(objective.evaluate(theta))
    gradient, hessian = derivatives.gradient, derivatives.observed_information.profiled
    for j in range(theta.size):
        move = step * np.eye(theta.size)[j]
        high, low = objective.evaluate(theta + move), objective.evaluate(theta - move)
        assert gradient[j] == pytest.approx((high.deviance - low.deviance) / (2 * step), rel=1e-5, abs=1e-6)
        change = (objective.derivatives(high).gradient - objective.derivatives(low).gradient) / (2 * step)
        np.testing.assert_allclose(hessian[j], change, rtol=1e-5, atol=1e-6 * np.abs(hessian).max())


def test_every_storage_is_in_the_table():
    """auto chooses among the others, krylov has an objective and tests of its own, and "groups" stores nothing."""
    solvers = set(get_args(get_type_hints(EstimationOptions)["solver"])) - {"auto", "krylov"}
    assert solvers == {solver for _, solver in CASES} - {"groups"}
