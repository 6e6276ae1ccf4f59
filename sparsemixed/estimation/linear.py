"""The linear model with the same fixed part: what remains without random effects, and the comparison of the LR test."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import DataError
from sparsemixed.estimation.fit import Component, Fit, VarianceParameter
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.spec import ModelSpec

NOTHING_LEFT = (10 * float(np.finfo(float).eps)) ** 2
"""Share of the squares of a response up to which what the fixed part leaves is rounding."""
SMALLEST_SQUARES = 1e-280
"""Sum of squares of a response below which products of its values lose digits."""


def linear_llf(orthogonal: OrthonormalCoordinates, reml: bool) -> float:
    """Log (restricted) likelihood of y ~ N(X beta, sigma2 I), beta and sigma2 profiled out."""
    return log_likelihood(orthogonal, reml).linear


@dataclass(frozen=True)
class LogLikelihood:
    """The log (restricted) likelihood as a function of the deviance in orthonormal coordinates.

    Attributes
    ----------
    constant : float
        What these coordinates take off the deviance.
    linear : float
        Log likelihood of the linear model, see `linear_llf`.
    """

    constant: float
    linear: float

    def __call__(self, deviance: float) -> float:
        """The log likelihood of a deviance."""
        return -0.5 * (deviance + self.constant)

    @property
    def linear_deviance(self) -> float:
        """The deviance of the linear model, in orthonormal coordinates."""
        return -2.0 * self.linear - self.constant


def log_likelihood_of(squares: float, df: float, constant: float) -> LogLikelihood:
    """The same for squares that X leaves of the response, with the `constant` of its coordinates."""
    return LogLikelihood(constant, -0.5 * (df * (1.0 + log(2.0 * pi * squares / df)) + constant))


def log_likelihood(orthogonal: OrthonormalCoordinates, reml: bool) -> LogLikelihood:
    """The log likelihood of a model with this fixed part."""
    n, p = orthogonal.n_obs, orthogonal.rank
    return log_likelihood_of(orthogonal.square, n - p if reml else n, orthogonal.constant(reml))


def check_residual(orthogonal: OrthonormalCoordinates, y: np.ndarray, response: str) -> None:
    """Refuse a response that leaves nothing to model, or whose squares are beyond floating point."""
    with np.errstate(over="ignore", under="ignore"):
        pwrss, y2 = orthogonal.square, float(y @ y)
    if not np.isfinite(y2) or (y2 < SMALLEST_SQUARES and np.any(y)):
        raise DataError(f"the squares of `{response}` are beyond the range of floating point; rescale it")
    if pwrss <= NOTHING_LEFT * y2:
        raise DataError(f"the fixed part fits `{response}` exactly; there is no residual variance to estimate")


def linear_fit(spec: ModelSpec, design: Design, orthogonal: OrthonormalCoordinates) -> Fit:
    """The fit of a model without random effects: closed form."""
    n, p = orthogonal.n_obs, orthogonal.rank
    reml = spec.estimation.method == "reml"
    df = n - p if reml else n
    pwrss = orthogonal.square
    sigma2 = pwrss / df
    llf = linear_llf(orthogonal, reml)
    variance = VarianceParameter("", "var(Residual)", sigma2, np.array([sigma2]), "variance", False)
    deviation = VarianceParameter("", "sd(Residual)", sigma2**0.5, np.array([0.5 * sigma2**0.5]), "sd", False)
    return Fit(
        spec=spec,
        design=design,
        beta=orthogonal.coefficients(np.zeros(p)),
        root=orthogonal.root(np.sqrt(sigma2) * np.eye(p)),
        slopes=np.zeros((0, p, p)) if reml else None,
        sigma2=sigma2,
        theta=np.zeros(0),
        information=None if spec.estimation.nostderr else np.array([[0.5 * df]]),
        boundary=np.zeros(0, bool),
        boundary_names=(),
        components=(Component(None, 0, 0, (variance,), (deviation,)),),
        llf=llf,
        llf_linear=llf,
        converged=True,
        message="closed form",
        gradient_norm=0.0,
        em_log=(),
        log=(LogEntry(0, llf, 0.0),),
        iterations=0,
        factorizations=0,
        solver="none",
        u=(),
        u_var=(),
    )
