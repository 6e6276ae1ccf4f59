"""`estat.vce`: the covariance matrix of the estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import beta_covariance


def estimates_covariance(fit: Fit, correlation: bool = False) -> pd.DataFrame:
    """The covariance matrix of the coefficients, robust if the fit is; `e["V"]` has that of all parameters.

    Parameters
    ----------
    correlation : bool
        Correlations instead; missing for coefficients that constraints fix.
    """
    V, names = beta_covariance(fit).copy(), [*fit.design.names]
    if correlation:
        spread = np.sqrt(np.where(np.diag(V) > 0, np.diag(V), np.nan))
        V = V / np.outer(spread, spread)
    frame = pd.DataFrame(V, index=names, columns=names)
    heading = f"{'Correlation' if correlation else 'Covariance'} matrix of coefficients of mixed model"
    frame.attrs = {"heading": heading, "layout": "matrices", "matrices": [(heading, frame.copy())], "r": {"V": frame.copy()}}
    return frame
