"""The one place where p-values and critical values come from: z, t, chi-squared, F, chi-bar-squared, studentized range.

`scipy.special` serves all but the last: importing `scipy.stats` costs more time than a small fit.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, chdtrc, chndtr, fdtrc, fdtri, ncfdtr, ndtr, ndtri, stdtr, stdtrit

LIMIT = 1e12
"""Degrees of freedom beyond which the quantile of F cannot tell them from infinitely many: chi-squared over its own."""
RANGE_LIMIT = 1e5
"""The same for the studentized range, whose degrees of freedom scipy wants finite."""


def normal_probability(z: np.ndarray) -> np.ndarray:
    """Phi(z): the probability below z of the standard normal distribution."""
    return ndtr(z)


def z_critical(level: float) -> float:
    """Half width, in standard errors, of a normal confidence interval of `level` per cent."""
    return float(-ndtri((1.0 - level / 100.0) / 2.0))


def critical(level: float, df: np.ndarray | float | None) -> np.ndarray | float:
    """The same for t with `df` degrees of freedom, element by element; None is the normal distribution."""
    if df is None:
        return z_critical(level)
    tail = (1.0 + level / 100.0) / 2.0
    finite = np.where(np.isinf(df), 1.0, df)
    return np.where(np.isinf(df), z_critical(level), stdtrit(finite, tail))


def two_sided(statistic: np.ndarray | float, df: np.ndarray | float | None) -> np.ndarray:
    """Two-sided p-value of t with `df` degrees of freedom, of z when None."""
    if df is None:
        return z_pvalue(statistic)
    finite = np.where(np.isinf(df), 1.0, df)
    return np.where(np.isinf(df), z_pvalue(statistic), 2.0 * stdtr(finite, -np.abs(statistic)))


def f_pvalue(statistic: float, df: float, ddf: float) -> float:
    """Upper tail of the F distribution.

    Examples
    --------
    >>> round(f_pvalue(24.7588652, 3, 12), 9), round(f_pvalue(2.0, 3, float("inf")), 9) == round(chi2_pvalue(6.0, 3), 9)
    (1.9925e-05, True)
    """
    if df <= 0 or not np.isfinite(statistic) or np.isnan(ddf):
        return float("nan")
    return chi2_pvalue(df * statistic, df) if np.isinf(ddf) else float(fdtrc(df, ddf, max(statistic, 0.0)))


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """Distribution function of the standard normal distribution."""
    return ndtr(z)


def z_pvalue(z: np.ndarray | float) -> np.ndarray:
    """Two-sided normal p-value."""
    return 2.0 * ndtr(-np.abs(z))


def chi2_pvalue(statistic: float, df: float) -> float:
    """Upper tail of the chi-squared distribution; NaN without degrees of freedom."""
    return float(chdtrc(df, max(statistic, 0.0))) if df > 0 and np.isfinite(statistic) else float("nan")


def chibar2_pvalue(statistic: float) -> float:
    """Upper tail of the half-and-half mixture of chi2(0) and chi2(1): 1 at zero, half the chi2(1) tail above."""
    if np.isnan(statistic):
        return float("nan")
    return 1.0 if statistic <= 0.0 else 0.5 * float(chdtrc(1.0, statistic))


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
    return float("nan") if np.isnan(ddf) else float(fdtri(df, min(ddf, LIMIT), probability))


def f_tails(values: np.ndarray, df: float, ddf: float) -> np.ndarray:
    """Upper tails of the F distribution at values (m,), of chi-squared over its degrees of freedom where `ddf` is infinite."""
    return chdtrc(df, df * values) if np.isinf(ddf) else fdtrc(df, ddf, values)


def normal_quantiles(probabilities: np.ndarray) -> np.ndarray:
    """Quantiles of the normal distribution."""
    return ndtri(probabilities)


def range_tails(value: np.ndarray, groups: int, df: np.ndarray | None, probability: float) -> tuple[np.ndarray, np.ndarray]:
    """Upper tails of the studentized range of `groups` means at value (m,), and its quantile for each df; both (m,).

    Parameters
    ----------
    df : (m,) float64 or None
        None is the normal distribution. Without positive degrees of freedom tail and quantile are NaN.
    """
    from scipy.stats import studentized_range  # scipy.stats is slow to import and only this needs it

    ddf = np.full(len(value), RANGE_LIMIT) if df is None else np.minimum(df, RANGE_LIMIT)
    known = np.isfinite(value) & (ddf > 0)
    tails = [float(studentized_range.sf(v, groups, d)) if ok else np.nan for v, d, ok in zip(value, ddf, known, strict=True)]
    quantiles = {d: float(studentized_range.ppf(probability, groups, d)) for d in set(ddf[ddf > 0].tolist())}
    return np.array(tails), np.array([quantiles.get(d, np.nan) for d in ddf.tolist()])


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
        return 1.0 - float(chndtr(df * bound, df, noncentrality))
    return 1.0 - float(ncfdtr(df, ddf, noncentrality, bound))


def binomial_limits(successes: int, trials: int, level: float) -> tuple[float, float]:
    """Exact limits of a probability (Clopper & Pearson 1934), `level` in per cent.

    Examples
    --------
    >>> tuple(round(100 * limit, 2) for limit in binomial_limits(416, 1000, 95.0))
    (38.52, 44.73)
    """
    tail = (1.0 - level / 100.0) / 2.0
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1.0 - tail))
    return low, high
