"""Residual degrees of freedom: n - rank(X) for everything, n - rank(XT) under constraints."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.method import PerCoefficient


class Residual(PerCoefficient):
    """n - p, exact for the linear model."""

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) all n less the number of free coefficients; X has full column rank."""
        return np.full(len(fit.beta), float(fit.design.n_rows - fit.design.rank))
