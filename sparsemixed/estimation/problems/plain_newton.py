"""The search of small data in a few compiled calls, wherever no step is refused and no boundary met.

`search.loop` with `search.minimum` is what a search does; this one takes the same steps to the same places. What it cannot do is
left to the loop, from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.objectives.groups import Curves, GroupsObjective
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.search.trust_region import QuadraticModel
from sparsemixed.estimation.search.values import LogEntry, Optimum, Plan, Verdict
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.groups.kernels_newton import CHANGES, GO_ON, NR_TOLERANCE, advance
from sparsemixed.solver.groups.profiled import ProfiledSums

Evaluation = PenalizedEvaluation[FactoredSystem]
MOST_PLACES = 24
"""Places after which the search is no plain one."""


VERDICTS = {
    NR_TOLERANCE: Verdict("Newton decrement below nrtolerance", True),
    CHANGES: Verdict("changes of parameters and log likelihood below tolerance and ltolerance", True),
}


def plain_search(
    objective: object, plan: Plan
) -> Callable[[Evaluation, LogLikelihood], Optimum[Evaluation, PenalizedDerivatives] | None] | None:
    """`plain_newton` where that is the plan: by Newton's method with exact Hessians, in theta itself; None for other searches."""
    newton = plan.exact and plan.metric is None and all(name == "nr" for name, _ in plan.options.technique)
    if not (newton and isinstance(objective, GroupsObjective) and objective.often):
        return None
    return partial(plain_newton, objective, plan)


def plain_newton(
    objective: GroupsObjective, plan: Plan, start: Evaluation, llf: LogLikelihood
) -> Optimum[Evaluation, PenalizedDerivatives] | None:
    """The optimum that `search.minimum.minimize` finds; None where a step is refused or a boundary met on the way."""
    options, roots, n, p = plan.options, objective.roots, objective.n_theta, objective.p
    nrtolerance = 1e-11 if options.nrtolerance is None else options.nrtolerance
    bounds = np.array([-1.0 if options.nonrtolerance else nrtolerance, options.tolerance, options.ltolerance])
    path, profiled, numbers = np.empty((MOST_PLACES, 2, n)), np.empty((MOST_PLACES, n, n)), np.empty((MOST_PLACES, 5))
    state, ends = np.array([1.0, np.inf, 0.0, 0.0, -1.0]), (np.empty((n + 1, n + 1)), np.empty((n, p + 1, p + 1)))
    path[0, 0] = start.theta
    lam = (start.theta @ objective.flat_moves).reshape(roots.k, roots.k)
    at = ProfiledSums(roots, objective.rest, objective.reml)
    why, i, pwrss = GO_ON, -1, np.nan
    while why == GO_ON and i < options.iterate:
        i += 1
        deviance, pwrss = at.profile(lam, objective.df)
        if not np.isfinite(deviance):
            return None
        at.add_up(lam, at.columns)
        known = (at.columns, at.beta, at.inverse, deviance, pwrss, objective.df, objective.reml, bounds, i, state)
        why = advance(at.sums, objective.moves, objective.faces, *known, lam, path, profiled, numbers, ends)
    if why not in VERDICTS:
        return None
    objective.factorizations += i
    theta, gradient = path[i]
    derivatives = objective.known(theta, float(numbers[i, 0]), at.beta, float(pwrss), at.inverse, Curves(gradient, *ends))
    log = _log(path[: i + 1], profiled, numbers.tolist(), np.nan if options.nonrtolerance else nrtolerance, llf)
    model, (message, converged) = QuadraticModel(gradient, profiled[i]), VERDICTS[why]
    return Optimum(derivatives.at, derivatives, model, converged, message, log[-1].decrement, log)


def _log(
    path: np.ndarray, profiled: np.ndarray, numbers: list[list[float]], bound: float, llf: LogLikelihood
) -> tuple[LogEntry, ...]:
    """An entry for every place, as `search.loop.Point` makes them; arrays as `kernels_newton.advance` fills them."""
    log = []
    for i, (theta, gradient) in enumerate(path):
        deviance, steepest, decrement, step, change = numbers[i]
        step, change = (value if i else np.nan for value in (step, change))
        about = {"theta": theta, "score": -0.5 * gradient, "information": 0.5 * profiled[i], "step": step, "change": change}
        log.append(LogEntry(i, llf(deviance), steepest, technique="nr", decrement=decrement, nrtolerance=bound, **about))
    return tuple(log)
