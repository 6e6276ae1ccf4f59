"""No fit ends above the deviance of the linear model that it nests, or on a saddle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.estimation.linear import linear_llf
from sparsemixed.estimation.parameters import Parameters, Place
from sparsemixed.estimation.search.again import second_search
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Plan
from sparsemixed.spec import EstimationOptions
from sparsemixed.structures.random.exchangeable import Exchangeable
from sparsemixed.structures.random.identity import Identity
from sparsemixed.structures.random.independent import Independent
from tests.oracles.engine_cases import make_objective, make_terms


def columns_of_different_scale(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g, x = rng.integers(0, 6, 40), rng.normal(size=40)
    y = x + rng.choice([0.0, 1.0]) * rng.normal(size=6)[g] + rng.normal(size=40)
    return pd.DataFrame({"y": y, "x": x * 10.0 ** rng.integers(-3, 4), "g": g})


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("structure", ["identity", "exchangeable"])
@pytest.mark.parametrize("seed", range(8))
def test_never_below_the_linear_model(structure, reml, seed):
    data = columns_of_different_scale(seed)
    fit = sparsemixed.mixed(f"y x || g: x, covariance({structure})", data, reml=reml)
    assert fit.llf >= sparsemixed.mixed("y x", data, reml=reml).llf - 1e-7


def test_the_variance_given_to_y_is_that_of_the_moments():
    covariance, squares = np.diag([1e-4, 1.0]), np.array([1e6, 1.0])
    for structure, same in ((Identity(2), False), (Exchangeable(2), False), (Independent(2), True)):
        place = Place(_block(structure), 0, 0, slice(0, structure.n_theta))
        layout = Parameters((0,), (2,), (place,))
        theta = layout.on_scale([covariance], [squares])
        factor = structure.factor(theta)
        assert squares @ np.diag(factor @ factor.T) == pytest.approx(squares @ np.diag(covariance))
        assert np.allclose(theta, layout.nearest([covariance])) is same


def _block(structure):
    return make_terms(np.random.default_rng(0), 60, "slope")[0].blocks[0].__class__("g", ("x", "_cons"), structure, None, 0)


def crossed(exact: bool):
    """A response of noise alone in crossed groups, and the plan of a search."""
    rng = np.random.default_rng(5)
    terms = make_terms(rng, 60, "crossed")
    y = rng.normal(size=60) + rng.normal(size=14)[terms[0].codes]
    objective, orthogonal = make_objective(terms, np.ones((60, 1)), y, True, "dense")
    linear = -2.0 * linear_llf(orthogonal, True) - orthogonal.constant(True)
    return objective, Plan(EstimationOptions(), exact), linear


def test_theta_of_zero_is_the_linear_model():
    objective, _, linear = crossed(True)
    assert objective.evaluate(np.zeros(objective.n_theta)).deviance == pytest.approx(linear, abs=1e-9)


@pytest.mark.parametrize("exact", [False, True])
def test_an_end_above_the_linear_model_is_left(exact):
    objective, plan, linear = crossed(exact)
    best = minimize(objective, objective.evaluate(np.ones(objective.n_theta)), plan, lambda d: -d / 2)
    assert second_search(objective, best, linear, plan, lambda d: -d / 2) is best
    at = objective.evaluate(np.full(objective.n_theta, 40.0))
    assert at.deviance > linear
    stuck = replace(best, evaluation=at, derivatives=objective.derivatives(at))
    found = second_search(objective, stuck, linear, plan, lambda d: -d / 2)
    assert found.converged
    assert found.evaluation.deviance == pytest.approx(best.evaluation.deviance, abs=1e-7)
    assert [entry.iteration for entry in found.log] == list(range(len(found.log)))


def test_a_saddle_at_zero_is_left():
    objective, plan, linear = crossed(False)
    best = minimize(objective, objective.evaluate(np.ones(objective.n_theta)), plan, lambda d: -d / 2)
    at = objective.evaluate(np.zeros(objective.n_theta))
    derivatives = objective.derivatives(at)
    assert np.linalg.eigvalsh(derivatives.observed_information.profiled)[0] < 0
    saddle = replace(best, evaluation=at, derivatives=derivatives)
    found = second_search(objective, saddle, linear, plan, lambda d: -d / 2)
    assert found.evaluation.deviance == pytest.approx(best.evaluation.deviance, abs=1e-7)
