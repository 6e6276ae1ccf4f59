"""Where a deviance becomes a penalised one: its value, gradient and Hessian, all three as they are without priors.

What a prior computes is in `estimation.prior_penalty`, which nothing imports but a fit that has one.
"""

from __future__ import annotations

from math import log, pi

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.fixed_effects import solve_fixed
from sparsemixed.estimation.interface import Curvature, FittedEvaluation, FittedSlopes, Penalty, Profile

VANISHED = (
    "the residual sum of squares vanished: the random effects fit the response exactly. "
    "Is there a group for every observation, or a constant response within groups?"
)

KNOWN = 1e30
"""Curvature of a parameter that is known: its variance is none."""


def profiled(prior: Penalty | None, theta: np.ndarray, W: np.ndarray, logdet: float, df: float, reml: bool) -> Profile:
    """The deviance, penalised where there is a prior, with beta and sigma2 at their best.

    Parameters
    ----------
    W : (p + 1, p + 1)
        [X y]'inv(V0)[X y].
    logdet : float
        log|V0|.

    Raises
    ------
    NumericalError
        The residual sum of squares vanished; coefficients are not identified.
    """
    p = len(W) - 1
    beta, inverse, logdet_x = solve_fixed(W[:p, :p], W[:p, p])
    pwrss = float(W[p, p] - W[:p, p] @ beta)
    if not pwrss > 0:
        raise NumericalError(VANISHED)
    deviance = float(logdet + df * (1 + log(2 * pi * pwrss / df)) + (logdet_x if reml else 0.0))
    found = Profile(deviance, beta, pwrss, pwrss / df, inverse)
    return found if prior is None else prior.profiled(theta, W, found, df, logdet_x)


def log_prior(prior: Penalty | None, at: FittedEvaluation) -> float:
    """The log density of the priors at an evaluation."""
    return 0.0 if prior is None else prior.at(at).value


def with_slopes(prior: Penalty | None, at: FittedEvaluation, gradient: np.ndarray) -> np.ndarray:
    """The gradient (n_theta,) of the deviance with that of the prior."""
    return gradient if prior is None else gradient - 2.0 * prior.at(at).gradient[:-1]


def with_curvature(prior: Penalty | None, derivatives: FittedSlopes, found: Curvature) -> Curvature:
    """The Hessian of the deviance with that of the prior; its gradient is that of both already."""
    if prior is None:
        return found
    at, hessian = derivatives.at, found.hessian.copy()
    hessian[-1, -1], cross = prior.by_sigma(derivatives)
    hessian[-1, :-1] += cross
    hessian[:-1, -1] += cross
    hessian -= 2.0 * prior.at(at).hessian
    if prior.known_variance is not None:
        hessian[-1] = hessian[:, -1] = 0.0
        hessian[-1, -1] = KNOWN
    return Curvature(found.gradient, hessian)
