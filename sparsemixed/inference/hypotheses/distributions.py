"""The one place where p-values and critical values come from: z, t, chi-squared, F, chi-bar-squared, studentized range.

What every table asks for, z and chi-squared of few degrees of freedom, is elementary. `scipy.special` serves the rest but for the
last: importing `scipy.stats` costs more time than a small fit, and its adaptive integrals of the studentized range take a hundred
times as long as the sums here.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from sparsemixed.delayed import Delayed

if TYPE_CHECKING:
    from scipy import special
else:
    special = Delayed("scipy.special")

FEW = 40
"""Degrees of freedom of chi-squared up to which its tail is a short sum, and no power in it too large for a double."""
LIMIT = 1e12
"""Degrees of freedom beyond which the quantile of F cannot tell them from infinitely many: chi-squared over its own."""
PLACES = np.arange(-9.0, 30.0, 0.125)
"""Of z, for the studentized range: what lies beyond is below 1e-19."""
STEP = 0.1
"""Of log S at the most, for the same: its tail is analytic up to pi/4 beside the real line, and exp(-pi^2 / (2 STEP)) is lost."""
DIGITS = 37.0
"""-log of what is left out of a density."""
_erfc = np.frompyfunc(math.erfc, 1, 1)


def normal_probability(z: np.ndarray) -> np.ndarray:
    """Phi(z): the probability below z of the standard normal distribution."""
    return special.ndtr(z)


@lru_cache(maxsize=64)
def z_critical(level: float) -> float:
    """Half width, in standard errors, of a normal confidence interval of `level` per cent."""
    tail = (1.0 - level / 100.0) / 2.0
    return -NormalDist().inv_cdf(tail) if tail > 0.0 else math.inf


def critical(level: float, df: np.ndarray | float | None) -> np.ndarray | float:
    """The same for t with `df` degrees of freedom, element by element; None is the normal distribution."""
    if df is None:
        return z_critical(level)
    tail = (1.0 + level / 100.0) / 2.0
    finite = np.where(np.isinf(df), 1.0, df)
    return np.where(np.isinf(df), z_critical(level), special.stdtrit(finite, tail))


def two_sided(statistic: np.ndarray | float, df: np.ndarray | float | None) -> np.ndarray:
    """Two-sided p-value of t with `df` degrees of freedom, of z when None."""
    if df is None:
        return z_pvalue(statistic)
    finite = np.where(np.isinf(df), 1.0, df)
    return np.where(np.isinf(df), z_pvalue(statistic), 2.0 * special.stdtr(finite, -np.abs(statistic)))


def f_pvalue(statistic: float, df: float, ddf: float) -> float:
    """Upper tail of the F distribution.

    Examples
    --------
    >>> round(f_pvalue(24.7588652, 3, 12), 9), round(f_pvalue(2.0, 3, float("inf")), 9) == round(chi2_pvalue(6.0, 3), 9)
    (1.9925e-05, True)
    """
    if df <= 0 or not np.isfinite(statistic) or np.isnan(ddf):
        return float("nan")
    return chi2_pvalue(df * statistic, df) if np.isinf(ddf) else float(special.fdtrc(df, ddf, max(statistic, 0.0)))


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """Distribution function of the standard normal distribution."""
    return special.ndtr(z)


def z_pvalue(z: np.ndarray | float) -> np.ndarray:
    """Two-sided normal p-value."""
    return np.asarray(_erfc(np.abs(z) / math.sqrt(2.0)), float)[()]


def chi2_pvalue(statistic: float, df: float) -> float:
    """Upper tail of the chi-squared distribution; NaN without degrees of freedom.

    Of m whole ones it is the sum of exp(-h) h^a / Gamma(a + 1) over a = m/2 - 1, m/2 - 2, ... down to 0, or down to 1/2 and
    erfc(sqrt(h)) besides, with h half the statistic (Abramowitz & Stegun 1964, 26.4.4 and 26.4.5).

    Examples
    --------
    >>> round(chi2_pvalue(3.841458820694124, 1), 12), round(chi2_pvalue(7.814727903251179, 3), 12)
    (0.05, 0.05)
    """
    if df <= 0 or not np.isfinite(statistic):
        return float("nan")
    half, pairs = 0.5 * max(float(statistic), 0.0), int(df) // 2
    if df > FEW or df != int(df):
        return float(special.chdtrc(df, 2.0 * half))
    odd = 0.5 * (int(df) % 2)
    terms = sum(half ** (k + odd) / math.gamma(k + odd + 1.0) for k in range(pairs))
    # In two steps: the power may be large where the exponential alone is no number any more.
    return math.exp(-0.5 * half) * terms * math.exp(-0.5 * half) + (math.erfc(math.sqrt(half)) if odd else 0.0)


def chibar2_pvalue(statistic: float) -> float:
    """Upper tail of the half-and-half mixture of chi2(0) and chi2(1): 1 at zero, half the chi2(1) tail above."""
    if np.isnan(statistic):
        return float("nan")
    return 1.0 if statistic <= 0.0 else 0.5 * chi2_pvalue(statistic, 1)


def mixture_pvalue(statistic: float, freedoms: tuple[int, int]) -> float:
    """Upper tail of the even mixture; chi2(0) is a point at zero.

    Examples
    --------
    >>> round(mixture_pvalue(3.841458820694124, (0, 1)), 6), mixture_pvalue(0.0, (0, 1))
    (0.025, 1.0)
    """
    if statistic <= 0:
        return 1.0
    return 0.5 * sum(chi2_pvalue(statistic, df) if df else 0.0 for df in freedoms)


def f_quantile(probability: float, df: float, ddf: float) -> float:
    """Quantile of the F distribution; NaN where the denominator's degrees of freedom are not known.

    Examples
    --------
    >>> round(f_quantile(0.95, 3, 12), 6)
    3.490295
    """
    return float("nan") if np.isnan(ddf) else float(special.fdtri(df, min(ddf, LIMIT), probability))


def f_tails(values: np.ndarray, df: float, ddf: float) -> np.ndarray:
    """Upper tails of the F distribution at values (m,), of chi-squared over its degrees of freedom where `ddf` is infinite."""
    return special.chdtrc(df, df * values) if np.isinf(ddf) else special.fdtrc(df, ddf, values)


def normal_quantiles(probabilities: np.ndarray) -> np.ndarray:
    """Quantiles of the normal distribution."""
    return special.ndtri(probabilities)


def range_tails(value: np.ndarray, groups: int, df: np.ndarray | None, probability: float) -> tuple[np.ndarray, np.ndarray]:
    """Upper tails of the studentized range of `groups` means at value (m,), and its quantile for each df; both (m,).

    Parameters
    ----------
    df : (m,) float64 or None
        None is the normal distribution. Without positive degrees of freedom tail and quantile are NaN.
    """
    ddf = np.full(len(value), np.inf) if df is None else df
    known = np.isfinite(value) & (ddf > 0)
    tails = [range_tail(v, groups, d) if ok else np.nan for v, d, ok in zip(value, ddf, known, strict=True)]
    quantiles = {d: range_quantile(probability, groups, d) for d in set(ddf[ddf > 0].tolist())}
    return np.array(tails), np.array([quantiles.get(d, np.nan) for d in ddf.tolist()])


def range_tail(q: float, groups: int, df: float) -> float:
    """Probability that the range of k = `groups` independent normal means is beyond q of their standard errors.

    With S the root of a chi-squared variable over its degrees of freedom `df`, 1 if infinite, it is E[Q(q S)] with

        Q(w) = k integral of phi(z) (Phi(z)^(k-1) - (Phi(z) - Phi(z - w))^(k-1)) dz

    (Copenhaver & Holland 1988, J. Stat. Comput. Simul. 30). Both integrals are sums over equidistant places, of z and of log S,
    which for densities as these converge exponentially.

    Examples
    --------
    >>> round(range_tail(3.77, 3, 12.0), 4), round(range_tail(2.7718076, 2, float("inf")), 6)
    (0.0502, 0.05)
    """
    if np.isinf(df):
        return float(_range_beyond(np.array([q]), groups)[0])
    spread = 1.0 / np.sqrt(2.0 * df)  # of log S, about
    # Below one degree of freedom the density of log S reaches far down, but not where q S is within the range.
    whole = df >= 1.0
    low = DIGITS / df if whole else DIGITS + np.log(max(q, 1.0))
    t = np.arange(-low - 9.0 * spread, 9.0 * spread, min(STEP, 0.5 * spread))
    log_density = df * (t - 0.5 * np.expm1(2.0 * t))
    if whole:
        density = np.exp(log_density)
        return float(density @ _range_beyond(q * np.exp(t), groups) / density.sum())
    constant = 0.5 * df * (np.log(0.5 * df) - 1.0) + np.log(2.0) - special.gammaln(0.5 * df)
    return float(1.0 - np.exp(log_density + constant) @ _range_within(q * np.exp(t), groups) * (t[1] - t[0]))


def range_quantile(probability: float, groups: int, df: float) -> float:
    """The q that the studentized range exceeds with 1 - `probability`: between that of one pair and Bonferroni's of all pairs.

    Examples
    --------
    >>> round(range_quantile(0.95, 3, 12.0), 4)
    3.7729
    """
    from scipy.optimize import brentq  # a fifth of a second to load, and few need it

    tail, finite = 1.0 - probability, min(df, LIMIT)
    low, high = (-np.sqrt(2.0) * special.stdtrit(finite, 0.5 * tail / pairs) for pairs in (1, groups * (groups - 1) / 2))
    if not np.isfinite(high):
        return float("inf")
    # In logarithms tails are nearly straight lines.
    ends = np.log(low) - 1e-6, np.log(high) + 1e-6
    log_q = brentq(lambda x: np.log(range_tail(np.exp(x), groups, df) / tail), *ends, xtol=1e-12)
    assert isinstance(log_q, float)
    return float(np.exp(log_q))


def _range_beyond(w: np.ndarray, groups: int) -> np.ndarray:
    """Q(w) (m,)."""
    weights, below = _range_weights(groups)
    with np.errstate(divide="ignore"):  # at a difference of zero
        within = np.log1p(-np.minimum(special.ndtr(PLACES - w[:, None]) / below, 1.0))
    return -np.expm1((groups - 1) * within) @ weights


def _range_within(w: np.ndarray, groups: int) -> np.ndarray:
    """1 - Q(w) (m,), which keeps its digits where w is small."""
    weights, below = _range_weights(groups)
    return (1.0 - special.ndtr(PLACES - w[:, None]) / below) ** (groups - 1) @ weights


def _range_weights(groups: int) -> tuple[np.ndarray, np.ndarray]:
    """k phi(z) Phi(z)^(k-1) dz, which sums to one, and Phi(z)."""
    below = special.ndtr(PLACES)
    density = np.exp(-0.5 * PLACES**2 + (groups - 1) * np.log(below))
    return density / density.sum(), below


def f_power(noncentrality: float, df: float, ddf: float, alpha: float, scale: float) -> float:
    """Probability that `scale` times a noncentral F is beyond the upper `alpha` of the central one; chi-squared for infinite ddf.

    Examples
    --------
    >>> round(f_power(0.0, 2, 10, 0.05, 1.0), 12), round(f_power(3.841458820694124, 1, float("inf"), 0.05, 1.0), 4)
    (0.05, 0.5)
    """
    if np.isnan(ddf) or np.isnan(noncentrality):
        return float("nan")
    bound = f_quantile(1.0 - alpha, df, ddf) / scale
    if np.isinf(ddf):
        return 1.0 - float(special.chndtr(df * bound, df, noncentrality))
    return 1.0 - float(special.ncfdtr(df, ddf, noncentrality, bound))


def binomial_limits(successes: int, trials: int, level: float) -> tuple[float, float]:
    """Exact limits of a probability (Clopper & Pearson 1934), `level` in per cent.

    Examples
    --------
    >>> tuple(round(100 * limit, 2) for limit in binomial_limits(416, 1000, 95.0))
    (38.52, 44.73)
    """
    tail = (1.0 - level / 100.0) / 2.0
    low = 0.0 if successes == 0 else float(special.betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(special.betaincinv(successes + 1, trials - successes, 1.0 - tail))
    return low, high
