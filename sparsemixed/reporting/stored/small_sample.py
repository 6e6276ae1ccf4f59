"""What is stored with `dfmethod()`, and with a `vce()` that brings degrees of freedom."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.table import coefficient_covariance, coefficient_degrees, degrees_summary
from sparsemixed.inference.hypotheses.wald import model_test
from sparsemixed.reporting.stored.row import Condition, Stored
from sparsemixed.spec import SmallSample


def _asked(fit: Fit) -> SmallSample:
    """The fit's method of degrees of freedom; only fits with one have these results."""
    assert fit.spec.small_sample is not None
    return fit.spec.small_sample


def _degrees(fit: Fit) -> np.ndarray:
    return coefficient_degrees(fit, _asked(fit))


def _model_f(fit: Fit, attribute: str) -> float:
    """Of the header's F test; NaN where the degrees of freedom of the coefficients differ and it is chi-squared."""
    test = model_test(fit)
    return float(getattr(test, attribute)) if test.kind == "F" else float("nan")


def f_statistic(fit: Fit) -> float:
    """The F test of the fixed part; NaN where that stays chi-squared."""
    return _model_f(fit, "statistic")


def f_denominator(fit: Fit) -> float:
    """Its denominator degrees of freedom."""
    return _model_f(fit, "ddf")


def smallest_df(fit: Fit) -> float:
    """Smallest degrees of freedom of a coefficient."""
    return degrees_summary(_degrees(fit))[0]


def average_df(fit: Fit) -> float:
    """Average of the coefficients' degrees of freedom."""
    return degrees_summary(_degrees(fit))[1]


def largest_df(fit: Fit) -> float:
    """Largest degrees of freedom of a coefficient."""
    return degrees_summary(_degrees(fit))[2]


def method_name(fit: Fit) -> str:
    """The method by its option."""
    return _asked(fit).name


def method_title(fit: Fit) -> str:
    """The method as printed."""
    return _asked(fit).method.title


def degrees(fit: Fit) -> pd.Series:
    """Degrees of freedom of every coefficient."""
    return pd.Series(_degrees(fit).copy(), index=list(fit.design.names))


def adjusted_covariance(fit: Fit) -> pd.DataFrame:
    """(p, p): the covariance matrix of the coefficients that the method's tests use."""
    names = list(fit.design.names)
    return pd.DataFrame(coefficient_covariance(fit, _asked(fit)).copy(), index=names, columns=names)


def _has_method(fit: Fit) -> bool:
    return fit.spec.small_sample is not None


def _has_own_covariance(fit: Fit) -> bool:
    return fit.spec.small_sample is not None and fit.spec.small_sample.method.own_covariance


WITH_DEGREES = Condition(_has_method, "dfmethod() or vce(cr2)")

SMALL_SAMPLE = (
    Stored("F", "scalar", f_statistic, WITH_DEGREES),
    Stored("ddf_m", "scalar", f_denominator, WITH_DEGREES),
    Stored("df_min", "scalar", smallest_df, WITH_DEGREES),
    Stored("df_avg", "scalar", average_df, WITH_DEGREES),
    Stored("df_max", "scalar", largest_df, WITH_DEGREES),
    Stored("dfmethod", "macro", method_name, WITH_DEGREES),
    Stored("dftitle", "macro", method_title, WITH_DEGREES),
    Stored("df", "matrix", degrees, WITH_DEGREES),
    Stored("V_df", "matrix", adjusted_covariance, Condition(_has_own_covariance, "dfmethod(kroger) or vce(cr2)")),
)
