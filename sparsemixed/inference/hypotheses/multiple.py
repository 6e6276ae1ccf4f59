"""Tests and limits of several comparisons that hold for all of them at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.inference.hypotheses.distributions import critical, f_pvalue, f_quantile, range_tails
from sparsemixed.inference.hypotheses.max_t import largest_t
from sparsemixed.inference.hypotheses.wald import Coefficients, tabulated

METHODS = ("noadjust", "bonferroni", "sidak", "scheffe", "tukey")
"""Stata's after `mixed`."""
FURTHER = ("dunnett", "mvt", "holm", "fdr")
CORRELATED = ("dunnett", "mvt")
"""Adjustments that need the correlations of the comparisons."""
OF_PVALUES = ("noadjust", "bonferroni", "holm", "sidak")
"""Stata's adjustments of p-values alone."""


def adjusted(
    estimate: np.ndarray,
    std_err: np.ndarray,
    df: np.ndarray | None,
    level: float,
    method: str,
    rank: int,
    groups: int = 0,
    correlation: np.ndarray | None = None,
) -> Coefficients:
    """Comparisons (m,) with p-values and limits that hold for all of them together.

    Parameters
    ----------
    estimate, std_err : (m,) float64
    df : (m,) float64 or None
        Of the t tests; None for z.
    level : float
        In per cent.
    method : {"noadjust", "bonferroni", "sidak", "scheffe", "tukey", "dunnett", "mvt", "holm", "fdr"}
        The last two are of p-values alone; limits are Bonferroni's.
    rank : int
        Rank of the comparisons, for Scheffe.
    groups : int
        Number of means compared in pairs, for Tukey.
    correlation : (m, m) float64, optional
        Of the comparisons, for mvt and dunnett.
    """
    if method not in (*METHODS, *FURTHER):
        raise OptionError(f"mcompare={method!r} is not one of {', '.join(METHODS)}")
    plain = tabulated(estimate, std_err, df, level)
    if method == "noadjust" or rank == 0:
        return plain
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "scheffe":
            pvalue, half = _scheffe(plain.statistic, df, level, rank)
        elif method == "tukey":
            pvalue, half = _tukey(plain.statistic, df, level, groups)
        elif method in CORRELATED:
            assert correlation is not None
            pvalue, half = largest_t(plain.statistic, correlation, df, level / 100.0)
        else:
            pvalue, half = adjusted_pvalues(plain.pvalue, method), critical(_single_level(level, len(estimate), method), df)
    spread = np.where(std_err == 0, np.nan, std_err)  # values that constraints fix have no interval
    return replace(plain, pvalue=pvalue, low=estimate - half * spread, high=estimate + half * spread)


def _single_level(level: float, m: int, method: str) -> float:
    """The level of each of m limits that hold together."""
    return 100.0 * (level / 100.0) ** (1.0 / m) if method == "sidak" else 100.0 - (100.0 - level) / m


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
    method : {"noadjust", "bonferroni", "holm", "sidak", "fdr"}
        fdr is that of Benjamini and Hochberg (1995).

    Raises
    ------
    OptionError
        For another method.

    Examples
    --------
    >>> adjusted_pvalues(np.array([0.01, 0.04, 0.03]), "holm").round(3)
    array([0.03, 0.06, 0.06])
    """
    m = len(pvalues)
    order = np.argsort(pvalues, kind="stable")  # missing ones last
    found = pvalues.copy()
    if method == "bonferroni":
        return np.minimum(1.0, m * pvalues)
    if method == "sidak":
        # log1p and expm1 keep small p-values from rounding to zero.
        return -np.expm1(m * np.log1p(-pvalues))
    if method == "holm":
        found[order] = np.minimum(1.0, np.maximum.accumulate((m - np.arange(m)) * pvalues[order]))
    elif method == "fdr":
        found[order] = np.fmin.accumulate((m / np.arange(1.0, m + 1) * pvalues[order])[::-1])[::-1]
    elif method != "noadjust":
        raise OptionError(f"mtest({method}) is not one of {', '.join(OF_PVALUES)}")
    return found
