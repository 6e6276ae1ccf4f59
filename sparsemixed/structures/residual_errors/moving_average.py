"""Moving-average errors of order q, invertible by construction."""

from __future__ import annotations

from itertools import product

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.autoregressive import coefficients_of, coefficients_with_gradient
from sparsemixed.structures.residual_errors.base import OrderLimits, ResidualStructure, Times, lags, unit_variance

AT_BORDER = 1e-5
"""Cosine of an angle up to which it is a right one: what depends on it does so by the square of the distance."""

HALF_WAY = 0.25 * np.pi
"""Angle half way to the border."""


class MovingAverage(ResidualStructure):
    """MA(q) with unit marginal variance (manual, `residuals(ma #)`).

    theta = -coefficients(tanh(rho)) makes 1 + theta_1 z + ... invertible, so each covariance has one rho; a submatrix of a
    banded matrix is banded, so gaps are exact.

    Examples
    --------
    >>> MovingAverage(1).covariance(np.arctanh([-0.5]), np.array([0, 1, 2]))
    array([[1. , 0.4, 0. ],
           [0.4, 1. , 0.4],
           [0. , 0.4, 1. ]])
    """

    word, time = "MA", "integer"
    order_limits = OrderLimits(1, 1, "ma_q")
    limit = "the moving average of the residuals is at the limit of those that are invertible"

    def __init__(self, order: int = 1):
        self.order = self.n_rho = order

    @classmethod
    def build(cls, times: Times, order: int | None) -> MovingAverage:
        assert order is not None
        return cls(order)

    @property
    def title(self) -> str:
        return f"MA({self.order})"

    @property
    def by_lag(self):
        return self._by_lag

    def starts(self, typical: float, moments: np.ndarray | None = None) -> list[np.ndarray]:
        first = np.arctanh(np.array([0.0, 0.25, -0.25, 0.6, -0.6]))
        return [np.append(w, np.zeros(self.n_rho - 1)) for w in first]

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return self._by_lag(rho)[0][self._place(t)]

    def closed(self, rho: np.ndarray) -> tuple[ResidualStructure, np.ndarray]:
        angles = 2.0 * np.arctan(np.tanh(0.5 * rho))
        return ClosedMovingAverage(self.n_rho), np.where(np.cos(angles) < AT_BORDER, np.copysign(0.5 * np.pi, rho), angles)

    def _coefficients(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return coefficients_with_gradient(rho)

    def _place(self, t: np.ndarray) -> np.ndarray:
        return np.minimum(lags(t), self.n_rho + 1).astype(np.int64)

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return self._by_lag(rho)[1][:, self._place(t)]

    def _by_lag(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Correlations at lags 0 .. q and the zero of all beyond, and their derivatives."""
        q = self.n_rho
        phi, dphi = self._coefficients(rho)
        weights = np.append([1.0], -phi)
        change = np.column_stack([np.zeros(q), -dphi])
        value, out = np.zeros(q + 2, weights.dtype), np.zeros((q, q + 2), weights.dtype)
        for lag in range(q + 1):
            head, tail = slice(0, weights.size - lag), slice(lag, None)
            value[lag] = weights[head] @ weights[tail]
            out[:, lag] = change[:, head] @ weights[tail] + change[:, tail] @ weights[head]
        return value / value[0], out / value[0] - out[:, :1] * value / value[0] ** 2

    def display(self, rho: np.ndarray) -> list[Displayed]:
        phi, gradient = self._coefficients(rho)
        rows = [Displayed(("theta", j + 1), "", float(-phi[j]), "coefficient", -gradient[:, j]) for j in range(self.n_rho)]
        return [*rows, unit_variance(self.n_rho)]


class ClosedMovingAverage(MovingAverage):
    """The same with partial correlations sin(rho): the border is where a sine is 1 or -1, and an ordinary place.

    Everything is even about it, so that there no derivative of first order is left, as at a variance of zero.

    Examples
    --------
    >>> ClosedMovingAverage(1).covariance(np.array([-0.5 * np.pi]), np.array([0, 1, 2]))
    array([[1. , 0.5, 0. ],
           [0.5, 1. , 0.5],
           [0. , 0.5, 1. ]])
    """

    @property
    def angles(self) -> np.ndarray:
        return np.ones(self.n_rho, bool)

    def closed(self, rho: np.ndarray) -> tuple[ResidualStructure, np.ndarray]:
        return self, rho

    def branches(self, rho: np.ndarray) -> list[np.ndarray]:
        """Independence, and half way from there to the corners of the border: all up to order three, else to its faces."""
        k = self.n_rho
        ways = [np.array(way) for way in product((-1.0, 1.0), repeat=k)] if k <= 3 else [*np.eye(k), *-np.eye(k)]
        return [np.zeros(k), *(HALF_WAY * way for way in ways)]

    def _coefficients(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return coefficients_of(np.sin(rho), np.cos(rho))
