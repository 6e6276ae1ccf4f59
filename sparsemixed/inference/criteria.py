"""Information criteria of fits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.hypotheses.likelihood_ratio import n_parameters


def criteria(fits: Sequence[Fit], names: Sequence[str]) -> pd.DataFrame:
    """Information criteria, one row per fit: N, ll, df, AIC, BIC, AICc, CAIC.

    With k parameters, the fixed ones included, and N observations: AIC = -2 ll + 2k, BIC = -2 ll + k log N,
    AICc = AIC + 2k(k + 1) / (N - k - 1) (Hurvich & Tsai 1989), CAIC = -2 ll + k (log N + 1) (Bozdogan 1987).
    """
    rows = []
    for fit in fits:
        n, k, deviance = fit.design.nobs, n_parameters(fit), -2.0 * fit.llf
        aic = deviance + 2.0 * k
        aicc = aic + 2.0 * k * (k + 1) / (n - k - 1) if n > k + 1 else float("nan")
        rows.append((n, fit.llf, k, aic, deviance + k * np.log(n), aicc, deviance + k * (np.log(n) + 1.0)))
    return pd.DataFrame(rows, index=list(names), columns=["N", "ll", "df", "AIC", "BIC", "AICc", "CAIC"])
