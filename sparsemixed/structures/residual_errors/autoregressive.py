"""Autoregressive errors of order p, stationary by construction."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Parameter
from sparsemixed.structures.residual_errors.base import OrderLimits, ResidualStructure, Times, lags, unit_variance


def coefficients(partial: np.ndarray) -> np.ndarray:
    """phi (p,) from partial autocorrelations in (-1, 1): the Durbin-Levinson recursion (Barndorff-Nielsen & Schou 1973)."""
    phi = partial[:0]
    for value in partial:
        phi = np.append(phi - value * phi[::-1], value)
    return phi


def coefficients_with_gradient(rho: np.ndarray, order: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """phi of partial autocorrelations tanh(rho), all or the first `order`, and dphi / drho with one row for each rho."""
    partial = np.tanh(rho)[:order]
    phi, gradient = partial[:0], np.zeros((rho.size, 0), partial.dtype)
    for i, value in enumerate(partial):
        slope = np.zeros(rho.size, partial.dtype)
        slope[i] = 1.0 - value**2
        moved = gradient - value * gradient[:, ::-1] - slope[:, None] * phi[::-1]
        phi, gradient = np.append(phi - value * phi[::-1], value), np.column_stack([moved, slope])
    return phi, gradient


def autocorrelations_with_gradient(rho: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelations at lags 0 .. longest of the process with partial ones tanh(rho), and their gradients (p, longest + 1).

    Lag by lag along the Durbin-Levinson recursion: no equations to solve, nothing singular even where tanh(rho) rounds to 1.
    """
    p, partial = rho.size, np.tanh(rho)
    models = [coefficients_with_gradient(rho, order) for order in range(p + 1)]
    value, gradient = np.ones(longest + 1, partial.dtype), np.zeros((p, longest + 1), partial.dtype)
    innovation, dinnovation = 1.0, np.zeros(p, partial.dtype)  # variance of the innovation, and its gradient
    for k in range(1, longest + 1):
        phi, dphi = models[min(k - 1, p)]
        recent = slice(k - phi.size, k)
        value[k] = phi @ value[recent][::-1]
        gradient[:, k] = dphi @ value[recent][::-1] + gradient[:, recent][:, ::-1] @ phi
        if k <= p:
            last, slope = partial[k - 1], np.zeros(p, partial.dtype)
            slope[k - 1] = 1.0 - last**2
            value[k] += last * innovation
            gradient[:, k] += slope * innovation + last * dinnovation
            dinnovation = dinnovation * (1.0 - last**2) - 2.0 * last * slope * innovation
            innovation = innovation * (1.0 - last**2)
    return value, gradient


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

    word, time = "AR", "integer"
    order_limits = OrderLimits(1, 1, "ar_p")

    def __init__(self, order: int = 1):
        self.order = self.n_rho = order

    @classmethod
    def build(cls, times: Times, order: int | None) -> Autoregressive:
        assert order is not None
        return cls(order)

    @property
    def markov(self):
        return _tanh if self.order == 1 else None

    @property
    def title(self) -> str:
        return f"AR({self.order})"

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        lag = lags(t).astype(np.int64)
        return autocorrelations_with_gradient(rho, int(lag.max(initial=0)))[0][lag]

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        lag = lags(t).astype(np.int64)
        return autocorrelations_with_gradient(rho, int(lag.max(initial=0)))[1][:, lag]

    def display(self, rho: np.ndarray) -> list[Parameter]:
        phi, gradient = coefficients_with_gradient(rho)
        keys = [("rho",)] if self.order == 1 else [("phi", j + 1) for j in range(self.n_rho)]
        kind = "correlation" if self.order == 1 else "coefficient"
        rows = [Parameter(key, "", float(phi[j]), kind, gradient[:, j]) for j, key in enumerate(keys)]
        return [*rows, unit_variance(self.n_rho)]


def _tanh(rho):
    r = np.tanh(rho)
    return r, 1.0 - r**2
