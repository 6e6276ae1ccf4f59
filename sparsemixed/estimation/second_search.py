"""A second search where the first over the errors' parameters ended at a limit: the likelihood may have a maximum inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsemixed.estimation.limits import residual_limits
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Optimum
from sparsemixed.estimation.start.residual import evaluated, other_starts

SEARCHES = 2
"""How many of the other starts are followed: the best ones."""
BETTER = 1e-6
"""By how much the deviance must be lower for another end to count."""


def best_inside(problem: Problem, start: Any, first: Optimum, llf: Callable[[float], float]) -> Optimum:
    """The lowest end of `first` and of searches from other starts of the errors, made only where the first is at a limit.

    Parameters
    ----------
    start : Evaluation
        Where the first search began.
    """
    part, objective, plan = problem.case.design.residual, problem.objective, problem.plan
    if part is None or plan is None or not part.structure.n_rho:
        return first
    theta = start.theta[: start.theta.size - part.structure.n_rho]
    if first.converged and not residual_limits(part, first.evaluation.theta[theta.size :]).reached:
        return first
    best = first
    others = other_starts(part, problem.case.reduction.orthogonal.residual)
    trials = [evaluated(objective, np.append(theta, rho)) for rho in others if not np.array_equal(rho, start.theta[theta.size :])]
    for at in sorted((at for at in trials if at is not None), key=lambda at: at.deviance)[:SEARCHES]:
        found = minimize(objective, at, plan, llf)
        if _lower(found, best):
            best = found
    return best


def _lower(found: Optimum, best: Optimum) -> bool:
    """Convergence comes first: the deviance of a search that has not ended tells little."""
    if found.converged != best.converged:
        return found.converged and found.evaluation.deviance < best.evaluation.deviance + BETTER
    return found.evaluation.deviance < best.evaluation.deviance - BETTER
