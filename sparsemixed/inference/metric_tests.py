"""z tests of the variance parameters in the metric of e(b)."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.estimation_metric import metric_estimates
from sparsemixed.inference.hypotheses.wald import Coefficients, tabulated


def variance_tests(fit: Fit, level: float) -> tuple[tuple[str, ...], Coefficients]:
    """Names of their equations in e(b), and their tests with limits; those on the boundary have neither."""
    estimates, p = metric_estimates(fit), len(fit.design.columns)
    std_err = np.sqrt(np.clip(np.diag(estimates.V)[p:], 0.0, None))
    std_err = np.where(std_err == 0, np.nan, std_err)
    return tuple(equation for equation, _ in estimates.names[p:]), tabulated(estimates.b[p:], std_err, None, level)
