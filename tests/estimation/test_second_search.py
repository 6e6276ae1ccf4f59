"""No fit ends above the deviance of the linear model that it nests, or on a saddle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design import build_design
from sparsemixed.estimation.ends.second_search import First, errors_have_other_maxima, second_search
from sparsemixed.estimation.linear import log_likelihood
from sparsemixed.estimation.parameters import Place, ThetaMap
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Plan
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.spec import EstimationOptions
from sparsemixed.structures.random.exchangeable import Exchangeable
from sparsemixed.structures.random.identity import Identity
from sparsemixed.structures.random.independent import Independent
from tests.oracles.engine_cases import make_terms
from tests.oracles.random_models import random_model


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
        layout = ThetaMap((0,), (2,), (place,))
        theta = layout.on_scale([covariance], [squares])
        factor = structure.factor(theta)
        assert squares @ np.diag(factor @ factor.T) == pytest.approx(squares @ np.diag(covariance))
        assert np.allclose(theta, layout.nearest([covariance])) is same


def _block(structure):
    return make_terms(np.random.default_rng(0), 60, "slope")[0].blocks[0].__class__("g", ("x", "_cons"), structure, None, 0)


def crossed(exact: bool):
    """A response of noise and of one of two crossed factors, the plan of a search, and the log likelihood of a deviance."""
    rng = np.random.default_rng(5)
    a, b = (term.codes for term in make_terms(rng, 60, "crossed"))
    data = pd.DataFrame({"y": rng.normal(size=60) + rng.normal(size=14)[a], "a": a, "b": b})
    spec = read_model("y || _all: R.a || b:", {"reml": True})
    design = build_design(spec, data)
    problem = choose_problem(spec, design, reduce_rows(spec, design, True), "penalized")
    return problem, Plan(EstimationOptions(), exact), log_likelihood(problem.case.reduction.orthogonal, True)


def stopped_at(problem, at, first):
    """A search that has come to an evaluation and says that it has converged."""
    return replace(first, evaluation=at, derivatives=problem.objective.derivatives(at))


def test_theta_of_zero_is_the_linear_model():
    problem, _, llf = crossed(True)
    at = problem.objective.evaluate(np.zeros(problem.objective.n_theta))
    assert at.deviance == pytest.approx(llf.linear_deviance, abs=1e-9)
    assert llf(at.deviance) == pytest.approx(llf.linear, abs=1e-9)


@pytest.mark.parametrize("exact", [False, True])
def test_an_end_above_the_linear_model_is_left(exact):
    problem, plan, llf = crossed(exact)
    objective = problem.objective
    start = objective.evaluate(np.ones(objective.n_theta))
    best = minimize(objective, start, plan, llf)
    kept = second_search(problem, plan, start, best, llf)
    assert kept.optimum is best
    assert kept.log == best.log
    at = objective.evaluate(np.full(objective.n_theta, 40.0))
    assert at.deviance > llf.linear_deviance
    shown = []
    found = second_search(problem, plan, start, stopped_at(problem, at, best), llf, shown.append)
    assert found.optimum.converged
    assert found.optimum.evaluation.deviance == pytest.approx(best.evaluation.deviance, abs=1e-7)
    assert [entry.iteration for entry in found.log] == list(range(len(found.log)))
    assert list(found.log) == [*best.log, *shown]


def test_a_saddle_at_zero_is_left():
    problem, plan, llf = crossed(False)
    objective = problem.objective
    start = objective.evaluate(np.ones(objective.n_theta))
    best = minimize(objective, start, plan, llf)
    at = objective.evaluate(np.zeros(objective.n_theta))
    assert np.linalg.eigvalsh(objective.derivatives(at).observed_information.profiled)[0] < 0
    found = second_search(problem, plan, start, stopped_at(problem, at, best), llf)
    assert found.optimum.evaluation.deviance == pytest.approx(best.evaluation.deviance, abs=1e-7)


@pytest.mark.parametrize("seed", [14, 34])
def test_a_better_end_of_the_errors_has_the_log_of_both_searches(seed):
    """Watching shows the searches as they come; the log keeps the first and the one that won, counted through."""
    model, shown = random_model(seed), []
    fit = sparsemixed.mixed(model.command, model.data, progress=shown.append, **model.options).fit
    starts = [k for k, entry in enumerate(fit.log) if np.isnan(entry.step) and np.isnan(entry.change) and k]
    assert [entry.iteration for entry in fit.log] == list(range(len(fit.log)))
    assert fit.iterations == len(fit.log) - 1
    first = max(k for k in starts if fit.log[k].llf < fit.log[k - 1].llf)
    assert list(fit.log[:first]) == shown[:first]
    assert all(entry in shown for entry in fit.log)
    assert fit.log[-1].llf > fit.log[first - 1].llf


@pytest.mark.parametrize(
    ("seed", "right"),
    [(1160, -64.773566), (1185, -135.979023), (1463, -63.432919), (1930, -105.047040)],
)
def test_effects_and_correlated_errors_may_change_places(seed, right):
    """A maximum for each of them, found from random starts on the dense likelihood; the lower ones are 0.3 to 2 below."""
    model = random_model(seed)
    fit = sparsemixed.mixed(model.command, model.data, **model.options)
    assert fit.converged
    assert fit.llf == pytest.approx(right, abs=1e-5)
    assert model.llf(fit.random_params.estimate.to_numpy()) == pytest.approx(fit.llf, abs=1e-6)


@pytest.mark.parametrize(
    ("seed", "right"),
    [(1670, -124.871681), (2191, -86.518974), (2631, -72.855011), (2644, -68.751862), (2762, -62.071205), (2988, -74.976520)],
)
def test_few_rows_for_each_parameter_have_maxima_beside_rare_errors(seed, right):
    """Found from random starts on the dense likelihood; where the first search ends is 0.1 to 1.1 lower."""
    model = random_model(seed)
    fit = sparsemixed.mixed(model.command, model.data, **model.options)
    assert fit.converged
    assert fit.llf == pytest.approx(right, abs=1e-5)
    assert model.llf(fit.random_params.estimate.to_numpy()) == pytest.approx(fit.llf, abs=1e-6)


@pytest.mark.parametrize(("errors", "by", "more"), [("ar 1", " by(h)", 2), ("unstructured", "", 1), ("ar 1", "", 0)])
def test_rare_errors_are_tried_for_want_of_rows_alone(errors, by, more):
    """Twelve groups have ten rows for each parameter or fewer, sixty have more; the first two ways are those of any few rows."""

    def starts(groups: int) -> int:
        rng = np.random.default_rng(2)
        g, t = np.repeat(np.arange(groups), 3), np.tile(np.arange(3), groups)
        data = pd.DataFrame({"g": g, "t": t, "h": g % 2, "y": rng.normal(size=groups)[g] + rng.normal(size=g.size)})
        spec = read_model(f"y || g:, residuals({errors}, t(t){by})", {})
        design = build_design(spec, data)
        problem = choose_problem(spec, design, reduce_rows(spec, design, False), "patterns")
        llf = log_likelihood(problem.case.reduction.orthogonal, False)
        at = problem.start(llf, None).at
        found = minimize(problem.objective, at, problem.plan, llf)
        return len(errors_have_other_maxima(First(problem, problem.plan, at, found, llf.linear_deviance)))

    assert starts(12 if more else 8) == 2 + more
    assert starts(60) == 2
