"""Confidence limits from replicates (Efron & Tibshirani 1993, chapters 12 to 14; Stata's `estat bootstrap`)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.inference.hypotheses.distributions import normal_probability, normal_quantiles

Limits = tuple[np.ndarray, np.ndarray]


def normal(values: np.ndarray, observed: np.ndarray, tail: float) -> Limits:
    """Observed +- z times the standard deviation of the replicates."""
    half = float(normal_quantiles(np.array(1.0 - tail))) * np.nanstd(values, axis=0, ddof=1)
    return observed - half, observed + half


def percentile(values: np.ndarray, observed: np.ndarray, tail: float) -> Limits:
    """Quantiles of the replicates."""
    return quantiles(values, np.full_like(observed, tail)), quantiles(values, np.full_like(observed, 1.0 - tail))


def basic(values: np.ndarray, observed: np.ndarray, tail: float) -> Limits:
    """Quantiles mirrored at the observed value: those of the error, taken off."""
    low, high = percentile(values, observed, tail)
    return 2.0 * observed - high, 2.0 * observed - low


def corrected(values: np.ndarray, observed: np.ndarray, tail: float, acceleration: np.ndarray) -> Limits:
    """Quantiles corrected for median bias and for a standard error that moves (BCa); BC is without acceleration."""
    z0, z = median_bias(values, observed), float(normal_quantiles(np.array(1.0 - tail)))
    with np.errstate(invalid="ignore"):
        p = [normal_probability(z0 + (z0 + sign * z) / (1.0 - acceleration * (z0 + sign * z))) for sign in (-1.0, 1.0)]
    return quantiles(values, p[0]), quantiles(values, p[1])


def shortest(values: np.ndarray, observed: np.ndarray, tail: float) -> Limits:
    """The shortest interval that holds the share 1 - 2 tail of the replicates."""
    low, high = np.full_like(observed, np.nan), np.full_like(observed, np.nan)
    for j, column in enumerate(values.T):
        own = np.sort(column[~np.isnan(column)])
        inside = int(np.ceil((1.0 - 2.0 * tail) * len(own)))
        if not inside:
            continue
        best = int(np.argmin(own[inside - 1 :] - own[: len(own) - inside + 1]))
        low[j], high[j] = own[best], own[best + inside - 1]
    return low, high


METHODS: dict[str, Callable[[np.ndarray, np.ndarray, float], Limits]] = {
    "normal": normal,
    "percentile": percentile,
    "basic": basic,
    "shortest": shortest,
    "bc": lambda values, observed, tail: corrected(values, observed, tail, np.zeros_like(observed)),
}
"""Those that need replicates alone; bca needs the acceleration too."""


def median_bias(values: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """z0 (k,): the normal quantile of the share of replicates up to the observed value."""
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return normal_quantiles((values <= observed).sum(axis=0) / there.sum(axis=0))


def accelerations(left_out: np.ndarray) -> np.ndarray:
    """a (k,) from jackknife values (J, k): a sixth of the skewness of minus their deviations."""
    deviation = np.nanmean(left_out, axis=0) - left_out
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.nansum(deviation**3, axis=0) / (6.0 * np.nansum(deviation**2, axis=0) ** 1.5)
    return np.where(np.isfinite(found), found, 0.0)


def quantiles(values: np.ndarray, p: np.ndarray) -> np.ndarray:
    """(k,) the p-th quantile of each column of (B, k), as Stata's `centile` of order statistics: of B values the mean of the
    Bp-th and the next where Bp is whole, else the next.

    NaN where there are no values, or no probability.
    """
    out = np.full(values.shape[1], np.nan)
    for j, column in enumerate(values.T):
        own = np.sort(column[~np.isnan(column)])
        if not len(own) or np.isnan(p[j]):
            continue
        place = len(own) * p[j]
        low = int(np.floor(place + 1e-9))
        whole = abs(place - round(place)) < 1e-9
        chosen = (low - 1, low) if whole else (low, low)
        out[j] = own[np.clip(chosen, 0, len(own) - 1)].mean()
    return out
