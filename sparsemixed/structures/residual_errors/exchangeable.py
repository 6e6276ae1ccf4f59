"""Equal variances and one common covariance of the errors."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times, logistic


class ExchangeableErrors(ResidualStructure):
    """Compound symmetry (manual, `residuals(exchangeable)`): correlation c in (-1 / (M - 1), 1), M the largest group.

    Examples
    --------
    >>> errors = ExchangeableErrors(3)
    >>> errors.covariance(errors.start(), np.zeros(2))
    array([[1., 0.],
           [0., 1.]])
    """

    word, time, n_rho = "EXchangeable", "none", 1

    def __init__(self, largest: int):
        self.largest = largest
        self.low = -1.0 / max(largest - 1, 1)

    @classmethod
    def build(cls, times: Times, order: int | None) -> ExchangeableErrors:
        return cls(times.largest_group)

    @property
    def title(self) -> str:
        return "Exchangeable"

    def _correlation(self, rho: np.ndarray):
        return self.low + (1.0 - self.low) * logistic(rho[0])

    def start(self, moments: np.ndarray | None = None) -> np.ndarray:
        return np.array([np.log(-self.low)])

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.where(np.eye(t.shape[-1], dtype=bool), 1.0, self._correlation(rho)) * np.ones((*t.shape, 1))

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        slope = (1.0 - self.low) * logistic(rho[0]) * logistic(-rho[0])
        return (np.where(np.eye(t.shape[-1], dtype=bool), 0.0, slope) * np.ones((*t.shape, 1)))[None]

    def display(self, rho: np.ndarray) -> list[Displayed]:
        slope = self.dcovariance(rho, np.zeros(2))[:, 0, 1]
        return [
            Displayed(("var",), "e", 1.0, "variance", np.zeros(1)),
            Displayed(("cov",), "e", float(self._correlation(rho)), "covariance", slope),
        ]
