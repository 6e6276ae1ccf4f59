"""Which variance parameters the moments tell apart, from the matrix of vec(K'V_kK) alone: dense, by differences of V."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def confounded(
    covariance: Callable[[np.ndarray], np.ndarray], printed: np.ndarray, X: np.ndarray, reml: bool
) -> np.ndarray | None:
    """(m,) bool: the printed parameters with a part in the null space of the map to the moments.

    Parameters
    ----------
    covariance : callable
        V (n, n) of printed parameters (m,).
    X : (n, p)

    Returns
    -------
    None where the derivatives of V are not finite.
    """
    n = len(X)
    K = np.eye(n)
    if reml and X.size:
        left, values, _ = np.linalg.svd(X)
        K = left[:, int((values > 1e-10 * values[0]).sum()) :]
    columns = []
    for k in range(printed.size):
        unit = 1e-4 * max(abs(printed[k]), 1e-2) * np.eye(printed.size)[k]
        with np.errstate(all="ignore"):
            change = (covariance(printed + unit) - covariance(printed - unit)) / (2.0 * unit[k])
        columns.append((K.T @ change @ K).ravel())
    moments = np.array(columns).T
    if not np.all(np.isfinite(moments)):
        return None
    length = np.linalg.norm(moments, axis=0)
    _, values, right = np.linalg.svd(moments / np.where(length > 0, length, 1.0), full_matrices=False)
    return np.any(np.abs(right[values < 1e-6]) > 1e-3, axis=0)
