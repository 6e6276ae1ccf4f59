"""Prior distributions of single parameters: small frozen values with a log density, analytic so that complex steps work.

Densities are in the parameter as it is named: a prior on `sd(week)` is one of the standard deviation, on `var(week)` of the
variance. The constants are kept, so that marginal likelihoods are those of the models as stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.priors.special import betainc, betaln, gammainc, gammaincc, gammaln, ndtr, stdtr
from sparsemixed.spec.numbers import is_number

LARGEST = 1e100
"""Number whose square, and that of its inverse, are far from the ends of floating point."""
LOG_2PI = float(np.log(2.0 * np.pi))


class Prior:
    """A distribution of one real number.

    Attributes
    ----------
    proper : bool
        Whether its density has an integral.
    positive : bool
        Whether it is one of positive numbers, which standard deviations and variances are.
    """

    proper: bool = True
    positive: bool = True

    def log_density(self, x: Any) -> Any:
        """Log density at x (...), real inside the support or complex beside it."""
        raise NotImplementedError

    def slopes(self, x: float) -> tuple[float, float]:
        """First and second derivative of the log density at x, inside the support."""
        raise NotImplementedError

    def cdf(self, x: float) -> float:
        """Probability below x; NaN of an improper prior."""
        return float("nan")


@dataclass(frozen=True)
class Flat(Prior):
    """Density one everywhere: improper, with the restricted likelihood as the posterior of coefficients integrated out."""

    word = "flat"
    proper = False
    positive = False

    def log_density(self, x: Any) -> Any:
        return 0.0 * x

    def slopes(self, x: float) -> tuple[float, float]:
        return 0.0, 0.0


@dataclass(frozen=True)
class Normal(Prior):
    """N(mean, sd^2), of coefficients."""

    word = "normal"
    mean: float = 0.0
    sd: float = 1.0
    positive = False

    def __post_init__(self) -> None:
        _finite(self, "mean")
        _positive(self, "sd")

    def log_density(self, x: Any) -> Any:
        return -0.5 * ((x - self.mean) / self.sd) ** 2 - 0.5 * LOG_2PI - np.log(self.sd)

    def slopes(self, x: float) -> tuple[float, float]:
        return -(x - self.mean) / self.sd**2, -1.0 / self.sd**2

    def cdf(self, x: float) -> float:
        return float(ndtr((x - self.mean) / self.sd))


@dataclass(frozen=True)
class HalfT(Prior):
    """The absolute value of scale times Student's t with `df` degrees of freedom (Gelman 2006)."""

    word = "halft"
    df: float = 3.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "df", "scale")

    def log_density(self, x: Any) -> Any:
        v, constant = self.df, gammaln((self.df + 1) / 2) - gammaln(self.df / 2) - 0.5 * np.log(self.df * np.pi)
        return constant + np.log(2.0 / self.scale) - 0.5 * (v + 1) * np.log1p((x / self.scale) ** 2 / v)

    def slopes(self, x: float) -> tuple[float, float]:
        return _cauchy_like(x, self.df, self.scale)

    def cdf(self, x: float) -> float:
        return float(2.0 * stdtr(self.df, x / self.scale) - 1.0)


@dataclass(frozen=True)
class HalfCauchy(Prior):
    """The absolute value of a Cauchy variable."""

    word = "halfcauchy"
    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "scale")

    def log_density(self, x: Any) -> Any:
        return np.log(2.0 / (np.pi * self.scale)) - np.log1p((x / self.scale) ** 2)

    def slopes(self, x: float) -> tuple[float, float]:
        return _cauchy_like(x, 1.0, self.scale)

    def cdf(self, x: float) -> float:
        return float(2.0 / np.pi * np.arctan(x / self.scale))


@dataclass(frozen=True)
class HalfNormal(Prior):
    """The absolute value of N(0, scale^2)."""

    word = "halfnormal"
    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "scale")

    def log_density(self, x: Any) -> Any:
        return -0.5 * (x / self.scale) ** 2 + 0.5 * np.log(2.0 / np.pi) - np.log(self.scale)

    def slopes(self, x: float) -> tuple[float, float]:
        return -x / self.scale**2, -1.0 / self.scale**2

    def cdf(self, x: float) -> float:
        return float(2.0 * ndtr(x / self.scale) - 1.0)


@dataclass(frozen=True)
class Exponential(Prior):
    """Density rate exp(-rate x): of a standard deviation the penalised-complexity prior (Simpson et al. 2017), see `pc`."""

    word = "exponential"
    rate: float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "rate")

    def log_density(self, x: Any) -> Any:
        return np.log(self.rate) - self.rate * x

    def slopes(self, x: float) -> tuple[float, float]:
        return -self.rate, 0.0

    def cdf(self, x: float) -> float:
        return float(-np.expm1(-self.rate * x))


def pc(limit: float, probability: float) -> Exponential:
    """The penalised-complexity prior of a standard deviation with P(sd > limit) = probability (Simpson et al. 2017).

    Examples
    --------
    >>> pc(150, 0.05)
    Exponential(rate=0.01997...)
    """
    if not (is_number(limit) and is_number(probability) and 0 < limit < np.inf and 0 < probability < 1):
        raise OptionError(f"pc({limit!r}, {probability!r}) wants a positive limit and a probability between 0 and 1")
    return Exponential(-float(np.log(probability)) / limit)


@dataclass(frozen=True)
class Gamma(Prior):
    """Gamma with density proportional to x^(shape - 1) exp(-rate x); shape 2 keeps estimates off zero (Chung et al. 2013)."""

    word = "gamma"
    shape: float = 2.0
    rate: float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "shape", "rate")

    def log_density(self, x: Any) -> Any:
        return self.shape * np.log(self.rate) - gammaln(self.shape) + (self.shape - 1) * np.log(x) - self.rate * x

    def slopes(self, x: float) -> tuple[float, float]:
        return (self.shape - 1) / x - self.rate, -(self.shape - 1) / x**2

    def cdf(self, x: float) -> float:
        return float(gammainc(self.shape, self.rate * x))


@dataclass(frozen=True)
class InverseGamma(Prior):
    """Inverse gamma with density proportional to x^(-shape - 1) exp(-scale / x)."""

    word = "igamma"
    shape: float = 0.01
    scale: float = 0.01

    def __post_init__(self) -> None:
        _positive(self, "shape", "scale")

    def log_density(self, x: Any) -> Any:
        return self.shape * np.log(self.scale) - gammaln(self.shape) - (self.shape + 1) * np.log(x) - self.scale / x

    def slopes(self, x: float) -> tuple[float, float]:
        return -(self.shape + 1) / x + self.scale / x**2, (self.shape + 1) / x**2 - 2 * self.scale / x**3

    def cdf(self, x: float) -> float:
        return float(gammaincc(self.shape, self.scale / x))


@dataclass(frozen=True)
class Uniform(Prior):
    """Equal density between two limits."""

    word = "uniform"
    low: float = 0.0
    high: float = 1.0
    positive = False

    def __post_init__(self) -> None:
        _finite(self, "low", "high")
        if not self.low < self.high:
            raise OptionError(f"{self!r}: low must be below high")

    def log_density(self, x: Any) -> Any:
        inside = (np.real(x) >= self.low) & (np.real(x) <= self.high)
        return np.where(inside, 0.0 * x - np.log(self.high - self.low), -np.inf)

    def slopes(self, x: float) -> tuple[float, float]:
        return 0.0, 0.0

    def cdf(self, x: float) -> float:
        return float(np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0))


@dataclass(frozen=True)
class Beta(Prior):
    """A beta distribution stretched over (low, high): of a correlation over (-1, 1), the default."""

    word = "beta"
    a: float = 1.0
    b: float = 1.0
    low: float = -1.0
    high: float = 1.0
    positive = False

    def __post_init__(self) -> None:
        _positive(self, "a", "b")
        _finite(self, "low", "high")
        if not self.low < self.high:
            raise OptionError(f"{self!r}: low must be below high")

    def log_density(self, x: Any) -> Any:
        width = self.high - self.low
        t = (x - self.low) / width
        inside = (np.real(t) > 0) & (np.real(t) < 1)
        t = np.where(inside, t, 0.5)
        value = (self.a - 1) * np.log(t) + (self.b - 1) * np.log1p(-t) - betaln(self.a, self.b) - np.log(width)
        return np.where(inside, value, -np.inf)

    def slopes(self, x: float) -> tuple[float, float]:
        left, right = x - self.low, self.high - x
        return (self.a - 1) / left - (self.b - 1) / right, -(self.a - 1) / left**2 - (self.b - 1) / right**2

    def cdf(self, x: float) -> float:
        return float(betainc(self.a, self.b, np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0)))


@dataclass(frozen=True)
class Fixed(Prior):
    """All probability at one value: the parameter is known."""

    word = "fixed"
    value: float

    def __post_init__(self) -> None:
        _finite(self, "value")

    def log_density(self, x: Any) -> Any:
        return 0.0 * x

    def slopes(self, x: float) -> tuple[float, float]:
        return 0.0, 0.0


def _cauchy_like(x: float, df: float, scale: float) -> tuple[float, float]:
    """Of Student's t: derivatives of -(df + 1) / 2 log(df + (x / scale)^2)."""
    total = df * scale**2 + x**2
    return -(df + 1) * x / total, -(df + 1) * (total - 2 * x**2) / total**2


def _positive(prior: Prior, *names: str) -> None:
    for name in names:
        value = getattr(prior, name)
        if not is_number(value) or not (0 < value < np.inf):
            raise OptionError(f"{type(prior).__name__}: {name}={value!r} must be a positive number")
        if not 1.0 / LARGEST < value < LARGEST:
            raise OptionError(f"{type(prior).__name__}: {name}={value!r}: its square and densities are beyond floating point")


def _finite(prior: Prior, *names: str) -> None:
    for name in names:
        value = getattr(prior, name)
        if not is_number(value) or not np.isfinite(value):
            raise OptionError(f"{type(prior).__name__}: {name}={value!r} must be a number")
