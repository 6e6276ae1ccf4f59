"""Searches that run after a residual variance of zero: a legal optimum, an unbounded likelihood, or a variance counted twice.

Three things drive var(Residual) to zero. The random effects may hold all of V that the data ask for, with as many columns as
rows in every block: the optimum is the model without errors, V = ZGZ' (`objectives.without_errors`). They may fit the response
exactly while ZGZ' is singular: the likelihood grows without bound. And a term with a group for every row has the same V as the
errors: only the sum of both variances is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.assemble import finish
from sparsemixed.estimation.fit import Component, Fit, VarianceParameter
from sparsemixed.estimation.objectives.without_errors import ErrorFreeObjective
from sparsemixed.estimation.orthonormal import term_data
from sparsemixed.estimation.parameters import Parameters, parameters
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import LogEntry, Optimum, Plan
from sparsemixed.solver.residual.patterns import independent_blocks, pattern_batches
from sparsemixed.spec import EstimationOptions

RUN_OFF = 1e4
"""Largest variance of the random effects' part of a row, over sigma2, from which a residual variance of zero is considered."""
EQUAL = 1e-6
"""Difference of two deviances that counts as none."""
LARGEST_BLOCK, MOST_NUMBERS = 200, 1e8
"""Rows tied together, and numbers in all blocks, up to which V is inverted block by block."""
UNFELT = 1e-12
"""Share of V's smallest eigenvalue that stands for a residual variance of zero in `Fit.sigma2`."""


class Limit(NamedTuple):
    """The optimum without errors, and whether the deviance falls when errors are let in."""

    objective: ErrorFreeObjective
    optimum: Optimum
    falls: bool


def fit_without_errors(
    problem: Problem, found: Optimum, em_log: tuple[LogEntry, ...], llf: Callable[[float], float]
) -> Fit | None:
    """The fit without errors where that is the optimum; None where it is not.

    Parameters
    ----------
    problem : Problem
    found : Optimum
        Of the model with errors.
    em_log : tuple of LogEntry
        Of the EM steps before it.
    llf : callable
        Log likelihood of a deviance.

    Raises
    ------
    NumericalError
        The likelihood is unbounded, or V cannot be looked at block by block.
    """
    design, response = problem.case.design, problem.case.spec.response
    if design.residual is not None:
        return None
    vanished = not found.converged and found.evaluation.pwrss < problem.vanished
    obstacle = _obstacle(design)
    if obstacle and vanished:
        raise NumericalError(
            f"the residual variance goes to zero: the random effects fit `{response}` exactly. Is there a group for every "
            f"observation, or a constant response within groups? Whether there is a model without errors is not known {obstacle}"
        )
    if obstacle or not (vanished or _has_run_off(design, found.evaluation.theta)):
        return None
    limit = _limit(problem, found.evaluation.theta, llf)
    if limit is None or not limit.optimum.converged:
        if vanished:
            raise NumericalError(_unbounded(response, design, found.evaluation.theta))
        return None
    lower = vanished or limit.optimum.evaluation.deviance <= found.evaluation.deviance + EQUAL
    if limit.falls or not lower:
        return None
    last = replace(limit.optimum.log[-1], iteration=len(found.log))
    optimum = replace(limit.optimum, log=(*found.log, last))
    fit = finish(replace(problem, objective=limit.objective), optimum, em_log, llf)
    return without_residual_variance(fit, _smallest_variance(limit))


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


def _has_run_off(design: Design, theta: np.ndarray) -> bool:
    """Whether there are as many random effects as rows, and one of them dwarfs the errors."""
    if sum(term.n_groups * term.k for term in design.random) < design.n_obs:
        return False
    return max(_shares(design, parameters(design.random), theta).values()) > RUN_OFF


def _shares(design: Design, layout: Parameters, theta: np.ndarray) -> dict[int, float]:
    """By term of the design, the largest variance of its part of a row, over sigma2."""
    found = {}
    for r, factor in zip(layout.order, layout.factors(theta), strict=True):
        found[r] = float(np.sum((term_data(design, design.random[r]).columns @ factor) ** 2, axis=1).max())
    return found


def _obstacle(design: Design) -> str:
    """Why V cannot be looked at block by block, in words; empty where it can."""
    if design.weights is not None and design.weights.kind != "precision":
        return "with weights that replicate observations"
    if len(design.y) < design.n_obs:
        return "where rows are not in memory"
    sizes = np.bincount(independent_blocks([t.codes for t in design.random], [t.n_groups for t in design.random])).astype(float)
    if sizes.max() > LARGEST_BLOCK or (sizes**2).sum() > MOST_NUMBERS:
        return f"where up to {int(sizes.max()):,} rows are tied together"
    return ""


def _limit(problem: Problem, theta: np.ndarray, llf: Callable[[float], float]) -> Limit | None:
    """The optimum without errors from theta on; None where V is singular there."""
    case, design, orthogonal = problem.case, problem.case.design, problem.case.reduction.orthogonal
    layout, n = parameters(design.random), len(design.y)
    terms = [term_data(design, design.random[r]) for r in layout.order]
    rows = np.column_stack([orthogonal.Q, orthogonal.residual])
    batches = pattern_batches(terms, np.arange(n, dtype=np.int32), n, np.zeros(n), rows)
    objective = ErrorFreeObjective(batches, layout, orthogonal.n_obs, design.rank, case.reml)
    try:
        start = objective.evaluate(objective.scaled(theta))
    except NumericalError:
        return None
    optimum = minimize(objective, start, Plan(EstimationOptions(method=case.spec.estimation.method), exact=True), llf)
    slope = objective.derivatives(optimum.evaluation).slope_of_errors
    return Limit(objective, optimum, slope < 0.0)


def _smallest_variance(limit: Limit) -> float:
    at = limit.optimum.evaluation
    return at.sigma2 / max(float(np.linalg.eigvalsh(inverse)[:, -1].max()) for inverse in at.inverses)


def _unbounded(response: str, design: Design, theta: np.ndarray) -> str:
    shares = _shares(design, parameters(design.random), theta)
    largest = max(shares.values())
    named = " and ".join(sorted({design.random[r].blocks[0].equation for r, share in shares.items() if share > 1e-3 * largest}))
    return (
        f"the likelihood is unbounded: the random effects of {named} fit `{response}` exactly, and it grows without limit as "
        f"var(Residual) goes to zero. Is `{response}` constant within groups, or determined by their covariates? Leave these "
        "effects out, or analyse one row per group"
    )
