"""`leverage`: how much every fitted value follows its own response."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.influence.fixed_theta import whitened


def leverage(fit: Fit) -> pd.Series:
    """The diagonal of I - RP, the derivative of the fitted values by the response at given variance parameters.

    With independent errors it is that of [X, Z Lambda] inv(K) [X, Z Lambda]', K the matrix of the mixed-model equations: lme4's
    hat values. The sum is the effective number of parameters of the fitted values.
    """
    return pd.Series(whitened(fit).precision.leverages(), index=fit.design.row_index, name="leverage")


def conditional_cooks(hat: np.ndarray, pearson: np.ndarray, sigma2: float, p: int) -> np.ndarray:
    """(n,) Cook's distances of the fitted values, random effects included, as lme4 has them: (e / (1 - h))^2 h / (sigma2 p).

    Parameters
    ----------
    hat : (n,)
    pearson : (n,)
        Residuals times the root of their weight.
    """
    return (pearson / (1.0 - hat)) ** 2 * hat / (sigma2 * p) if p else np.full(len(hat), np.nan)
