"""Expectation maximization, for starting values or, with `emonly`, for all of the search.

In one step every covariance becomes the mean of its groups' conditional second moments, beta and sigma2 profiled:
Sigma_t <- (1 / sum_i D_i) sum_i D_i (b_i b_i' + Var(b_i | y)), D_i the number of groups that group i stands for, then the
nearest member of the structure (manual, Methods and formulas, step 3; Laird & Ware 1982). All of it is a by-product of the
gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.fit import LogEntry
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.search.curvature import newton_model
from sparsemixed.estimation.search.loop import Optimum, Progress
from sparsemixed.estimation.search.trust_region import Scaled
from sparsemixed.spec import EstimationOptions


def em_step(objective: PenalizedObjective, derivatives: PenalizedDerivatives) -> np.ndarray:
    """theta (n_theta,) after one EM step from `derivatives.at`."""
    at, cp, inverse = derivatives.at, objective.cp, derivatives.inverse_diagonals()
    weights = objective.system.weights
    each = np.concatenate([np.repeat(w, k) for w, k in zip(weights, cp.k, strict=True)])[:, None]
    moments = derivatives.outer(each * at.u[:, None], at.u[:, None])
    uncertainty = derivatives.outer(at.U @ at.XVX_inverse, at.U) if objective.reml else None
    covariances = []
    for t, (factor, w) in enumerate(zip(derivatives.factors, weights, strict=True)):
        spherical = moments[t] / at.sigma2 + np.tensordot(w, inverse[t], axes=1)
        if uncertainty is not None:
            spherical = spherical + uncertainty[t]
        covariances.append(factor @ spherical @ factor.T / w.sum())
    return objective.parameters.nearest(covariances)


@dataclass(frozen=True)
class EmPath:
    """Where EM ended, the log likelihood at every step, and whether it changed relatively by no more than `emtolerance`."""

    at: PenalizedEvaluation
    log: tuple[LogEntry, ...]
    converged: bool


def em_path(
    objective: PenalizedObjective,
    at: PenalizedEvaluation,
    options: EstimationOptions,
    llf: Callable[[float], float],
    progress: Progress | None = None,
) -> EmPath:
    """At most `emiterate` EM steps from an evaluation.

    Parameters
    ----------
    llf : callable
        Log likelihood of a deviance.
    """
    log, converged = [LogEntry(0, llf(at.deviance), float("nan"))], False
    while len(log) <= options.emiterate and not converged:
        at = objective.evaluate(em_step(objective, objective.derivatives(at)))
        log.append(LogEntry(len(log), llf(at.deviance), float("nan")))
        if progress:
            progress(log[-1])
        converged = abs(log[-1].llf - log[-2].llf) <= options.emtolerance * abs(log[-1].llf)
    return EmPath(at, tuple(log), converged)


def em_optimum(objective: PenalizedObjective, path: EmPath, options: EstimationOptions, exact: bool) -> Optimum:
    """The end of an EM path as the optimum of a search; its decrement tells how far the maximum still is."""
    derivatives = objective.derivatives(path.at)
    model = newton_model(derivatives, exact)
    message = "EM changes the log likelihood by less than emtolerance"
    if not path.converged:
        message = f"emiterate({options.emiterate}) reached"
    return Optimum(path.at, derivatives, model, path.converged, message, Scaled(model, path.at.theta).decrement, ())
