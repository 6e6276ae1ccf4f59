"""Trust-region Newton on the profiled deviance, with exact gradients and the curvature of `estimation.search.curvature`.

The parameters are entries of relative factors, in which the deviance is smooth and even at a zero variance: a solution on
the boundary is an ordinary stationary point that Newton reaches quickly, and no step can leave the valid region.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sparsemixed.estimation.interface import FE, FN, Coordinates, E, FittedObjective, N, Objective
from sparsemixed.estimation.search.boundary import project_to_boundary
from sparsemixed.estimation.search.curvature import Turns, newton_model
from sparsemixed.estimation.search.loop import Acceptance, Place, Point, search
from sparsemixed.estimation.search.values import Optimum, Plan, Progress, Verdict
from sparsemixed.estimation.trial import evaluated

GROW = 2.0
"""Of the radius, after a step that the model predicted well."""
DEVIANCE_ROUNDING = 1e-12
"""Relative size of the deviance's rounding error: differences below it mean nothing."""
NEAR_DECREMENT = 1e-4
"""Newton decrement from which the boundary of the parameter space is tried exactly, and changes alone may end the iterations."""
LARGEST_RADIUS, SMALLEST_RADIUS = 1e3, 1e-10


def minimize(
    objective: FittedObjective[FE, FN], start: FE, plan: Plan, llf: Callable[[float], float], progress: Progress | None = None
) -> Optimum[FE, FN]:
    """Minimise the deviance from `start`, in theta whatever the plan's metric.

    Convergence: the Newton decrement g'inv(H)g / 2, the distance from the optimum in units of -2 log likelihood that the
    quadratic model predicts, falls below `nrtolerance` (1e-11 with the exact Hessian, where another iteration costs little;
    1e-7 with the average information: an error of at most 5e-4 standard errors); or both the relative change of the deviance
    below `ltolerance` and the scaled step below `tolerance`, once the decrement is under 1e-4. With `nonrtolerance` the
    decrement has no say in either. The Hessian must be positive definite. A quasi-Newton technique never has the last word:
    where it would stop, the Hessian is computed, and the same rules are applied to that.

    Parameters
    ----------
    objective : FittedObjective
    start : Evaluation
        What `objective.evaluate` returns.
    plan : Plan
    llf : callable
        Log likelihood of a deviance, for the log.
    """
    if plan.metric is not None:
        return _minimize_in(plan.metric(objective), start, plan, llf, progress)
    return _minimize(objective, start, plan, llf, progress)


def _minimize(
    objective: Objective[E, N], start: E, plan: Plan, llf: Callable[[float], float], progress: Progress | None
) -> Optimum[E, N]:
    """In the objective's own parameters."""
    curvature = Turns(plan.options.technique, plan.exact, plan.patience)
    return search(LowerDeviance(objective, plan), curvature, Place(start, objective.derivatives(start)), llf, progress)


def _minimize_in(
    coordinates: Coordinates[Any, Any], start: FE, plan: Plan, llf: Callable[[float], float], progress: Progress | None
) -> Optimum[FE, Any]:
    """The same search in other coordinates; its log is in them, its optimum is that of the objective behind them."""
    begin = coordinates.evaluate(coordinates.omega(start.theta))
    found = _minimize(coordinates, begin, plan, llf, progress)
    derivatives = found.derivatives.inner
    model = newton_model(derivatives, plan.exact)
    return replace(found, evaluation=found.evaluation.inner, derivatives=derivatives, model=model)


class LowerDeviance(Acceptance[E, N]):
    """A step is accepted where the deviance falls by a twentieth of what the model predicts, or more."""

    def __init__(self, objective: Objective[E, N], plan: Plan):
        self.objective, self.options = objective, plan.options
        asked = plan.options.nrtolerance
        self.nrtolerance = asked if asked is not None else 1e-11 if plan.exact else 1e-7
        self.projected_at = -1

    @property
    def bound(self) -> float:
        return np.nan if self.options.nonrtolerance else self.nrtolerance

    def verdict(self, point: Point[E, N], iteration: int) -> Verdict | None:
        scaled, options = point.scaled, self.options
        if scaled.convex and scaled.decrement <= self.nrtolerance and not options.nonrtolerance:
            return Verdict("Newton decrement below nrtolerance", True)
        small = point.place.step <= options.tolerance and point.place.change <= options.ltolerance
        if scaled.convex and (scaled.decrement <= NEAR_DECREMENT or options.nonrtolerance) and small:
            return Verdict("changes of parameters and log likelihood below tolerance and ltolerance", True)
        if iteration >= options.iterate:
            return Verdict(f"iterate({options.iterate}) reached", False)
        return None

    def shortcut(self, point: Point[E, N], iteration: int) -> Place[E, N] | None:
        """The nearest place on the boundary: there a covariance matrix has directions that change nothing, and beside it
        Newton would crawl along them.
        """
        if point.scaled.decrement > NEAR_DECREMENT or iteration <= self.projected_at + 3:
            return None
        self.projected_at = iteration
        found, _ = project_to_boundary(self.objective, point.at, point.model.gradient, point.model.hessian)
        return None if found is point.at else Place(found, self.objective.derivatives(found))

    def attempt(self, here: Point[E, N], step: np.ndarray, predicted: float, radius: float) -> tuple[Place[E, N], float] | None:
        at = here.at
        trial = evaluated(self.objective, at.theta + step)
        gain = at.deviance - trial.deviance if trial else -np.inf
        if not trial or not gain >= 0.05 * predicted - DEVIANCE_ROUNDING * abs(at.deviance):
            return None
        if gain > 0.75 * predicted:
            radius = min(GROW * radius, LARGEST_RADIUS)
        change = abs(gain) / (abs(at.deviance) + 1.0)
        return Place(trial, self.objective.derivatives(trial), here.scaled.size(step), change), radius

    def gives_up(self, here: Point[E, N], predicted: float, radius: float) -> Verdict | None:
        # With no gradient left, a negative curvature that no step can use is rounding too.
        flat = here.scaled.convex or here.scaled.decrement <= self.nrtolerance
        if flat and predicted < DEVIANCE_ROUNDING * (abs(here.at.deviance) + self.objective.df):
            return Verdict("no step changes the deviance beyond rounding", True)
        if radius < SMALLEST_RADIUS:
            return Verdict("no step lowers the deviance (flat or discontinuous region)", False)
        return None
