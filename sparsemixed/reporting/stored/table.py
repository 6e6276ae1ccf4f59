"""Stata's r(table): every entry of e(b) with its test and limits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.estimation_metric import metric_estimates, variance_tests
from sparsemixed.inference.hypotheses.distributions import critical
from sparsemixed.inference.hypotheses.wald import Coefficients, coefficients

ROWS = ("b", "se", "z", "pvalue", "ll", "ul", "df", "crit", "eform")


def stored_table(fit: Fit, level: float) -> pd.DataFrame:
    """Rows b, se, z (t with degrees of freedom), pvalue, ll, ul, df, crit, eform over the coefficients of e(b).

    Base, empty and omitted coefficients are zeros without a test.
    """
    c, columns = coefficients(fit, level), fit.design.columns
    table = np.full((len(ROWS), len(columns)), np.nan)
    table[0] = 0.0
    table[:8, [i for i, column in enumerate(columns) if column.status == "estimated"]] = _rows(c, level)
    whole = np.hstack([table, np.vstack([_rows(variance_tests(fit, level)[1], level), np.zeros(len(fit.deviations))])])
    whole[8] = 0.0
    names = pd.MultiIndex.from_tuples(metric_estimates(fit).names, names=["equation", "name"])
    return pd.DataFrame(whole, index=[row if row != "z" or c.df is None else "t" for row in ROWS], columns=names)


def _rows(c: Coefficients, level: float) -> np.ndarray:
    """(8, l): all rows but eform."""
    df = np.full(len(c.estimate), np.nan) if c.df is None else c.df
    crit = np.broadcast_to(critical(level, c.df), df.shape)
    return np.vstack([c.estimate, c.std_err, c.statistic, c.pvalue, c.low, c.high, df, crit])
