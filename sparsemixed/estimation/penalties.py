"""Where a deviance becomes a penalised one: its value, gradient and Hessian, all three as they are without priors.

What a prior computes is in `estimation.prior_penalty`, which nothing imports but a fit that has one.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.interface import Curvature, FittedEvaluation, Penalty

KNOWN = 1e30
"""Curvature of a parameter that is known: its variance is none."""


def profiled(prior: Penalty | None, theta: np.ndarray, deviance: float, pwrss: float, df: float) -> tuple[float, float]:
    """The deviance, penalised where there is a prior, and sigma2 at its best."""
    return (deviance, pwrss / df) if prior is None else prior.profiled(theta, deviance, pwrss, df)


def log_prior(prior: Penalty | None, at: FittedEvaluation) -> float:
    """The log density of the priors at an evaluation."""
    return 0.0 if prior is None else prior.at(at).value


def with_slopes(prior: Penalty | None, at: FittedEvaluation, gradient: np.ndarray) -> np.ndarray:
    """The gradient (n_theta,) of the deviance with that of the prior."""
    return gradient if prior is None else gradient - 2.0 * prior.at(at).gradient[:-1]


def with_curvature(prior: Penalty | None, at: FittedEvaluation, found: Curvature) -> Curvature:
    """The Hessian of the deviance with that of the prior; its gradient is that of both already."""
    if prior is None:
        return found
    hessian = found.hessian.copy()
    hessian[-1, -1] = at.pwrss / at.sigma2
    hessian -= 2.0 * prior.at(at).hessian
    if prior.known_variance is not None:
        hessian[-1] = hessian[:, -1] = 0.0
        hessian[-1, -1] = KNOWN
    return Curvature(found.gradient, hessian)
