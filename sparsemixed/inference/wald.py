"""The one place where p-values are computed: z, chi-squared and chi-bar-squared tests.

Only `scipy.special` is used: importing `scipy.stats` would cost more time than a small fit.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri

from sparsemixed.estimation.fit import Fit


@dataclass(frozen=True)
class TestResult:
    """A test of a hypothesis.

    Attributes
    ----------
    statistic : float
    df : float
        Degrees of freedom of the numerator; 1 for z and chi-bar-squared (a mixture of 0 and 1).
    ddf : float or None
        Denominator degrees of freedom; None for chi-squared and z.
    pvalue : float
    note : str
        What to keep in mind when reading the p-value; empty when nothing.
    kind : {"chi2", "chibar2", "z"}
    title : str
        What was tested, as the first lines of the printed form.
    """

    __test__: ClassVar[bool] = False  # pytest would collect a class of this name

    statistic: float
    df: float
    ddf: float | None
    pvalue: float
    note: str = ""
    kind: str = "chi2"
    title: str = ""

    @property
    def label(self) -> str:
        """The statistic's name as printed: `chi2(2)`, `chibar2(01)`, `z`."""
        return {"chi2": f"chi2({self.df:g})", "chibar2": "chibar2(01)"}.get(self.kind, self.kind)

    @property
    def tail(self) -> str:
        """The p-value's name as printed."""
        return {"chi2": "Prob > chi2", "chibar2": "Prob >= chibar2"}.get(self.kind, "P>|z|")

    def __str__(self) -> str:
        names = [self.label if self.kind == "z" else f"LR {self.label}" if "ratio" in self.title else self.label, self.tail]
        width = max(map(len, names))
        rows = [f"{names[0]:>{width}} = {_fixed(self.statistic, 2)}", f"{names[1]:>{width}} = {_fixed(self.pvalue, 4)}"]
        notes = [textwrap.fill(n, 78, subsequent_indent="      ") for n in self.note.split("\n") if n]
        return "\n".join([*([self.title, ""] if self.title else []), *rows, *(["", *notes] if notes else [])])


def _fixed(value: float, decimals: int) -> str:
    return "." if np.isnan(value) else f"{value:.{decimals}f}"


def z_critical(level: float) -> float:
    """Half width, in standard errors, of a normal confidence interval of `level` per cent."""
    return float(-ndtri((1.0 - level / 100.0) / 2.0))


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


def chi2_test(statistic: float, df: float, note: str = "", title: str = "") -> TestResult:
    """A chi-squared test from its statistic."""
    return TestResult(float(statistic), df, None, chi2_pvalue(statistic, df), note, "chi2", title)


def chibar2_test(statistic: float, note: str = "", title: str = "") -> TestResult:
    """A test of one variance against zero, which lies on the boundary of its parameter space."""
    return TestResult(float(statistic), 1, None, chibar2_pvalue(statistic), note, "chibar2", title)


def wald_chi2(estimate: np.ndarray, covariance: np.ndarray, title: str = "") -> TestResult:
    """Joint test that `estimate` (q,) is zero; redundant rows of `covariance` (q, q) lower the degrees of freedom."""
    if len(estimate) == 0:
        return TestResult(float("nan"), 0, None, float("nan"), title=title)
    # Work with correlations, so that the rank does not depend on the units of the regressors.
    scale = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    safe = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(safe, safe))
    keep = values > max(values.max(), 0.0) * len(estimate) * 1e-13
    projected = vectors[:, keep].T @ (estimate / safe)
    return chi2_test(float(np.sum(projected**2 / values[keep])), int(keep.sum()), title=title)


def tested_coefficients(fit: Fit) -> np.ndarray:
    """Indices of the coefficients in the header's Wald test: all but the constant (all, when there is no constant)."""
    estimated = [c for c in fit.design.columns if c.status == "estimated"]
    return np.array([i for i, c in enumerate(estimated) if c.term != -1], dtype=np.int64)


def model_test(fit: Fit) -> TestResult:
    """Wald test that all regressors have coefficient zero."""
    tested = tested_coefficients(fit)
    return wald_chi2(fit.beta[tested], fit.vcov_beta[np.ix_(tested, tested)], "Wald test of the model")


@dataclass(frozen=True)
class Coefficients:
    """Estimates of the fixed part with their z tests and confidence limits, each (p,)."""

    estimate: np.ndarray
    std_err: np.ndarray
    statistic: np.ndarray
    pvalue: np.ndarray
    low: np.ndarray
    high: np.ndarray


def coefficients(fit: Fit, level: float) -> Coefficients:
    """z tests and normal confidence intervals of the estimated coefficients."""
    std_err = np.sqrt(np.clip(np.diag(fit.vcov_beta), 0.0, None))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = fit.beta / std_err
    half = z_critical(level) * std_err
    return Coefficients(fit.beta.copy(), std_err, z, z_pvalue(z), fit.beta - half, fit.beta + half)
