"""Residual degrees of freedom: n - rank(X) for everything."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees import PerCoefficient


class Residual(PerCoefficient):
    """n - p, exact for the linear model."""

    title = "Residual"

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) all n - p; X has full column rank."""
        n, p = fit.design.X.shape
        return np.full(p, float(n - p))
