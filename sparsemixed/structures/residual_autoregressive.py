"""Autoregressive errors of order p, stationary by construction."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Parameter
from sparsemixed.structures.residual import ResidualStructure, lags, unit_variance


def coefficients(partial: np.ndarray) -> np.ndarray:
    """phi (p,) from partial autocorrelations in (-1, 1): the Durbin-Levinson recursion (Barndorff-Nielsen & Schou 1973)."""
    phi = partial[:0]
    for value in partial:
        phi = np.append(phi - value * phi[::-1], value)
    return phi


def coefficients_with_gradient(rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """phi (p,) of partial autocorrelations tanh(rho), and dphi / drho (p, p) with one row for each rho."""
    partial = np.tanh(rho)
    phi, gradient = partial[:0], np.zeros((rho.size, 0), partial.dtype)
    for i, value in enumerate(partial):
        slope = np.zeros(rho.size, partial.dtype)
        slope[i] = 1.0 - value**2
        moved = gradient - value * gradient[:, ::-1] - slope[:, None] * phi[::-1]
        phi, gradient = np.append(phi - value * phi[::-1], value), np.column_stack([moved, slope])
    return phi, gradient


def autocorrelations(phi: np.ndarray, longest: int) -> np.ndarray:
    """Autocorrelations at lags 0 .. longest of the process with coefficients phi, by the Yule-Walker equations."""
    p = phi.size
    system, right = np.eye(p, dtype=phi.dtype), phi.copy()
    for k in range(1, p + 1):
        for j in range(1, p + 1):
            if k != j:
                system[k - 1, abs(k - j) - 1] -= phi[j - 1]
    first = np.linalg.solve(system, right) if p else right
    out = np.ones(longest + 1, phi.dtype)
    for k in range(1, longest + 1):
        out[k] = first[k - 1] if k <= p else phi @ out[k - p : k][::-1]
    return out


class Autoregressive(ResidualStructure):
    """AR(p) with unit marginal variance (manual, `residuals(ar #)`); rho holds atanh of the partial autocorrelations.

    Gaps are exact: only the autocorrelations at the observed lags enter.

    Examples
    --------
    >>> Autoregressive(1).covariance(np.arctanh([0.5]), np.array([0, 1, 3])).round(3)
    array([[1.   , 0.5  , 0.125],
           [0.5  , 1.   , 0.25 ],
           [0.125, 0.25 , 1.   ]])
    """

    name, time = "ar", "integer"

    def __init__(self, order: int = 1):
        self.order = self.n_rho = order

    @property
    def title(self) -> str:
        return f"AR({self.order})"

    def _by_lag(self, rho: np.ndarray, longest: int) -> np.ndarray:
        return autocorrelations(coefficients(np.tanh(rho)), longest)

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        lag = lags(t).astype(np.int64)
        return self._by_lag(rho, int(lag.max(initial=0)))[lag]

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        lag = lags(t).astype(np.int64)
        return self._derivative(rho, int(lag.max(initial=0)))[:, lag]

    def _derivative(self, rho: np.ndarray, longest: int) -> np.ndarray:
        """d autocorrelations / d rho (p, longest + 1), differentiating the two recursions (complex rho allowed)."""
        p = self.order
        phi, dphi = coefficients_with_gradient(rho)
        system = np.eye(p, dtype=phi.dtype)
        places = [(k - 1, abs(k - j) - 1, j - 1) for k in range(1, p + 1) for j in range(1, p + 1) if k != j]
        for row, col, j in places:
            system[row, col] -= phi[j]
        first = np.linalg.solve(system, phi)
        dfirst = np.empty((p, p), phi.dtype)
        for i in range(p):
            right = dphi[i].copy()
            for row, col, j in places:
                right[row] += dphi[i, j] * first[col]
            dfirst[i] = np.linalg.solve(system, right)
        value, out = np.ones(longest + 1, phi.dtype), np.zeros((p, longest + 1), phi.dtype)
        for k in range(1, longest + 1):
            if k <= p:
                value[k], out[:, k] = first[k - 1], dfirst[:, k - 1]
            else:
                recent = value[k - p : k][::-1]
                value[k], out[:, k] = phi @ recent, dphi @ recent + out[:, k - p : k][:, ::-1] @ phi
        return out

    def display(self, rho: np.ndarray) -> list[Parameter]:
        phi, gradient = coefficients_with_gradient(rho)
        names = ["rho"] if self.order == 1 else [f"phi{j + 1}" for j in range(self.order)]
        kind = "correlation" if self.order == 1 else "coefficient"
        rows = [Parameter(name, float(phi[j]), kind, gradient[:, j]) for j, name in enumerate(names)]
        return [*rows, unit_variance(self.n_rho)]
