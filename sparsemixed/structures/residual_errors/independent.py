"""Independent errors, with one variance or one for each level of by()."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times


class IndependentErrors(ResidualStructure):
    """Heteroskedastic independent errors (manual, `residuals(independent, by(varname))`).

    sigma2 is the variance of one level, the `unit`; rho holds log(sd_k / sd_unit) of the others. t is the level's position, which
    may vary within a group.

    Examples
    --------
    >>> IndependentErrors(("a", "b")).covariance(np.log([2.0]), np.array([0, 1]))
    array([[1., 0.],
           [0., 4.]])
    """

    word, time, independent_rows = "INDependent", "none", True

    def __init__(self, labels: tuple[str, ...], unit: int = 0):
        self.labels, self.unit = labels, unit
        self.n_rho = len(labels) - 1

    @classmethod
    def build(cls, times: Times, order: int | None) -> IndependentErrors:
        assert times.levels is not None
        return cls(times.levels)

    @property
    def by_labels(self) -> tuple[str, ...]:
        return self.labels

    @property
    def title(self) -> str:
        return "Independent"

    def scales(self, rho: np.ndarray) -> np.ndarray:
        return np.insert(rho, self.unit, 0.0)

    def with_unit(self, unit: int, rho: np.ndarray) -> tuple[IndependentErrors, np.ndarray]:
        scales = self.scales(rho)
        return IndependentErrors(self.labels, unit), np.delete(scales - scales[unit], unit)

    def resized(self, level: int, change: float, rho: np.ndarray) -> np.ndarray:
        return rho + change * self.parameters_of(level)

    def parameters_of(self, level: int) -> np.ndarray:
        return np.delete(np.arange(self.n_rho + 1) == level, self.unit)

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        variances = np.exp(2.0 * self.scales(rho))[t.astype(np.int64)]
        return variances[..., :, None] * np.eye(t.shape[-1])

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        place, eye = t.astype(np.int64), np.eye(t.shape[-1])
        out = np.zeros((self.n_rho, *t.shape, t.shape[-1]), rho.dtype)
        for k in range(self.n_rho):
            out[k] = np.where(place == k + (k >= self.unit), 2.0 * np.exp(2.0 * rho[k]), 0.0)[..., :, None] * eye
        return out

    def second(self, rho: np.ndarray, t: np.ndarray, weights: np.ndarray) -> np.ndarray:
        # Every variance depends on one parameter: with a level for every row the general way would cost their square.
        places = t.astype(np.int64).ravel()
        own = np.diagonal(weights, axis1=-2, axis2=-1).ravel()
        sums = np.delete(np.bincount(places, own, self.n_rho + 1), self.unit)
        return np.diag(4.0 * np.exp(2.0 * rho) * sums)

    def display(self, rho: np.ndarray) -> list[Displayed]:
        moves = np.insert(np.eye(self.n_rho), self.unit, 0.0, axis=0)
        values = np.exp(2.0 * self.scales(rho))
        return [
            Displayed(("var",), "e", float(v), "variance", 2.0 * v * moves[k], k, label)
            for k, (label, v) in enumerate(zip(self.labels, values, strict=True))
        ]
