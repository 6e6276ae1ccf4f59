"""Wald tests and linear combinations of coefficients: `test`, `testparm`, `lincom`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsemixed.design.fixed.coefficient_names import CoefficientNames
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import held_rows
from sparsemixed.inference.covariance.vce import beta_covariance
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.hypothesis import (
    Hypothesis,
    hypothesis,
    hypothesis_rows,
    independent,
    linear_combination,
    terms_text,
    written,
)
from sparsemixed.inference.hypotheses.wald import HypothesisTest, tabulated, wald_test


def hypothesis_test(fit: Fit, what: Any, values: Any, small: bool) -> HypothesisTest:
    """Joint test of a hypothesis (see `inference.hypotheses.hypothesis`); chi-squared, or F with the fit's degrees of freedom."""
    return _wald(fit, hypothesis(fit, what, values), small)


def parameter_test(fit: Fit, terms: str, equal: bool, small: bool) -> HypothesisTest:
    """Test that all coefficients of some terms are zero, or equal to one another."""
    places = CoefficientNames(fit.design.columns, fit.spec).matching(terms_text(terms, "testparm", "i.drug"))
    if not places:
        raise OptionError("testparm: name a term, such as i.drug")
    K = np.eye(len(fit.beta))[places]
    if equal:
        if len(places) < 2:
            raise OptionError("testparm: equal needs at least two coefficients")
        K = K[0] - K[1:]
    return _wald(fit, independent(fit, K, np.zeros(len(K))), small)


def _wald(fit: Fit, found: Hypothesis, small: bool) -> HypothesisTest:
    test = wald_test(fit, found.K, found.r, small_sample(fit, True) if small else None, note=found.note)
    return replace(test, equations=found.equations, dropped=found.dropped)


@dataclass(frozen=True)
class LinearCombination:
    """A linear combination of coefficients with its test against zero.

    Attributes
    ----------
    estimate, std_err, low, high : float
    statistic, pvalue : float
        z, or t with `ddf` degrees of freedom.
    df : int
        1.
    ddf : float or None
    level : float
        Of the limits, in per cent.
    equation : str
        The hypothesis that the combination is zero.
    response : str
    note : str
    """

    estimate: float
    std_err: float
    statistic: float
    df: int
    ddf: float | None
    pvalue: float
    low: float
    high: float
    level: float
    equation: str
    response: str
    note: str = ""


@dataclass(frozen=True)
class LinearCombinations:
    """Linear combinations of coefficients, each with a test of its own against a value.

    Attributes
    ----------
    equations : tuple of str
        The hypotheses as written.
    estimate, std_err : (l,) float64
        Of K beta.
    value : (l,) float64
        What K beta is tested against.
    statistic, pvalue : (l,) float64
        z = (estimate - value) / std_err, or t with `df` degrees of freedom; two-sided.
    df : (l,) float64 or None
        None for z tests; infinite where the method defines none for a row.
    """

    equations: tuple[str, ...]
    estimate: np.ndarray
    std_err: np.ndarray
    value: np.ndarray
    statistic: np.ndarray
    pvalue: np.ndarray
    df: np.ndarray | None = None


def single_tests(fit: Fit, what: Any, small: bool) -> LinearCombinations:
    """A test of each row of a hypothesis by itself, as `hypothesis_test` tests all of them at once.

    Rows that constraints of the model fix have the standard error zero and no test.
    """
    K, r = hypothesis_rows(fit, what)
    method = small_sample(fit, True) if small else None
    covariance = beta_covariance(fit) if method is None else method.covariance(fit)
    std_err = np.where(held_rows(fit, K), 0.0, np.sqrt(np.clip(np.einsum("ij,jk,ik->i", K, covariance, K), 0.0, None)))
    df = None
    if method is not None:
        found = [None if se == 0.0 else method.dof(fit, row[None]).df for row, se in zip(K, std_err, strict=True)]
        df = np.array([np.inf if one is None else one for one in found])
    tests = tabulated(K @ fit.beta - r, std_err, df, 95.0)
    equations = tuple(written(fit, row, value) for row, value in zip(K, r, strict=True))
    return LinearCombinations(equations, K @ fit.beta, std_err, r, tests.statistic, tests.pvalue, df)


UNDEFINED = "the method defines no degrees of freedom for this combination; the test is large-sample."
HELD = "the constraints of the model fix this combination; there is nothing to test."


def lincom(fit: Fit, text: str, level: float, small: bool) -> LinearCombination:
    """Estimate, standard error, test and interval of a linear expression in coefficients."""
    row, constant = linear_combination(fit, text)
    estimate = float(row @ fit.beta + constant)
    if not row.any():
        raise OptionError(f"lincom: no estimated coefficient is left in {text}")
    method = small_sample(fit, True) if small else None
    covariance = beta_covariance(fit) if method is None else method.covariance(fit)
    held = bool(held_rows(fit, row[None])[0])
    df = None if method is None or held else method.dof(fit, row[None]).df
    std_err = 0.0 if held else float(np.sqrt(row @ covariance @ row))
    found = tabulated(np.array([estimate]), np.array([std_err]), None if df is None else np.array([df]), level)
    note = HELD if held else UNDEFINED if method is not None and df is None else ""
    statistic, pvalue, low, high = (float(x[0]) for x in (found.statistic, found.pvalue, found.low, found.high))
    equation = written(fit, row, -constant)
    return LinearCombination(estimate, std_err, statistic, 1, df, pvalue, low, high, level, equation, fit.spec.response, note)
