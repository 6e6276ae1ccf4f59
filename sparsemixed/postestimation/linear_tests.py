"""Wald tests and linear combinations of coefficients: `test`, `testparm`, `lincom`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsemixed.command.hypothesis import read_hypotheses, read_linear
from sparsemixed.design.fixed.coefficient_names import CoefficientNames, sum_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import held_rows
from sparsemixed.inference.covariance.vce import beta_covariance
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.delta_method import as_nonlinear, linearized
from sparsemixed.inference.hypotheses.hypothesis import (
    hypothesis_rows,
    independent,
    linear_combination,
    terms_text,
    written,
)
from sparsemixed.inference.hypotheses.wald import HypothesisTest, chi2_test, tabulated, wald_test, with_degrees
from sparsemixed.inference.named_estimates import Estimates
from sparsemixed.linear_form import LinearForm
from sparsemixed.nonlinear_form import NonlinearForm
from sparsemixed.postestimation.delta_tests import delta_test, with_singles


def hypothesis_test(
    fit: Fit,
    what: Any,
    values: Any,
    small: bool,
    df: float | None = None,
    mtest: str | None = None,
    before: HypothesisTest | None = None,
) -> HypothesisTest:
    """Joint test of a hypothesis (see `inference.hypotheses.hypothesis`); chi-squared, or F with the fit's degrees of freedom.

    Parameters
    ----------
    df : float, optional
        Denominator degrees of freedom of F tests.
    mtest : str, optional
        Tests of the equations one by one, with p-values adjusted so.
    before : HypothesisTest, optional
        A test whose hypotheses are tested along.
    """
    asked = (*(() if before is None else before.asked), (what, values))
    if before is not None and not before.asked:
        raise OptionError("accumulate takes what test() or testparm() returned; this test has no equations to add to")
    if small and df is not None:
        raise OptionError("test: df() and small cannot be combined; small takes the degrees of freedom of the fit's method")
    of_variances = _variance_forms(fit, asked)
    if of_variances is not None:
        forms, equations = of_variances
        return replace(delta_test(fit, linearized(fit, forms), equations, mtest, small, df), asked=asked)
    rows = [hypothesis_rows(fit, *one) for one in asked]
    K, r = np.concatenate([K for K, _ in rows]), np.concatenate([r for _, r in rows])
    return replace(_wald(fit, K, r, small, df, mtest), asked=asked)


def parameter_test(
    fit: Fit, terms: str, equal: bool, small: bool, df: float | None = None, mtest: str | None = None
) -> HypothesisTest:
    """Test that all coefficients of some terms are zero, or equal to one another."""
    places = CoefficientNames(fit.design.columns, fit.spec).matching(terms_text(terms, "testparm", "i.drug"))
    if not places:
        raise OptionError("testparm: name a term, such as i.drug")
    K = np.eye(len(fit.beta))[places]
    if equal:
        if len(places) < 2:
            raise OptionError("testparm: equal needs at least two coefficients")
        K = K[0] - K[1:]
    return hypothesis_test(fit, K, None, small, df, mtest)


def _wald(fit: Fit, K: np.ndarray, r: np.ndarray, small: bool, df: float | None, mtest: str | None) -> HypothesisTest:
    method = small_sample(fit, True) if small else None
    found = independent(fit, K, r)
    test = replace(wald_test(fit, found.K, found.r, method, note=found.note), equations=found.equations, dropped=found.dropped)
    if mtest is None:
        return with_degrees(test, df)
    known = K.any(axis=1) & ~held_rows(fit, K)
    each = [wald_test(fit, K[[i]], r[[i]], method) if ok else chi2_test(np.nan, 1) for i, ok in enumerate(known)]
    return with_singles(with_degrees(test, df), [with_degrees(one, df) for one in each], mtest)


def _variance_forms(fit: Fit, asked: Sequence[tuple[Any, Any]]) -> tuple[list[tuple[NonlinearForm, str]], tuple[str, ...]] | None:
    """The forms that a hypothesis sets to zero, with their texts, and its equations, where it names variance parameters."""
    read: list[tuple[LinearForm, str]] = []
    texts = [own for what, _ in asked for own in _texts(what)]
    for text in filter(None, texts):
        own = [LinearForm({text: 1.0})] if text in fit.design.names else read_hypotheses(text)
        read += [(form, text) for form in own]
    estimates = Estimates(fit)
    if not any(estimates.is_variance(name, text, form.positions.get(name)) for form, text in read for name in form.weights):
        return None
    if None in texts or any(values is not None for _, values in asked):
        raise OptionError("test: hypotheses about variance parameters are texts, and cannot be joined with rows of numbers")
    forms = [(as_nonlinear(form, text), text) for form, text in read]
    return forms, tuple(_equation(estimates, form, text, fit.spec.response) for form, text in read)


def _texts(what: Any) -> list[str | None]:
    """The texts of a hypothesis; None for one in numbers."""
    if isinstance(what, str):
        return [what]
    return list(what) if isinstance(what, Sequence) and all(isinstance(one, str) for one in what) else [None]


def _equation(estimates: Estimates, form: LinearForm, text: str, response: str) -> str:
    weights: dict[str, float] = {}
    for name, weight in form.weights.items():
        one = estimates.find(name, text, form.positions.get(name))
        shown = one.name if one.variance else f"[{response}]{one.name}"
        weights[shown] = weights.get(shown, 0.0) + weight
    return sum_text(weights, -form.constant)


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


def lincom(fit: Fit, text: str, level: float, small: bool, given_df: float | None = None) -> LinearCombination:
    """Estimate, standard error, test and interval of a linear expression in coefficients and variance parameters."""
    form, estimates = read_linear(terms_text(text, "lincom", "2.drug - 3.drug")), Estimates(fit)
    if small and given_df is not None:
        raise OptionError("lincom: df() and small cannot be combined; small takes the degrees of freedom of the fit's method")
    if any(estimates.is_variance(name, text, form.positions.get(name)) for name in form.weights):
        return _of_variances(fit, form, text, level, small, given_df)
    row, constant = linear_combination(fit, text)
    estimate = float(row @ fit.beta + constant)
    if not row.any():
        raise OptionError(f"lincom: no estimated coefficient is left in {text}")
    method = small_sample(fit, True) if small else None
    covariance = beta_covariance(fit) if method is None else method.covariance(fit)
    held = bool(held_rows(fit, row[None])[0])
    df = given_df if method is None or held else method.dof(fit, row[None]).df
    std_err = 0.0 if held else float(np.sqrt(row @ covariance @ row))
    note = HELD if held else UNDEFINED if method is not None and df is None else ""
    return _combination(fit, estimate, std_err, df, level, written(fit, row, -constant), note)


def _of_variances(fit: Fit, form: LinearForm, text: str, level: float, small: bool, df: float | None) -> LinearCombination:
    if small:
        raise OptionError("small is for coefficients: tests of variance parameters are large-sample")
    found = linearized(fit, [(as_nonlinear(form, text), text)])
    note = f"no standard error: {found.undefined[0]}." if found.undefined[0] else ""
    equation = _equation(Estimates(fit), form, text, fit.spec.response)
    return _combination(fit, float(found.value[0]), float(found.std_err[0]), df, level, equation, note)


def _combination(
    fit: Fit, estimate: float, std_err: float, df: float | None, level: float, equation: str, note: str
) -> LinearCombination:
    found = tabulated(np.array([estimate]), np.array([std_err]), None if df is None else np.array([df]), level)
    statistic, pvalue, low, high = (float(x[0]) for x in (found.statistic, found.pvalue, found.low, found.high))
    return LinearCombination(estimate, std_err, statistic, 1, df, pvalue, low, high, level, equation, fit.spec.response, note)
