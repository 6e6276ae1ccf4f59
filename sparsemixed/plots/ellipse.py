"""Ellipses of two normal variables."""

from __future__ import annotations

import numpy as np


def ellipse(covariance: np.ndarray, level: float, n: int = 100) -> np.ndarray:
    """(n, 2) points of the ellipse around zero that holds `level` per cent of two normal variables with this covariance (2, 2).

    The squared radius is -2 log(1 - level/100), the quantile of chi-squared with two degrees of freedom. A singular covariance
    gives a line there and back.
    """
    radius = np.sqrt(-2.0 * np.log1p(-level / 100.0))
    angle = np.linspace(0.0, 2.0 * np.pi, n)
    values, vectors = np.linalg.eigh(covariance)
    return radius * (vectors * np.sqrt(np.clip(values, 0.0, None)) @ np.stack([np.cos(angle), np.sin(angle)])).T
