"""How much of the priors of the errors' parameters lies where there are such errors: what makes their density one of mass one.

Priors are stated parameter by parameter, but autoregressive coefficients are those of a stationary process, moving averages are
invertible, and correlations by lag make up a positive definite matrix. The posterior does not depend on the mass of that region;
the marginal likelihood is divided by it. Coefficients phi of order p come from partial autocorrelations r in (-1, 1) with

    |d phi / d r| = prod_k (1 - r_k)^floor(k / 2) (1 + r_k)^floor((k - 1) / 2)

(Barndorff-Nielsen & Schou 1973), a product, so that the volume of their region is one of beta functions (Piccolo 1982): 2, 4,
16/3, 64/9 ... Regions of other shapes, or with densities of their own, are met by draws from the priors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import Any, NamedTuple

import numpy as np

from sparsemixed.bayesian.special import betaln
from sparsemixed.design.values import ResidualPart
from sparsemixed.priors.single import (
    Beta,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    Normal,
    Prior,
    Uniform,
)
from sparsemixed.structures.residual_errors.autoregressive import Autoregressive
from sparsemixed.structures.residual_errors.banded import BandedErrors
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.exchangeable import ExchangeableErrors
from sparsemixed.structures.residual_errors.moving_average import MovingAverage
from sparsemixed.structures.residual_errors.toeplitz import Toeplitz

DRAWS, NUMBERS = 20_000, 4_000_000
"""Draws from the priors, and numbers in matrices of them up to which so many are made."""


class Mass(NamedTuple):
    """Logarithm of a prior's mass and its Monte Carlo error; NaN where it is not known."""

    log: float
    se: float = 0.0


UNKNOWN = Mass(float("nan"), float("nan"))


def admissible_mass(part: ResidualPart, priors: Sequence[Sequence[Prior]]) -> Mass:
    """The mass of the priors, level of by() by level, of everything that is printed of the errors but standard deviations."""
    structure = part.structure
    levels = structure.structures if isinstance(structure, ByLevel) else (structure,)
    # Heteroskedastic errors have levels, but no structure of their own in each: nothing but standard deviations is printed.
    found = [_of_level(levels[k], own, _times(part, k)) for k, own in enumerate(priors) if own]
    return Mass(float(sum(mass.log for mass in found)), float(np.hypot.reduce([0.0, *(mass.se for mass in found)])))


def _of_level(structure: ResidualStructure, priors: Sequence[Prior], times: list[np.ndarray]) -> Mass:
    if len(priors) == 1 and not isinstance(structure, (Toeplitz, BandedErrors)):
        return _of_interval(priors[0], *_limits(structure))
    if isinstance(structure, (Autoregressive, MovingAverage)):
        if all(isinstance(prior, Flat) for prior in priors):
            return Mass(log_volume(len(priors)))
        sign = 1.0 if isinstance(structure, Autoregressive) else -1.0
        order = len(priors)
        widest = [comb(order, k) for k in range(1, order + 1)]  # of the coefficients of a polynomial with its roots inside
        return _of_draws(priors, DRAWS, lambda values: stationary(sign * values), widest)
    ones = [1.0] * len(priors)
    if isinstance(structure, Toeplitz):
        longest = max(len(t) for t in times)
        return _of_draws(priors, _affordable(longest), lambda values: _definite(_by_lag(values, t) for t in times), ones)
    if isinstance(structure, BandedErrors):
        order = structure.p
        return _of_draws(priors, _affordable(order), lambda values: _definite([_by_place(values, structure)]), ones)
    return UNKNOWN


def _limits(structure: ResidualStructure) -> tuple[float, float]:
    """Of the single shape parameter of a family."""
    if isinstance(structure, ExchangeableErrors):
        return structure.low, 1.0
    positive = not isinstance(structure, (Autoregressive, MovingAverage)) or getattr(structure, "unit", 1) % 2 == 0
    return (0.0 if positive else -1.0), 1.0


def _of_interval(prior: Prior, low: float, high: float) -> Mass:
    share = high - low if isinstance(prior, Flat) else prior.cdf(high) - prior.cdf(low)
    return Mass(float(np.log(share))) if share > 0 else UNKNOWN


def log_volume(order: int) -> float:
    """Logarithm of the volume of the stationary autoregressive coefficients of an order."""
    k = np.arange(1, order + 1)
    a, b = k // 2 + 1.0, (k - 1) // 2 + 1.0
    return float(np.sum((a + b - 1.0) * np.log(2.0) + betaln(a, b)))


def stationary(phi: np.ndarray) -> np.ndarray:
    """Which autoregressive coefficients (S, p) are those of a stationary process: all partial autocorrelations within (-1, 1)."""
    inside = np.ones(len(phi), bool)
    while phi.shape[1]:
        last = phi[:, -1:]
        inside &= np.abs(last[:, 0]) < 1.0
        safe = np.where(np.abs(last) < 1.0, 1.0 - last**2, 1.0)
        phi = (phi[:, :-1] + last * phi[:, -2::-1]) / safe
    return inside


def _of_draws(priors: Sequence[Prior], count: int, inside, limits: Sequence[float]) -> Mass:
    """By as many draws from the priors, of the same random numbers every time; of flat ones between the region's own limits."""
    boxes = [Uniform(-limit, limit) if isinstance(prior, Flat) else prior for prior, limit in zip(priors, limits, strict=True)]
    if not all(type(prior) in DRAWN for prior in boxes):
        return UNKNOWN
    volume = sum(np.log(2.0 * limit) for prior, limit in zip(priors, limits, strict=True) if isinstance(prior, Flat))
    random = np.random.default_rng(0)
    share = float(inside(np.column_stack([DRAWN[type(prior)](prior, count, random) for prior in boxes])).mean())
    if not share > 0:
        return UNKNOWN
    return Mass(float(np.log(share) + volume), float(np.sqrt((1.0 - share) / (share * count))))


DRAWN: dict[type, Callable[[Any, int, np.random.Generator], np.ndarray]] = {
    Normal: lambda prior, count, random: random.normal(prior.mean, prior.sd, count),
    Beta: lambda prior, count, random: prior.low + (prior.high - prior.low) * random.beta(prior.a, prior.b, count),
    Uniform: lambda prior, count, random: random.uniform(prior.low, prior.high, count),
    HalfNormal: lambda prior, count, random: prior.scale * np.abs(random.standard_normal(count)),
    HalfT: lambda prior, count, random: prior.scale * np.abs(random.standard_t(prior.df, count)),
    HalfCauchy: lambda prior, count, random: prior.scale * np.abs(random.standard_cauchy(count)),
    Exponential: lambda prior, count, random: random.exponential(1.0 / prior.rate, count),
    Gamma: lambda prior, count, random: random.gamma(prior.shape, 1.0 / prior.rate, count),
    InverseGamma: lambda prior, count, random: prior.scale / random.gamma(prior.shape, 1.0, count),
}
"""How a prior is drawn from."""


def _affordable(order: int) -> int:
    return int(np.clip(NUMBERS // order**2, 1000, DRAWS))


def _definite(matrices) -> np.ndarray:
    """Which draws make all of their matrices (S, m, m) positive definite."""
    return np.all([np.linalg.eigvalsh(one)[:, 0] > 0.0 for one in matrices], axis=0)


def _by_lag(values: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Correlations (S, m, m) at times t (m,) from those at lags 1, 2, ... (S, q), zero beyond."""
    lags = np.minimum(np.abs(t[:, None] - t), values.shape[1] + 1).astype(np.int64)
    table = np.column_stack([np.ones(len(values)), values, np.zeros(len(values))])
    return table[:, lags]


def _by_place(values: np.ndarray, structure: BandedErrors) -> np.ndarray:
    """Correlations (S, p, p) from those within the band, row after row as printed."""
    out = np.broadcast_to(np.eye(structure.p), (len(values), structure.p, structure.p)).copy()
    pairs = [(i, j) for i in range(structure.p) for j in range(i + 1, min(structure.p, i + structure.band + 1))]
    for k, (i, j) in enumerate(pairs):
        out[:, i, j] = out[:, j, i] = values[:, k]
    return out


def _times(part: ResidualPart, level: int) -> list[np.ndarray]:
    """The distinct sets of times of one group in a level of by(), from the first on, without those that others contain."""
    own, codes = part.t, part.codes
    if own.ndim > 1:
        rows = own[:, 1] == level
        own, codes = own[rows, 0], codes[rows]
    order = np.lexsort((own, codes))
    groups = np.split(own[order], np.flatnonzero(np.diff(codes[order])) + 1)
    kept: list[set[float]] = []
    for t in sorted({tuple(t - t.min()) for t in groups}, key=len, reverse=True):
        if not any(set(t) <= other for other in kept):
            kept.append(set(t))
    return [np.array(sorted(t)) for t in kept]
