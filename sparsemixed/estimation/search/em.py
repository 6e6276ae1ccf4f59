"""Expectation maximization, for starting values or, with `emonly`, for all of the search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

import numpy as np

from sparsemixed.estimation.interface import D, E, N, Objective
from sparsemixed.estimation.search.curvature import newton_model
from sparsemixed.estimation.search.trust_region import ScaledQuadratic
from sparsemixed.estimation.search.values import LogEntry, Optimum, Progress
from sparsemixed.spec import EstimationOptions


@dataclass(frozen=True)
class EmPath(Generic[E]):
    """Where EM ended, the log likelihood at every step, and whether it changed relatively by no more than `emtolerance`."""

    at: E
    log: tuple[LogEntry, ...]
    converged: bool


def em_path(
    objective: Objective[E, D],
    step: Callable[[D], np.ndarray],
    at: E,
    options: EstimationOptions,
    llf: Callable[[float], float],
    progress: Progress | None = None,
) -> EmPath[E]:
    """At most `emiterate` EM steps from an evaluation.

    Parameters
    ----------
    step : callable
        theta (n_theta,) after one EM step from the objective's derivatives.
    at : Evaluation
    llf : callable
        Log likelihood of a deviance.
    """
    log, converged = [LogEntry(0, llf(at.deviance), float("nan"))], False
    while len(log) <= options.emiterate and not converged:
        at = objective.evaluate(step(objective.derivatives(at)))
        log.append(LogEntry(len(log), llf(at.deviance), float("nan")))
        if progress:
            progress(log[-1])
        converged = abs(log[-1].llf - log[-2].llf) <= options.emtolerance * abs(log[-1].llf)
    return EmPath(at, tuple(log), converged)


def em_optimum(objective: Objective[E, N], path: EmPath[E], options: EstimationOptions, exact: bool) -> Optimum[E, N]:
    """The end of an EM path as the optimum of a search; its decrement tells how far the maximum still is."""
    derivatives = objective.derivatives(path.at)
    model = newton_model(derivatives, exact)
    message = "EM changes the log likelihood by less than emtolerance"
    if not path.converged:
        message = f"emiterate({options.emiterate}) reached"
    return Optimum(path.at, derivatives, model, path.converged, message, ScaledQuadratic(model, path.at.theta).decrement, ())
