"""The search of small data in two compiled calls, wherever no step is refused and no boundary met.

`start.moments_groups` and `search.loop` with `search.minimum` are what a search does; this one takes the same steps to the same
places. What it cannot do is left to them, from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.objectives.groups import Curves, GroupsDerivatives, GroupsObjective
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.search.trust_region import QuadraticModel
from sparsemixed.estimation.search.values import LogEntry, Optimum, Plan, Verdict
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.groups.first import Descent, Model, descend
from sparsemixed.solver.groups.kernels_newton import CHANGES, NR_TOLERANCE
from sparsemixed.spec import EstimationOptions

Evaluation = PenalizedEvaluation[FactoredSystem]

VERDICTS = {
    NR_TOLERANCE: Verdict("Newton decrement below nrtolerance", True),
    CHANGES: Verdict("changes of parameters and log likelihood below tolerance and ltolerance", True),
}


class PlainSearch:
    """A search by Newton's method with exact Hessians, in theta itself.

    Parameters
    ----------
    objective : GroupsObjective
    plan : Plan
    start : callable
        theta from moments.
    """

    def __init__(self, objective: GroupsObjective, plan: Plan, start: Callable[[], np.ndarray]):
        self.objective, self._start = objective, start
        self._last: tuple[np.ndarray, Descent | None] | None = None
        about = (objective.moves, objective.faces, objective.reml)
        self.model = Model(*about, bounds_of(plan.options), float(objective.df), plan.options.iterate)

    @cached_property
    def theta(self) -> np.ndarray:
        """(n_theta,) where it begins."""
        return self._start()

    def descended(self, theta: np.ndarray, data: np.ndarray, rest: np.ndarray) -> Descent | None:
        """Its way from theta and its end, for a response whose `data` and `rest` are as of `solver.groups.first`.

        None where a step is refused or a boundary met on the way.
        """
        found = descend(theta, data, self.objective.roots, rest, self.model)
        return found if found.why in VERDICTS else None

    def found(self, theta: np.ndarray) -> Descent | None:
        """The same for the objective's own response; the last one is kept."""
        if self._last is None or not np.array_equal(self._last[0], theta):
            found = self.descended(theta, self.objective.roots.data, self.objective.rest)
            self._last = theta, found
            self.objective.factorizations += 0 if found is None else found.iterations
        return self._last[1]

    def optimum(self, theta: np.ndarray, llf: LogLikelihood) -> Optimum[Evaluation, PenalizedDerivatives] | None:
        """What `search.minimum.minimize` finds from theta; None as of `descended`."""
        found = self.found(theta)
        if found is None:
            return None
        derivatives, log = derivatives_of(found, self.objective), log_of(found, llf, self.model.bounds)
        (message, converged), gradient = VERDICTS[found.why], found.path[found.iterations, 1]
        model = QuadraticModel(gradient, found.profiled[found.iterations])
        return Optimum(derivatives.at, derivatives, model, converged, message, log[-1].decrement, log)


def bounds_of(options: EstimationOptions) -> np.ndarray:
    """The bounds of `solver.groups.first.Model`."""
    nrtolerance = 1e-11 if options.nrtolerance is None else options.nrtolerance
    return np.array([-1.0 if options.nonrtolerance else nrtolerance, options.tolerance, options.ltolerance])


def log_of(found: Descent, llf: LogLikelihood, bounds: np.ndarray) -> tuple[LogEntry, ...]:
    """An entry for every place, as `search.loop.Point` makes them."""
    log, numbers, nrtolerance = [], found.numbers.tolist(), float(bounds[0]) if bounds[0] >= 0.0 else np.nan
    for i, (theta, gradient) in enumerate(found.path[: found.iterations + 1]):
        deviance, steepest, decrement, step, change = numbers[i]
        step, change = (value if i else np.nan for value in (step, change))
        about = {"theta": theta, "score": -0.5 * gradient, "information": 0.5 * found.profiled[i]}
        about |= {"step": step, "change": change, "decrement": decrement, "nrtolerance": nrtolerance}
        log.append(LogEntry(i, llf(deviance), steepest, technique="nr", **about))
    return tuple(log)


def derivatives_of(found: Descent, objective: GroupsObjective) -> GroupsDerivatives:
    """Derivatives at the end."""
    theta, gradient = found.path[found.iterations]
    curves = Curves(gradient, found.hessian, found.slopes)
    deviance = float(found.numbers[found.iterations, 0])
    return objective.known(theta, deviance, found.beta, found.pwrss, found.inverse, curves)


def plain_search(objective: object, plan: Plan, start: Callable[[], np.ndarray]) -> PlainSearch | None:
    """The search where that is the plan, from moments alone; None for other searches."""
    newton = plan.exact and plan.metric is None and asks_for_newton(plan.options)
    if not (newton and isinstance(objective, GroupsObjective) and objective.often):
        return None
    return PlainSearch(objective, plan, start)


def asks_for_newton(options: EstimationOptions) -> bool:
    """Whether the search is to be Newton's method, from moments."""
    return options.metric == "matsqrt" and options.emiterate == 0 and all(name == "nr" for name, _ in options.technique)
