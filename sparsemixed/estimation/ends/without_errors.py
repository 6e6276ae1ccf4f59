"""Searches that run after a residual variance of zero: a legal optimum, an unbounded likelihood, or a variance counted twice.

Three things drive var(Residual) to zero. The random effects may hold all of V that the data ask for, with as many columns as
rows in every block: the optimum is the model without errors, V = ZGZ' (`objectives.without_errors`). They may fit the response
exactly while ZGZ' is singular: the likelihood grows without bound. And they may make up the same V as the errors, as a group for
every row does: only the sum of both variances is known, and a search may go anywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.ends.values import End
from sparsemixed.estimation.fit import Component, Fit, VarianceParameter
from sparsemixed.estimation.interface import FE, FN
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.orthonormal import engine_terms
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.curvature import newton_model
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Optimum, Plan
from sparsemixed.spec import EstimationOptions

if TYPE_CHECKING:
    from sparsemixed.estimation.objectives.patterns import PatternEvaluation
    from sparsemixed.estimation.objectives.without_errors import ErrorFreeDerivatives, ErrorFreeObjective

RUN_OFF = 1e4
"""Largest variance of the random effects' part of a row, over sigma2, from which a residual variance of zero is considered."""
EQUAL = 1e-6
"""Difference of two deviances that counts as none."""
LARGEST_BLOCK, MOST_NUMBERS = 200, 1e8
"""Rows tied together, and numbers in all blocks, up to which V is inverted block by block."""
UNFELT = 1e-12
"""Share of V's smallest eigenvalue that stands for a residual variance of zero in `Fit.sigma2`."""
FLAT = 1e-6
"""Derivative of the deviance by the residual variance at zero, over tr(inv(V)), that counts as none."""


class Limit(NamedTuple):
    """The optimum without errors.

    Attributes
    ----------
    objective : ErrorFreeObjective
    optimum : Optimum
    slope : float
        Derivative of the deviance there by the residual variance, over tr(inv(V)).
    with_errors : float
        The deviance where the search with errors ended, block by block: beside a vanishing residual variance the penalised system
        loses the digits of its own.
    """

    objective: ErrorFreeObjective
    optimum: Optimum[PatternEvaluation, ErrorFreeDerivatives]
    slope: float
    with_errors: float


def better_without_errors(problem: Problem[FE, FN], limit: Limit, end: End[FE, FN], llf: LogLikelihood) -> End[Any, Any] | None:
    """The end without errors, or one with errors from closer by, where the search did not end as low; else None."""
    known = abs(limit.with_errors - end.optimum.evaluation.deviance) <= EQUAL
    if known and limit.optimum.evaluation.deviance > limit.with_errors + EQUAL:
        return None
    if limit.slope <= FLAT:
        return _end_inside(problem, limit, end, llf)
    optimum = replace(limit.optimum, log=(replace(limit.optimum.log[-1], iteration=0),))
    return End(limit.objective, optimum, end.log, smallest_variance=_smallest_variance(limit))


def without_residual_variance(fit: Fit, smallest: float) -> Fit:
    """A fit of the model without errors in terms of one with a residual variance that V does not feel.

    Parameters
    ----------
    smallest : float
        Smallest eigenvalue of V.
    """
    sigma2 = UNFELT * smallest
    ratio = float(np.sqrt(sigma2 / fit.sigma2))
    units = np.append(np.full(fit.theta.size, ratio), 1.0)  # d(theta, log sigma2) before, by those after

    def of(parameter: VarianceParameter) -> VarianceParameter:
        return replace(parameter, gradient=parameter.gradient * units)

    def none(parameter: VarianceParameter) -> VarianceParameter:
        return replace(parameter, estimate=0.0, gradient=np.zeros_like(parameter.gradient), boundary=True)

    *random, errors = fit.components
    by_delta_method = [replace(c, variances=tuple(map(of, c.variances)), deviations=tuple(map(of, c.deviations))) for c in random]
    held = Component(None, errors.start, errors.stop, tuple(map(none, errors.variances)), tuple(map(none, errors.deviations)))
    return replace(
        fit,
        theta=fit.theta / ratio,
        sigma2=sigma2,
        slopes=None if fit.slopes is None else fit.slopes * ratio,
        information=None if fit.information is None else fit.information * np.outer(units, units),
        components=(*by_delta_method, held),
        boundary_names=(*fit.boundary_names, "var(Residual) is 0"),
    )


def may_run_off(design: Design) -> bool:
    """Whether there are as many random effects as rows: fewer cannot hold all of V."""
    return sum(term.n_groups * term.k for term in design.random) >= design.n_obs


def has_run_off(design: Design, layout: ThetaMap, theta: np.ndarray) -> bool:
    """Whether one of the random effects dwarfs the errors."""
    return max(shares_of_rows(design, layout, theta).values()) > RUN_OFF


def shares_of_rows(design: Design, layout: ThetaMap, theta: np.ndarray) -> dict[int, float]:
    """By term of the design, the largest variance of its part of a row, over sigma2."""
    parts = zip(layout.order, engine_terms(design, layout), layout.factors(theta), strict=True)
    return {r: float(np.sum((term.columns @ factor) ** 2, axis=1).max()) for r, term, factor in parts}


def obstacle(design: Design, rows: int) -> str:
    """Why V cannot be looked at block by block, in words; empty where it can. `rows` are those in memory: batches leave none."""
    if design.weights is not None and design.weights.kind != "precision":
        return "with weights that replicate observations"
    if rows < design.n_obs:
        return "where rows are not in memory"
    from sparsemixed.solver.residual.patterns import independent_blocks  # delayed, with what it needs, for a quick start

    sizes = np.bincount(independent_blocks([t.codes for t in design.random], [t.n_groups for t in design.random])).astype(float)
    if sizes.max() > LARGEST_BLOCK or (sizes**2).sum() > MOST_NUMBERS:
        return f"where up to {int(sizes.max()):,} rows are tied together"
    return ""


def limit_without_errors(problem: Problem[FE, FN], theta: np.ndarray, llf: LogLikelihood) -> Limit | None:
    """The optimum without errors from theta on; None where V is singular there."""
    # Delayed, with what they need, for a quick start.
    from sparsemixed.estimation.objectives.patterns import PatternObjective
    from sparsemixed.estimation.objectives.without_errors import ErrorFreeObjective
    from sparsemixed.solver.residual.patterns import pattern_batches
    from sparsemixed.structures.residual_errors.independent import IndependentErrors

    case, design, orthogonal = problem.case, problem.case.design, problem.case.reduction.orthogonal
    layout, n = problem.objective.parameters, len(design.y)
    rows = np.column_stack([orthogonal.Q, orthogonal.residual])
    batches = pattern_batches(engine_terms(design, layout), np.arange(n, dtype=np.int32), n, np.zeros(n), rows)
    objective = ErrorFreeObjective(batches, layout, orthogonal.n_obs, design.rank, case.reml)
    try:
        start = objective.evaluate(objective.scaled(theta))
    except NumericalError:
        return None
    optimum = minimize(objective, start, Plan(EstimationOptions(method=case.spec.estimation.method), exact=True), llf)
    slope = objective.derivatives(optimum.evaluation).slope_of_errors
    full = PatternObjective(batches, layout, IndependentErrors(("e",)), orthogonal.n_obs, design.rank, case.reml)
    return Limit(objective, optimum, slope, full.evaluate(theta).deviance)


def _end_inside(problem: Problem[FE, FN], limit: Limit, end: End[FE, FN], llf: LogLikelihood) -> End[FE, FN] | None:
    """An end with errors, from where they have half of V's smallest eigenvalue; None where there is none as good as without.

    Where the likelihood is flat towards a residual variance of zero, errors and random effects make up the same V: how they share
    it is not identified, zero is no better than another share, and a search has nothing to go by.
    """
    at, objective, plan = limit.optimum.evaluation, problem.objective, problem.plan
    assert plan is not None
    theta = at.theta * np.sqrt(at.sigma2 / (0.5 * _smallest_variance(limit)))
    start = objective.evaluate(theta)
    if abs(limit.slope) <= FLAT and start.deviance <= at.deviance + EQUAL:
        derivatives = objective.derivatives(start)
        model = newton_model(derivatives, exact=True)
        message = "the likelihood is flat in the residual variance"
        return End(objective, Optimum(start, derivatives, model, True, message, 0.0, end.optimum.log), end.before)
    inside = minimize(objective, start, plan, llf)
    good = inside.converged and inside.evaluation.deviance <= at.deviance + EQUAL
    return End(objective, inside) if good else None


def _smallest_variance(limit: Limit) -> float:
    at = limit.optimum.evaluation
    return at.sigma2 / max(float(np.linalg.eigvalsh(inverse)[:, -1].max()) for inverse in at.inverses)
