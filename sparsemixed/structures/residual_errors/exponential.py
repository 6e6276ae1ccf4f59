"""Correlation rho to the power of the distance in time."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Parameter
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times, lags, logistic, unit_variance


class Exponential(ResidualStructure):
    """Exponential decay for real times (manual, `residuals(exponential)`): rho^|t - s|, rho = 1 / (1 + exp(-eta)).

    Examples
    --------
    >>> Exponential().covariance(np.array([0.0]), np.array([0.0, 0.5, 2.0])).round(4)
    array([[1.    , 0.7071, 0.25  ],
           [0.7071, 1.    , 0.3536],
           [0.25  , 0.3536, 1.    ]])
    """

    word, time, n_rho = "EXPonential", "real", 1

    @classmethod
    def build(cls, times: Times, order: int | None) -> Exponential:
        return cls()

    @property
    def markov(self):
        return _logistic

    @property
    def title(self) -> str:
        return "Exponential"

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        eta = rho[0]
        rate = np.log1p(np.exp(-eta)) if eta.real >= 0 else np.log1p(np.exp(eta)) - eta
        return np.exp(-lags(t) * rate)

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return (lags(t) * self.covariance(rho, t) * logistic(-rho[0]))[None]

    def display(self, rho: np.ndarray) -> list[Parameter]:
        value = logistic(rho[0])
        return [Parameter(("rho",), "", float(value), "decay", np.array([value * (1 - value)])), unit_variance(1)]


def _logistic(eta):
    r = logistic(eta)
    return r, r * (1.0 - r)
