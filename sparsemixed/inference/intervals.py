"""Standard errors and confidence intervals of variance parameters, each kind on its own scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from sparsemixed.estimation.fit import Component, Fit, VarianceParameter
from sparsemixed.inference.covariance.vce import ThetaCovariance, theta_covariance
from sparsemixed.inference.hypotheses.distributions import z_critical


@dataclass(frozen=True)
class Scale:
    """A transformation on which an estimate is nearly normal; `slope` is its derivative, `valid` its open domain."""

    to: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]
    valid: Callable[[float], bool]


LOG = Scale(np.log, np.exp, lambda x: 1.0 / x, lambda x: x > 0)
NATURAL = Scale(lambda x: x, lambda x: x, lambda x: 1.0, lambda x: True)
ATANH = Scale(np.arctanh, np.tanh, lambda x: 1.0 / (1.0 - x * x), lambda x: abs(x) < 1)
LOGIT = Scale(
    lambda x: np.log(x / (1.0 - x)), lambda x: 1.0 / (1.0 + np.exp(-x)), lambda x: 1.0 / (x * (1.0 - x)), lambda x: 0 < x < 1
)
SCALES: dict[str, Scale] = {
    "variance": LOG,
    "sd": LOG,
    "covariance": NATURAL,
    "coefficient": NATURAL,
    "correlation": ATANH,
    "decay": LOGIT,
}


@dataclass(frozen=True)
class Interval:
    """A variance parameter with its standard error and limits; NaN where they are not defined."""

    parameter: VarianceParameter
    std_err: float
    low: float
    high: float


def interval(parameter: VarianceParameter, covariance: ThetaCovariance, level: float) -> Interval:
    """Delta-method standard error, and limits that are symmetric on the scale of the parameter's kind."""
    scale, x, variance = SCALES[parameter.kind], parameter.estimate, -1.0
    known = covariance.matrix is not None and parameter.identified and not parameter.boundary
    if known and isfinite(x) and scale.valid(x):
        variance = float(parameter.gradient @ covariance.matrix @ parameter.gradient)
    if not variance >= 0:
        return Interval(parameter, float("nan"), float("nan"), float("nan"))
    std_err, at = sqrt(variance), scale.to(x)
    half = z_critical(level) * std_err * scale.slope(x)
    with np.errstate(over="ignore"):
        return Interval(parameter, std_err, float(scale.back(at - half)), float(scale.back(at + half)))


def component_intervals(fit: Fit, level: float, stddeviations: bool = False) -> list[tuple[Component, tuple[Interval, ...]]]:
    """Every component with its parameters, as variances or as standard deviations, in the order printed."""
    covariance = theta_covariance(fit)
    return [
        (part, tuple(interval(p, covariance, level) for p in (part.deviations if stddeviations else part.variances)))
        for part in fit.components
    ]


def intervals(fit: Fit, level: float, stddeviations: bool = False) -> tuple[Interval, ...]:
    """Every variance parameter, in the order printed, as variances or as standard deviations."""
    return tuple(found for _, part in component_intervals(fit, level, stddeviations) for found in part)
