"""Correlation rho to the power of the distance in time."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times, lags, unit_variance
from sparsemixed.structures.residual_errors.decay import TYPICAL, positive_coordinate, positive_decay


class Exponential(ResidualStructure):
    """Exponential decay for real times (manual, `residuals(exponential)`): rho^|t - s| with 0 < rho < 1.

    The coordinate is that of r = rho^unit = 1 / (1 + exp(-eta)): rho itself is as near to zero or one as the unit
    in which t() counts makes it.

    Parameters
    ----------
    unit : float
        The distance at which the correlation is r; the shortest that the data have.

    Examples
    --------
    >>> Exponential().covariance(np.array([0.0]), np.array([0.0, 0.5, 2.0])).round(4)
    array([[1.    , 0.7071, 0.25  ],
           [0.7071, 1.    , 0.3536],
           [0.25  , 0.3536, 1.    ]])
    """

    word, time, n_rho = "EXPonential", "real", 1

    def __init__(self, unit: float = 1.0):
        self.unit = unit

    @classmethod
    def build(cls, times: Times, order: int | None) -> Exponential:
        return cls(times.shortest_gap)

    @property
    def markov(self):
        return self._powers

    def _powers(self, eta, distance: np.ndarray):
        return positive_decay(eta).power(distance / self.unit)

    @property
    def title(self) -> str:
        return "Exponential"

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return self._powers(rho[0], lags(t))[0]

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return self._powers(rho[0], lags(t))[1][None]

    def starts(self, typical: float, moments: np.ndarray | None = None) -> list[np.ndarray]:
        if typical == self.unit:
            return [self.start()]
        return [np.array([positive_coordinate(np.log(c) * self.unit / typical)]) for c in TYPICAL]

    def display(self, rho: np.ndarray) -> list[Displayed]:
        value, slope = positive_decay(rho[0]).root(self.unit)
        return [Displayed(("rho",), "", value, "decay", np.array([slope])), unit_variance(1)]
