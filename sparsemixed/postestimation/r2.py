"""Shares of the variance that a model explains: of Nakagawa, Schielzeth and Johnson, and of Edwards term by term.

With the variances of the fixed part, of the random part, and of the errors

    v_f = Var(x'beta_hat),    v_r = mean of z'Gz summed over the terms,    v_e = mean of sigma2 R_ii,

over the rows of the sample, marginal R2 = v_f / (v_f + v_r + v_e) and conditional R2 = (v_f + v_r) / (v_f + v_r + v_e)
(Nakagawa & Schielzeth 2013; Johnson 2014 for random slopes). z are the columns of the random part as they are, in the fixed part
or not; singular covariance matrices are like any other. With an F test of nu_1 and nu_2 degrees of freedom, Edwards et al. (2008)
have R2 = (nu_1 F / nu_2) / (1 + nu_1 F / nu_2), for all coefficients or those of one term.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.wald import HypothesisTest, model_test
from sparsemixed.postestimation.prediction.predicted_rows import sample_error_variances
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.postestimation.term_tests import term_tests

MODEL = "model"
"""The name of the row of all coefficients."""


def variance_shares(fit: Fit) -> pd.Series:
    """Marginal and conditional R2, and the three variances behind them.

    Returns
    -------
    Series
        marginal, conditional, var_fixed (with n - 1), var_random, var_error. Weights that replicate observations count.

    Raises
    ------
    DataError
        The fit was saved without its data.
    """
    design = fit.design
    replicated = design.weights is not None and design.weights.kind != "precision"
    w = design.weights.rows if replicated and design.weights is not None else np.ones(len(design.y))
    frequency = design.weights is not None and design.weights.kind == "frequency"
    n = float(w.sum()) if frequency else float(len(w))
    xb = design.X @ fit.beta
    deviations = xb - w @ xb / w.sum()
    fixed = float(w @ deviations**2 / w.sum() * n / (n - 1))
    random = 0.0
    for term, G in zip(design.random, term_covariances(fit), strict=True):
        random += float(w @ np.einsum("ma,ab,mb->m", term.columns, G, term.columns) / w.sum())
    error = 0.0 if fit.without_errors else float(w @ sample_error_variances(fit) / w.sum())
    total = fixed + random + error
    values = (fixed / total, (fixed + random) / total, fixed, random, error)
    return pd.Series(values, index=["marginal", "conditional", "var_fixed", "var_random", "var_error"])


def partial_r2(fit: Fit, kind: int = 3) -> pd.DataFrame:
    """Edwards' semi-partial R2 of each term of the fixed part, and of all coefficients but the constant.

    Parameters
    ----------
    kind : {1, 2, 3}
        Of the hypotheses, as in `anova`.

    Returns
    -------
    DataFrame
        Columns F, df, ddf, r2; the first row is `model`.

    Raises
    ------
    OptionError
        The fit has no degrees of freedom; terms that `anova` cannot test.
    """
    if small_sample(fit) is None:
        raise OptionError("r2: semi-partial R2 rests on F tests; fit the model with the option dfmethod(), kroger say")
    found = term_tests(fit, kind, True)
    rows = [_row(model_test(fit, True)), *(_row(test) for test in found.tests)]
    return pd.DataFrame(rows, index=[MODEL, *found.names], columns=["F", "df", "ddf", "r2"])


def _row(test: HypothesisTest) -> tuple[float, float, float, float]:
    """F, its degrees of freedom, and R2; missing where the method has no denominator."""
    if test.kind != "F" or test.ddf is None or not np.isfinite(test.statistic):
        return (float("nan"), float(test.df), float("nan"), float("nan"))
    ratio = test.df * test.statistic / test.ddf
    return test.statistic, float(test.df), test.ddf, ratio / (1.0 + ratio)
