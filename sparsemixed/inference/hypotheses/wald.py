"""Wald tests of hypotheses about the fixed part, and the tables of its coefficients with their tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import moving_rows
from sparsemixed.inference.covariance.vce import beta_covariance, coefficient_errors
from sparsemixed.inference.degrees.method import DofMethod
from sparsemixed.inference.degrees.table import coefficient_covariance, coefficient_degrees, small_sample
from sparsemixed.inference.hypotheses.distributions import chi2_pvalue, chibar2_pvalue, critical, f_pvalue, two_sided
from sparsemixed.lapack import eigh
from sparsemixed.solver.linalg import unit_diagonal


@dataclass(frozen=True)
class HypothesisTest:
    """A test of a hypothesis.

    Attributes
    ----------
    statistic : float
    df : float
        Degrees of freedom of the numerator; 1 for z and chi-bar-squared (a mixture of 0 and 1).
    ddf : float or None
        Denominator degrees of freedom of F, those of t; None for chi-squared and z.
    pvalue : float
    note : str
        What to keep in mind when reading the p-value, one remark on a line; empty when nothing.
    kind : {"chi2", "chibar2", "z", "F", "t", "RLRT", "LRT"}
    title : str
        What kind of test this is; empty for hypotheses that `equations` write out.
    mixture_pvalue : float or None
        Likelihood-ratio tests on the boundary: the p-value of the chi-bar-squared mixture, where that is known.
    equations : tuple of str
        The hypotheses as written, in order; empty for rows that the program makes.
    dropped : tuple of int
        Numbers, from 1, of the equations that are no part of the test.
    assumption : str
        Likelihood-ratio tests of two fits: which model is taken to be nested within which.
    singles : tuple of HypothesisTest
        With `mtest` the tests of the equations one by one, their p-values adjusted.
    mtest : str
        How they are; empty where none were asked for.
    nonlinear : bool
        Whether the equations are functions as typed, not linear in coefficients.
    asked : tuple
        What was tested, as it was given: for those who add to it.
    """

    statistic: float
    df: float
    ddf: float | None
    pvalue: float
    note: str = ""
    kind: str = "chi2"
    title: str = ""
    mixture_pvalue: float | None = None
    equations: tuple[str, ...] = ()
    dropped: tuple[int, ...] = ()
    assumption: str = ""
    singles: tuple[HypothesisTest, ...] = ()
    mtest: str = ""
    nonlinear: bool = False
    asked: tuple[tuple[Any, Any], ...] = field(default=(), compare=False, repr=False)


def chi2_test(statistic: float, df: float, note: str = "", title: str = "") -> HypothesisTest:
    """A chi-squared test from its statistic."""
    return HypothesisTest(float(statistic), df, None, chi2_pvalue(statistic, df), note, "chi2", title)


def chibar2_test(statistic: float, note: str = "", title: str = "") -> HypothesisTest:
    """A test of one variance against zero, which lies on the boundary of its parameter space."""
    return HypothesisTest(float(statistic), 1, None, chibar2_pvalue(statistic), note, "chibar2", title)


def wald_chi2(estimate: np.ndarray, covariance: np.ndarray, title: str = "") -> HypothesisTest:
    """Joint test that `estimate` (q,) is zero; redundant rows of `covariance` (q, q) lower the degrees of freedom.

    Where the covariance is not defined, neither is the test.
    """
    if len(estimate) == 0:
        return HypothesisTest(float("nan"), 0, None, float("nan"), title=title)
    if not np.isfinite(covariance).all():
        return chi2_test(float("nan"), len(estimate), title=title)
    # Work with correlations, so that the rank does not depend on the units of the regressors.
    scale, correlations = unit_diagonal(covariance)
    values, vectors = eigh(correlations)
    keep = values > max(values.max(), 0.0) * len(estimate) * 1e-13
    projected = vectors[:, keep].T @ (estimate / scale)
    return chi2_test(float(np.sum(projected**2 / values[keep])), int(keep.sum()), title=title)


def tested_coefficients(fit: Fit) -> np.ndarray:
    """Indices of the coefficients in the header's Wald test: all but the constant (all, when there is no constant)."""
    estimated = [c for c in fit.design.columns if c.status == "estimated"]
    return np.array([i for i, c in enumerate(estimated) if c.term != -1], dtype=np.int64)


def wald_test(
    fit: Fit, K: np.ndarray, r: np.ndarray | None = None, dof: DofMethod | None = None, title: str = "", note: str = ""
) -> HypothesisTest:
    """Wald test of K beta = r.

    Parameters
    ----------
    K : (l, p) float64
        Of full row rank (see `inference.hypotheses.hypothesis`).
    r : (l,) float64, optional
        Zero by default.
    dof : DofMethod, optional
        Gives the covariance and the denominator degrees of freedom of an F test. Without it, or where it has none for
        this K, the test is chi-squared.
    """
    distance = K @ fit.beta if r is None else K @ fit.beta - r
    covariance = beta_covariance(fit) if dof is None else dof.covariance(fit)
    chi2 = wald_chi2(distance, K @ covariance @ K.T, title)
    degrees = None if dof is None or not len(K) else dof.dof(fit, K)
    if degrees is None or degrees.df is None:
        return replace(chi2, note=note) if note else chi2
    statistic = chi2.statistic / chi2.df * degrees.scale if chi2.df else float("nan")
    pvalue = f_pvalue(statistic, chi2.df, degrees.df)
    return HypothesisTest(statistic, chi2.df, degrees.df, pvalue, note, "F", title)


def with_degrees(test: HypothesisTest, given: float | None) -> HypothesisTest:
    """A chi-squared test as F with `given` denominator degrees of freedom; the test itself without any."""
    if given is None or not test.df:
        return test
    statistic = test.statistic / test.df if test.ddf is None else test.statistic
    return replace(test, statistic=statistic, ddf=given, pvalue=f_pvalue(statistic, test.df, given), kind="F")


def model_test(fit: Fit, small: bool | None = None) -> HypothesisTest:
    """Wald test that all regressors have coefficient zero, as far as constraints let them; `small` as in `small_sample`."""
    rows = np.eye(len(fit.beta))[tested_coefficients(fit)]
    rows = rows[moving_rows(fit, rows).kept]
    if not len(rows) and small_sample(fit, small) is not None:
        return HypothesisTest(np.nan, 0, np.nan, np.nan, kind="F", title="Wald test of the model")
    return wald_test(fit, rows, dof=small_sample(fit, small), title="Wald test of the model")


@dataclass(frozen=True)
class Coefficients:
    """Estimates of the fixed part with their z or t tests and confidence limits, each (p,).

    `df` holds the degrees of freedom of the t tests, None for z tests.
    """

    estimate: np.ndarray
    std_err: np.ndarray
    statistic: np.ndarray
    pvalue: np.ndarray
    low: np.ndarray
    high: np.ndarray
    df: np.ndarray | None = None


def coefficients(fit: Fit, level: float, small: bool | None = None) -> Coefficients:
    """Tests and confidence intervals of the estimated coefficients; `small` as in `dof_table.small_sample`."""
    asked = None if small_sample(fit, small) is None else fit.spec.small_sample
    df = None if asked is None else coefficient_degrees(fit, asked).copy()
    return tabulated(fit.beta.copy(), tabulated_errors(fit, small), df, level)


def tabulated_errors(fit: Fit, small: bool | None = None) -> np.ndarray:
    """The standard errors (p,) of the same."""
    asked = None if small_sample(fit, small) is None else fit.spec.small_sample
    if asked is None:
        return coefficient_errors(fit)
    return np.sqrt(np.maximum(coefficient_covariance(fit, asked).diagonal(), 0.0))


def tabulated(estimate: np.ndarray, std_err: np.ndarray, df: np.ndarray | None, level: float) -> Coefficients:
    """z tests, or t tests with `df` degrees of freedom, of estimates (l,) against zero.

    A standard error of exactly zero belongs to a value that constraints fix: there is nothing to test and no interval.
    """
    spread = np.where(std_err == 0, np.nan, std_err)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / spread
        half = critical(level, df) * spread
    return Coefficients(estimate, std_err, statistic, two_sided(statistic, df), estimate - half, estimate + half, df)
