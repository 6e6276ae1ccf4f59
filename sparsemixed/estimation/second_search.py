"""A second search where the first over the errors' parameters ended at a limit: the likelihood may have a maximum inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsemixed.design.values import ResidualPart
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import Objective
from sparsemixed.estimation.limits import residual_limits
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Optimum, Plan
from sparsemixed.estimation.start.residual import interior_starts

BETTER = 1e-6
"""By how much the deviance must be lower for another end to count."""


def best_inside(
    objective: Objective, part: ResidualPart | None, start: Any, first: Optimum, plan: Plan, llf: Callable[[float], float]
) -> Optimum:
    """The lowest end of `first` and of searches from other starts of the errors, made only where the first is at a limit.

    Parameters
    ----------
    start : Evaluation
        Where the first search began.
    """
    if part is None or not part.structure.n_rho:
        return first
    n_rho = part.structure.n_rho
    theta = start.theta[: start.theta.size - n_rho]
    if first.converged and not residual_limits(part, first.evaluation.theta[theta.size :]).reached:
        return first
    best = first
    for rho in interior_starts(part):
        try:
            found = minimize(objective, objective.evaluate(np.append(theta, rho)), plan, llf)
        except NumericalError:
            continue
        if _lower(found, best):
            best = found
    return best


def _lower(found: Optimum, best: Optimum) -> bool:
    """Convergence comes first: the deviance of a search that has not ended tells little."""
    if found.converged != best.converged:
        return found.converged and found.evaluation.deviance < best.evaluation.deviance + BETTER
    return found.evaluation.deviance < best.evaluation.deviance - BETTER
