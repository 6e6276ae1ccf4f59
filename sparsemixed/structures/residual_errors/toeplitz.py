"""Toeplitz errors: one correlation per lag up to an order."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import OrderLimits, ResidualStructure, Times, lags, unit_variance


class Toeplitz(ResidualStructure):
    """Toeplitz correlations (manual, `residuals(toeplitz #)`): tanh(rho_k) at lag k, zero beyond the order.

    Which correlations are possible depends on the longest group, and no unconstrained map of them is simple; a matrix that is
    not positive definite has no Cholesky factor, and the optimiser refuses such a step.

    Examples
    --------
    >>> Toeplitz(1).covariance(np.arctanh([0.3]), np.array([0, 1, 2]))
    array([[1. , 0.3, 0. ],
           [0.3, 1. , 0.3],
           [0. , 0.3, 1. ]])
    """

    word, time = "TOeplitz", "integer"
    order_limits = OrderLimits(1, None, "res_order")

    def __init__(self, order: int):
        self.order = self.n_rho = order

    @classmethod
    def build(cls, times: Times, order: int | None) -> Toeplitz:
        assert order is not None
        return cls(order)

    @property
    def title(self) -> str:
        return f"Toeplitz({self.order})"

    @property
    def by_lag(self):
        return self._by_lag

    def _by_lag(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r, change = np.tanh(rho), np.zeros((self.n_rho, self.n_rho + 2), rho.dtype)
        change[np.arange(self.n_rho), np.arange(1, self.n_rho + 1)] = 1.0 - r**2
        return np.concatenate([[1.0], r, [0.0]]), change

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return self._by_lag(rho)[0][self._place(t)]

    def _place(self, t: np.ndarray) -> np.ndarray:
        return np.minimum(lags(t), self.n_rho + 1).astype(np.int64)

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return self._by_lag(rho)[1][:, self._place(t)]

    def display(self, rho: np.ndarray) -> list[Displayed]:
        unit = np.eye(self.n_rho)
        rows = [
            Displayed(("rho", k + 1), "", float(np.tanh(r)), "correlation", (1 - np.tanh(r) ** 2) * unit[k])
            for k, r in enumerate(rho)
        ]
        return [*rows, unit_variance(self.n_rho)]
