"""Tests and limits of several comparisons that hold for all of them at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.inference.hypotheses.distributions import critical, f_pvalue, f_quantile, range_tails
from sparsemixed.inference.hypotheses.wald import Coefficients, tabulated

METHODS = ("noadjust", "bonferroni", "sidak", "scheffe", "tukey")
OF_PVALUES = ("noadjust", "bonferroni", "holm", "sidak")
"""Adjustments that need nothing but the p-values."""


def adjusted(
    estimate: np.ndarray, std_err: np.ndarray, df: np.ndarray | None, level: float, method: str, rank: int, groups: int = 0
) -> Coefficients:
    """Comparisons (m,) with p-values and limits that hold for all of them together.

    Parameters
    ----------
    estimate, std_err : (m,) float64
    df : (m,) float64 or None
        Of the t tests; None for z.
    level : float
        In per cent.
    method : {"noadjust", "bonferroni", "sidak", "scheffe", "tukey"}
    rank : int
        Rank of the comparisons, for Scheffe.
    groups : int
        Number of means compared in pairs, for Tukey.

    Examples
    --------
    >>> one = adjusted(np.array([2.0, 1.0]), np.ones(2), None, 95, "bonferroni", 2)
    >>> one.pvalue.round(4)
    array([0.091 , 0.6346])
    """
    if method not in METHODS:
        raise OptionError(f"mcompare={method!r} is not one of {', '.join(METHODS)}")
    plain, m = tabulated(estimate, std_err, df, level), len(estimate)
    if method == "noadjust" or rank == 0:
        return plain
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "bonferroni":
            pvalue, half = np.minimum(1.0, m * plain.pvalue), critical(100.0 - (100.0 - level) / m, df)
        elif method == "sidak":
            # log1p and expm1 keep small p-values from rounding to zero.
            pvalue = -np.expm1(m * np.log1p(-plain.pvalue))
            half = critical(100.0 * (level / 100.0) ** (1.0 / m), df)
        elif method == "scheffe":
            pvalue, half = _scheffe(plain.statistic, df, level, rank)
        else:
            pvalue, half = _tukey(plain.statistic, df, level, groups)
    spread = np.where(std_err == 0, np.nan, std_err)  # values that constraints fix have no interval
    return replace(plain, pvalue=pvalue, low=estimate - half * spread, high=estimate + half * spread)


def _scheffe(statistic: np.ndarray, df: np.ndarray | None, level: float, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """t^2 / rank is at most F(rank, df) for all contrasts of the space at once."""
    ddf = np.full(len(statistic), np.inf) if df is None else df
    pvalue = np.array([f_pvalue(t * t / rank, rank, d) for t, d in zip(statistic, ddf, strict=True)])
    return pvalue, np.sqrt(np.array([rank * f_quantile(level / 100.0, rank, d) for d in ddf]))


def _tukey(statistic: np.ndarray, df: np.ndarray | None, level: float, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """sqrt(2) |t| against the studentized range of `groups` means."""
    if groups < 2:
        raise OptionError("mcompare='tukey' is for pairwise comparisons; use pwcompare")
    pvalue, quantile = range_tails(np.sqrt(2.0) * np.abs(statistic), groups, df, level / 100.0)
    return pvalue, quantile / np.sqrt(2.0)


def adjusted_pvalues(pvalues: np.ndarray, method: str) -> np.ndarray:
    """P-values (m,) of several tests, adjusted for their number m; those that are missing count as well.

    Parameters
    ----------
    method : {"noadjust", "bonferroni", "holm", "sidak"}

    Raises
    ------
    OptionError
        For another method.

    Examples
    --------
    >>> adjusted_pvalues(np.array([0.01, 0.04, 0.03]), "holm").round(3)
    array([0.03, 0.06, 0.06])
    """
    if method not in OF_PVALUES:
        raise OptionError(f"mtest({method}) is not one of {', '.join(OF_PVALUES)}")
    m = len(pvalues)
    if method == "bonferroni":
        return np.minimum(1.0, m * pvalues)
    if method == "sidak":
        return -np.expm1(m * np.log1p(-pvalues))
    if method == "holm":
        order = np.argsort(pvalues, kind="stable")  # missing ones last
        found = np.empty(m)
        found[order] = np.minimum(1.0, np.maximum.accumulate((m - np.arange(m)) * pvalues[order]))
        return found
    return pvalues.copy()
