"""The correlations of a covariance matrix, as `estat` prints and stores them."""

from __future__ import annotations

import numpy as np


def correlations(V: np.ndarray) -> np.ndarray:
    """V (m, m) over the products of its standard deviations: exactly one with itself, missing beside a variance of zero.

    >>> correlations(np.array([[4.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    array([[1. , 0.5, nan],
           [0.5, 1. , nan],
           [nan, nan, nan]])
    """
    spread = np.sqrt(np.where(np.diag(V) > 0, np.diag(V), np.nan))
    found = V / np.outer(spread, spread)
    np.fill_diagonal(found, np.where(np.isnan(spread), np.nan, 1.0))
    return found
