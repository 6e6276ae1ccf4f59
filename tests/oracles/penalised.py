"""Penalised likelihoods by dense V and a search that knows nothing: what `prior=` maximises."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize


def log_likelihood(y: np.ndarray, X: np.ndarray, V: np.ndarray, reml: bool) -> float:
    """Log likelihood of y ~ N(X beta, V) at its best beta; or log restricted likelihood, of rows as given."""
    inverse, (n, p) = np.linalg.inv(V), X.shape
    xx = X.T @ inverse @ X
    beta = np.linalg.solve(xx, X.T @ inverse @ y)
    e = y - X @ beta
    value = np.linalg.slogdet(V)[1] + e @ inverse @ e + (n - p * reml) * np.log(2 * np.pi)
    return -0.5 * (value + (np.linalg.slogdet(xx)[1] if reml else 0.0))


def maximum(objective: Callable[[np.ndarray], float], start: np.ndarray) -> np.ndarray:
    """Where a function is largest, by BFGS with gradients from differences, then by the simplex method."""

    def lower(x: np.ndarray) -> float:
        try:
            with np.errstate(all="ignore"):
                value = -objective(x)
        except np.linalg.LinAlgError:
            return 1e10
        return value if np.isfinite(value) else 1e10

    found = minimize(lower, start, method="BFGS", jac="3-point", options={"gtol": 1e-7}).x
    near = found + 1e-4 * np.vstack([np.zeros(len(found)), np.eye(len(found))])
    simplex = {"xatol": 1e-10, "fatol": 1e-13, "initial_simplex": near}
    return minimize(lower, found, method="Nelder-Mead", options=simplex).x


def hessian(objective: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """By central differences."""
    n = len(x)
    h = step * np.maximum(np.abs(x), 0.1)
    out = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            a, b = np.eye(n)[i] * h[i], np.eye(n)[j] * h[j]
            out[i, j] = (objective(x + a + b) - objective(x + a - b) - objective(x - a + b) + objective(x - a - b)) / (
                4 * h[i] * h[j]
            )
    return out
