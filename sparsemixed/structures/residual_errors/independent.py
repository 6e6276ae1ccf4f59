"""Independent errors, with one variance or one for each level of by()."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times


class IndependentErrors(ResidualStructure):
    """Heteroskedastic independent errors (manual, `residuals(independent, by(varname))`).

    sigma2 is the first level's variance; rho holds log(sd_k / sd_1) of the others. t is the level's position, which may vary
    within a group.

    Examples
    --------
    >>> IndependentErrors(("a", "b")).covariance(np.log([2.0]), np.array([0, 1]))
    array([[1., 0.],
           [0., 4.]])
    """

    word, time, independent_rows = "INDependent", "none", True

    def __init__(self, labels: tuple[str, ...]):
        self.labels = labels
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

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        variances = np.append([1.0], np.exp(2.0 * rho))[t.astype(np.int64)]
        return variances[..., :, None] * np.eye(t.shape[-1])

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        place, eye = t.astype(np.int64), np.eye(t.shape[-1])
        out = np.zeros((self.n_rho, *t.shape, t.shape[-1]), rho.dtype)
        for k in range(self.n_rho):
            out[k] = np.where(place == k + 1, 2.0 * np.exp(2.0 * rho[k]), 0.0)[..., :, None] * eye
        return out

    def second(self, rho: np.ndarray, t: np.ndarray, weights: np.ndarray) -> np.ndarray:
        # Every variance depends on one parameter: with a level for every row the general way would cost their square.
        places = t.astype(np.int64).ravel()
        own = np.diagonal(weights, axis1=-2, axis2=-1).ravel()
        sums = np.bincount(places, own, self.n_rho + 1)[1:]
        return np.diag(4.0 * np.exp(2.0 * rho) * sums)

    def display(self, rho: np.ndarray) -> list[Displayed]:
        unit = np.vstack([np.zeros(self.n_rho), np.eye(self.n_rho)])
        values = np.append([1.0], np.exp(2.0 * rho))
        return [
            Displayed(("var",), "e", float(v), "variance", 2.0 * v * unit[k], k, label)
            for k, (label, v) in enumerate(zip(self.labels, values, strict=True))
        ]
