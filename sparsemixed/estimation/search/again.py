"""A second search, where the end of the first shows that a better optimum is at hand.

The deviance may have several minima. Two signs cost next to nothing to read. A minimum above the deviance of the linear model,
which is theta = 0 and nested in every model of random effects, is not the lowest: the second search starts at zero, where the
gradient vanishes because the deviance is even, and leaves it along the negative curvature of the exact Hessian if there is any.
And an end that the average information, which is never indefinite, took for a minimum may be a saddle beside a variance of zero
(the one-sided derivative by the variance is half the second one by its root there; Stram & Lee 1994): the exact Hessian, which
standard errors need in any case, tells, and the second search goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sparsemixed.estimation.interface import Objective
from sparsemixed.estimation.search.minimum import DEVIANCE_ROUNDING, minimize
from sparsemixed.estimation.search.trust_region import ScaledQuadratic
from sparsemixed.estimation.search.values import LogEntry, Optimum, Plan, Progress

ABOVE = 1e-6
"""Deviance by which a minimum must exceed that of the linear model: less is rounding, and theta = 0 itself."""
NEAR_ZERO = 1e-2
"""Scaled distance to a zero of a covariance matrix at which the average information is not taken at its word."""
INDEFINITE = -1e-4
"""Eigenvalue of the exact Hessian, scaled to a unit diagonal, below which an end is a saddle."""


def second_search(
    objective: Objective,
    found: Optimum,
    linear: float,
    plan: Plan,
    llf: Callable[[float], float],
    progress: Progress | None = None,
) -> Optimum:
    """The better of the first search's end and that of a second one, where there is reason for it.

    Parameters
    ----------
    found : Optimum
        Of the first search.
    linear : float
        Deviance of the same model without random effects.
    """
    exact = replace(plan, exact=True, metric=None)
    if found.evaluation.deviance > linear + ABOVE + DEVIANCE_ROUNDING * abs(linear):
        start = objective.evaluate(np.zeros_like(found.evaluation.theta))
    elif found.converged and not plan.exact and not plan.options.nostderr and _at_saddle(objective, found):
        start = found.evaluation
    else:
        return found
    first = len(found.log)

    def shown(entry: LogEntry) -> None:
        if progress:
            progress(replace(entry, iteration=entry.iteration + first))

    second = minimize(objective, start, exact, llf, shown)
    if not second.evaluation.deviance < found.evaluation.deviance:
        return found
    log = tuple(replace(entry, iteration=entry.iteration + first) for entry in second.log)
    return replace(second, log=(*found.log, *log))


def _at_saddle(objective: Any, found: Optimum) -> bool:
    """Whether the exact Hessian is indefinite where some covariance matrix is all but singular."""
    at = found.evaluation
    scaled = ScaledQuadratic(found.model, at.theta)
    distances = [
        abs(float(form @ at.theta)) / float(np.linalg.norm(form * scaled.scale))
        for _, form, _ in objective.singular_faces(at.theta)
    ]
    if not distances or min(distances) > NEAR_ZERO:
        return False
    hessian = found.derivatives.observed_information.profiled
    size = np.sqrt(np.maximum(np.abs(np.diag(hessian)), np.finfo(float).tiny))
    return bool(np.linalg.eigvalsh(hessian / np.outer(size, size))[0] < INDEFINITE)
