"""A second search, where the end of the first shows that a better one may be at hand.

The deviance may have several minima. `REASONS` are signs of another one that cost next to nothing to read, and where each would
have the second search start:

- A minimum above the deviance of the linear model, which is theta = 0 and nested in every model of random effects, is not the
  lowest. The search starts at zero, where the gradient vanishes because the deviance is even, and leaves it along the negative
  curvature of the exact Hessian if there is any.
- An end that the average information, which is never indefinite, took for a minimum may be a saddle beside a variance of zero
  (the one-sided derivative by the variance is half the second one by its root there; Stram & Lee 1994): the exact Hessian, which
  standard errors need in any case, tells. The search goes on from there.
- Where the errors' parameters sit at a limit of their family, or have not come to rest, the likelihood may have a maximum inside;
  autoregressive errors of order three and more, seen at times far apart, have several.
  The searches start from the best of the other starts that the family offers.
- What random effects explain, correlated errors explain nearly as well, and the likelihood of few rows may have a maximum for
  either. The searches start from smaller effects and from larger ones, each with the best of a few correlations
  where errors have lags, else with the errors of the first start. With fewer than ten rows for each parameter they also start
  from large effects beside the errors' own moments, and beside correlations of opposite signs in the levels of by().
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, NamedTuple

import numpy as np

from sparsemixed.design.values import ResidualPart
from sparsemixed.estimation.ends.error_limits import residual_limits
from sparsemixed.estimation.ends.values import End, following
from sparsemixed.estimation.interface import FE, FN, FittedEvaluation
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.minimum import DEVIANCE_ROUNDING, minimize
from sparsemixed.estimation.search.trust_region import ScaledQuadratic
from sparsemixed.estimation.search.values import LogEntry, Optimum, Plan, Progress
from sparsemixed.estimation.start.residual import has_many_maxima, other_starts, start_of_moments
from sparsemixed.estimation.trial import evaluated
from sparsemixed.structures.residual_errors.by_level import ByLevel

ABOVE = 1e-6
"""Deviance by which a minimum must exceed that of the linear model: less is rounding, and theta = 0 itself."""
NEAR_ZERO = 1e-2
"""Scaled distance to a zero of a covariance matrix at which the average information is not taken at its word."""
INDEFINITE = -1e-4
"""Eigenvalue of the exact Hessian, scaled to a unit diagonal, below which an end is a saddle."""
SEARCHES = 2
"""How many of the other starts of the errors are followed: the best ones."""
BETTER = 1e-6
"""By how much the deviance must be lower for another end to count, where nothing speaks against the first."""
FEW_ROWS = 400
"""Observations beyond which one of two such maxima is far below the other, and the first search is taken at its word."""
WANT_OF_ROWS = 10
"""Observations for each covariance parameter below which maxima are many."""
LESS, MORE = 0.3, 3.0
"""Factors of the random effects' theta with which correlated errors are to take over, or to give way."""
CORRELATIONS = (-1.5, 0.0, 0.5, 1.5)
"""First coordinate of the errors in every level of by(): for autoregressive ones correlations of -0.9, 0, 0.5 and 0.9."""
OPPOSITE = 1.5
"""The same, in absolute value, where levels of by() take turns of sign."""


class First(NamedTuple, Generic[FE, FN]):
    """The first search: from where, to where, by which plan, and the deviance of the linear model with the same fixed part."""

    problem: Problem[FE, FN]
    plan: Plan
    start: FE
    found: Optimum[FE, FN]
    linear: float


class Reason(NamedTuple):
    """A reason for a second search.

    Attributes
    ----------
    starts : callable
        From a `First` to the evaluations to start from; none where the reason does not hold.
    refutes : bool
        Whether it shows that the first end is no maximum: anything lower is then better.
    exact : bool
        Whether to go by the exact Hessian in theta itself, whatever the plan says.
    """

    starts: Callable[[First[Any, Any]], list[Any]]
    refutes: bool
    exact: bool


def second_search(
    problem: Problem[FE, FN],
    plan: Plan,
    start: FE,
    first: Optimum[FE, FN],
    llf: LogLikelihood,
    progress: Progress | None = None,
) -> End[FE, FN]:
    """The better of the first search's end and those of others, for the first of `REASONS` that holds.

    Parameters
    ----------
    plan : Plan
        Of the first search.
    start : Evaluation
        Where it began.
    first : Optimum
        Where it ended.
    progress : callable, optional
        Called with every entry of the searches' logs, their iterations counted on from those of the first.
    """

    def shown(entry: LogEntry) -> None:
        if progress:
            progress(following(entry, first.log))

    given = First(problem, plan, start, first, llf.linear_deviance)
    for reason in REASONS:
        starts = reason.starts(given)
        if not starts:
            continue
        best, how = first, replace(plan, exact=True, metric=None) if reason.exact else plan
        for at in starts:
            found = minimize(problem.objective, at, how, llf, shown)
            if better(found, best, refuted=reason.refutes and best is first):
                best = found
        return End(problem.objective, best, () if best is first else first.log)
    return End(problem.objective, first)


def better(found: Optimum[FE, FN], best: Optimum[FE, FN], refuted: bool = False) -> bool:
    """Whether an end is better than the best so far.

    One that is `refuted` has nothing left but its deviance. Else convergence comes first: the deviance of a search that has not
    ended tells little.
    """
    lower = found.evaluation.deviance - best.evaluation.deviance
    if refuted:
        return lower < 0.0
    if found.converged != best.converged:
        return found.converged and lower < BETTER
    return lower < -BETTER


def linear_model_is_lower(first: First[FE, FN]) -> list[FE]:
    """theta = 0, where that is the linear model and the first search ended above it."""
    found, objective = first.found.evaluation, first.problem.objective
    if first.problem.case.design.residual is not None or first.problem.objective.prior is not None:
        return []
    return [objective.evaluate(np.zeros_like(found.theta))] if above_linear(found.deviance, first.linear) else []


def above_linear(deviance: float, linear: float) -> bool:
    """Whether a deviance is above that of the linear model, rounding aside."""
    return deviance > linear + ABOVE + DEVIANCE_ROUNDING * abs(linear)


def end_is_a_saddle(first: First[FE, FN]) -> list[FE]:
    """The end itself, where the exact Hessian is indefinite and some covariance matrix is all but singular."""
    found, at = first.found, first.found.evaluation
    if not found.converged or first.plan.exact or first.plan.options.nostderr:
        return []
    scaled = ScaledQuadratic(found.model, at.theta)
    distances = [
        abs(float(form @ at.theta)) / float(np.linalg.norm(form * scaled.scale))
        for _, form, _ in first.problem.objective.singular_faces(at.theta)
    ]
    if not distances or min(distances) > NEAR_ZERO:
        return []
    hessian = found.derivatives.observed_information.profiled
    size = np.sqrt(np.maximum(np.abs(np.diag(hessian)), np.finfo(float).tiny))
    return [at] if np.linalg.eigvalsh(hessian / np.outer(size, size))[0] < INDEFINITE else []


def errors_have_other_maxima(first: First[FE, FN]) -> list[FE]:
    """The errors' best other starts, where the first search ended at a limit, near others or not at all; and other shares."""
    case, objective = first.problem.case, first.problem.objective
    part = case.design.residual
    if part is None or not part.structure.n_rho:
        return []
    theta, rho = np.split(first.start.theta, [first.start.theta.size - part.structure.n_rho])
    shares = _other_shares(first, part) if theta.size and case.reduction.orthogonal.n_obs <= FEW_ROWS else []
    reached = residual_limits(part, first.found.evaluation.theta[theta.size :]).reached
    if first.found.converged and not reached and not has_many_maxima(part):
        return shares
    others = [other for other in other_starts(part, case.reduction.orthogonal.residual) if not np.array_equal(other, rho)]
    trials = [evaluated(objective, np.append(theta, other)) for other in others]
    return [*sorted((at for at in trials if at is not None), key=_deviance)[:SEARCHES], *shares]


def _other_shares(first: First[FE, FN], part: ResidualPart) -> list[FE]:
    """Less and more of the random effects, each with that of the errors' `CORRELATIONS` which goes best with it.

    Errors that depend on no lags have no such correlation: theirs stay at the start.
    """
    structure, found = part.structure, []
    own = first.start.theta.size - structure.n_rho
    theta, rho = np.split(first.start.theta, [own])
    beyond = _evaluated(first, MORE * theta, _rare_errors(first, part)) if _wants_rows(first) else []
    if structure.within_level.time not in ("integer", "real"):
        return [at for share in (LESS, MORE) for at in _evaluated(first, share * theta, [rho])] + beyond
    alike = [_with_leading(part, np.full(len(_leading(part)), correlation)) for correlation in CORRELATIONS]
    for effects in (LESS * first.found.evaluation.theta[:own], MORE * theta):
        found += sorted(_evaluated(first, effects, alike), key=_deviance)[:1]
    return found + beyond


def _wants_rows(first: First[FE, FN]) -> bool:
    return first.problem.case.reduction.orthogonal.n_obs < WANT_OF_ROWS * (first.start.theta.size + 1)


def _rare_errors(first: First[FE, FN], part: ResidualPart) -> list[np.ndarray]:
    """Errors that are rarely the best: those of their own moments; correlations of opposite signs in the levels of by()."""
    structure = part.structure
    if structure.within_level.time == "levels":
        rho = start_of_moments(part, first.problem.case.reduction.orthogonal.residual)
        return [] if np.array_equal(rho, structure.start()) else [rho]
    leading = _leading(part)
    if structure.within_level.time not in ("integer", "real") or len(leading) == 1:
        return []
    turns = OPPOSITE * (-1.0) ** np.arange(len(leading))
    return [_with_leading(part, turns), _with_leading(part, -turns)]


def _leading(part: ResidualPart) -> list[int]:
    """The place of the first coordinate of the errors in every level of by()."""
    structure = part.structure
    return [0] if not isinstance(structure, ByLevel) else [own.start for own in structure.inside]


def _with_leading(part: ResidualPart, values: np.ndarray) -> np.ndarray:
    """rho with these first coordinates, all others zero."""
    rho = np.zeros(part.structure.n_rho)
    rho[_leading(part)] = values
    return rho


def _evaluated(first: First[FE, FN], theta: np.ndarray, errors: list[np.ndarray]) -> list[FE]:
    """The evaluations at theta of the random effects and each of the `errors`, as far as the system holds there."""
    trials = (evaluated(first.problem.objective, np.append(theta, rho)) for rho in errors)
    return [at for at in trials if at is not None]


def _deviance(at: FittedEvaluation) -> float:
    return at.deviance


REASONS = (
    Reason(linear_model_is_lower, refutes=True, exact=True),
    Reason(end_is_a_saddle, refutes=True, exact=True),
    Reason(errors_have_other_maxima, refutes=False, exact=False),
)
