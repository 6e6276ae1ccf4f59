"""Likelihoods without a maximum: who can tell that V is singular, and the one verdict on the end of a search."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import null_space

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design import build_design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.assemble import finish
from sparsemixed.estimation.ends.second_search import second_search
from sparsemixed.estimation.ends.verdict import SINGULAR, SINGULAR_INSIDE, judged
from sparsemixed.estimation.fixed_effects import solve_fixed
from sparsemixed.estimation.linear import log_likelihood
from sparsemixed.estimation.problems.table import choose_problem, problem_of
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.sources.rows import reduce_rows
from tests.estimation.test_error_variances import exact_where
from tests.estimation.test_without_errors import MODELS, error_free, pairs
from tests.oracles.random_models import random_model


def repeated(rows: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    g, t = np.repeat(np.arange(12), rows), np.tile(np.arange(rows), 12)
    y = rng.normal(size=12)[g] + rng.normal(size=g.size)
    return pd.DataFrame({"y": y, "x": rng.normal(size=g.size), "g": g, "t": t, "row": np.arange(g.size)})


def smallest_share(objective, theta) -> float:
    """Smallest eigenvalue of any cluster's correlations, densely."""
    found = []
    for batch in objective.batches:
        for V in objective.covariance(batch, theta):
            scale = np.sqrt(np.diag(V))
            found.append(np.linalg.eigvalsh(V / np.outer(scale, scale))[0])
    return min(found)


@pytest.mark.parametrize("errors", ["exchangeable", "ar 1, t(t)", "exponential, t(t)"])
@pytest.mark.parametrize("effects", ["noconstant", ""])
def test_patterns_tell_a_singular_V(errors, effects):
    fit = sparsemixed.mixed(f"y x || g:, {effects} residuals({errors})", repeated()).fit
    objective = problem_of(fit, "patterns").objective
    own = objective.parameters.n_theta
    told = set()
    for size in (0.0, 1.0, 3.0, 6.0, 8.0, 12.0, 20.0, 25.0):
        theta = np.append(fit.theta[:own], np.full(fit.theta.size - own, size))
        share = smallest_share(objective, theta)
        if abs(np.log10(max(share, 1e-300)) + 7) > 0.5:  # nearer by, rounding decides
            told.add(objective.singular(theta))
            assert objective.singular(theta) == (share < 1e-7), (size, share)
    assert told == {False, True}


def test_a_vanishing_variance_beside_others_is_singular():
    fit = sparsemixed.mixed("y x || g:, noconstant residuals(independent, by(h))", repeated().assign(h=lambda d: d.g % 2)).fit
    objective = problem_of(fit, "patterns").objective
    assert not objective.singular(fit.theta)
    assert objective.singular(fit.theta - 30.0)


def test_without_errors_singular_is_an_answer_and_no_error():
    _, _, objective = error_free(MODELS["independent"], pairs(0), True)
    assert not objective.singular(objective.scaled(np.ones(objective.n_theta)))
    theta = np.array([1.0, 0.0])
    assert objective.singular(theta)
    with pytest.raises(NumericalError, match="without errors"):
        objective.evaluate(theta)


@pytest.mark.parametrize(("model", "kind"), [("y x || g:", "penalized"), ("y x || g:, residuals(ar 1, t(t))", "precision")])
def test_who_never_forms_V_does_not_claim_that_it_is_regular(model, kind):
    fit = sparsemixed.mixed(model, repeated()).fit
    assert problem_of(fit, kind).objective.singular(fit.theta) is None


def end_of(model: str, data: pd.DataFrame, options: dict):
    """The case, the judged end of its searches, and the log likelihood of a deviance."""
    spec = read_model(model, options)
    design = build_design(spec, data)
    problem = choose_problem(spec, design, reduce_rows(spec, design, design.residual is None))
    llf = log_likelihood(problem.case.reduction.orthogonal, problem.case.reml)
    start = problem.start(llf, None).at
    first = minimize(problem.objective, start, problem.plan, llf)
    return problem.case, judged(problem, second_search(problem, problem.plan, start, first, llf), llf), llf


@pytest.mark.parametrize("model", ["y x || g:", "y x || g: x", "y x || g:, residuals(ar 1, t(t))"])
def test_a_search_that_converged_has_found_its_maximum(model):
    _, end, _ = end_of(model, repeated(), {})
    assert end.optimum.converged
    assert end.no_maximum is None


@pytest.mark.parametrize("level", [0, 1, 2])
def test_variances_of_errors_that_vanish(level):
    """The verdict names them and knows their parameters; the first level's variance is sigma2, which is none of them."""
    _, end, _ = end_of("y x || g:, noconstant residuals(independent, by(h))", exact_where(level), {})
    lost = end.no_maximum
    assert lost.reportable
    where = f"var(e) where h is {level} goes to 0"
    assert lost.names == (f"{where} and the likelihood is unbounded: the model fits `y` exactly there",)
    assert lost.gone.tolist() == [level == 1, level == 2]


def test_a_singular_V_without_a_variance_that_vanishes():
    model = random_model(34)
    case, end, llf = end_of(model.command, model.data, model.options)
    assert end.no_maximum.message == SINGULAR
    assert not end.no_maximum.names
    assert finish(case, end, (), llf).message == SINGULAR


@pytest.mark.parametrize(("seed", "bounded"), [(1466, True), (2808, True), (1562, False), (1170, False)])
def test_reml_does_not_see_a_V_that_is_singular_along_the_fixed_effects(seed, bounded):
    """Where K'VK with K'X = 0 keeps its inverse the restricted likelihood is finite, and is not called unbounded."""
    model = random_model(seed)
    fit = sparsemixed.mixed(model.command, model.data, **model.options)
    V = model.covariance(fit.random_params.estimate.to_numpy())
    K = null_space(model.X.T)
    values, inside = np.linalg.eigvalsh(V), np.linalg.eigvalsh(K.T @ V @ K)
    assert values[0] < 1e-9 * values[-1]
    assert (inside[0] > 1e-7 * inside[-1]) is np.bool_(bounded)
    assert not fit.converged
    assert fit.fit.message == (SINGULAR_INSIDE if bounded else SINGULAR)


def test_where_nothing_is_left_to_report_the_verdict_is_the_error():
    data = repeated().assign(y=lambda d: 1.0 * d.g)
    case, end, llf = end_of("y x || g:", data, {"reml": True})
    assert not end.no_maximum.reportable
    with pytest.raises(NumericalError) as error:
        finish(case, end, (), llf)
    assert str(error.value) == end.no_maximum.message
    assert "the random effects of g fit `y` exactly" in end.no_maximum.message


@pytest.mark.parametrize("beyond", [np.inf, np.nan])
def test_a_system_that_overflows_is_refused_and_no_traceback(beyond):
    """On the way to a variance of zero inv(V) leaves the range of floating point: a step too far, not an error of scipy's."""
    whole, broken = np.eye(2), np.array([[1.0, 0.0], [0.0, beyond]])
    for xvx, xvy in ((broken, np.ones(2)), (whole, broken[1])):
        with pytest.raises(NumericalError, match="overflowed"):
            solve_fixed(xvx, xvy)
