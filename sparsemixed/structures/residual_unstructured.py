"""Distinct variances and covariances for every level of t(), all of them or those within a band."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Parameter
from sparsemixed.structures.residual import ResidualStructure


class UnstructuredErrors(ResidualStructure):
    """Unstructured or banded errors (manual, `residuals(unstructured)`, `residuals(banded #)`).

    R = LL' with L lower triangular of the same bandwidth (a banded positive definite matrix has a banded factor), its first
    entry 1 because sigma2 is the first variance; rho holds the logarithms of the other diagonal entries, then the entries
    below the diagonal, row by row. t is the position 0 .. p - 1 among the levels.

    Examples
    --------
    >>> errors = UnstructuredErrors(("0", "4"))
    >>> errors.covariance(np.array([0.0, 0.5]), np.array([0, 1]))
    array([[1.  , 0.5 ],
           [0.5 , 1.25]])
    """

    name, time = "unstructured", "level"

    def __init__(self, labels: tuple[str, ...], band: int | None = None):
        self.labels, self.p = labels, len(labels)
        self.band = self.p - 1 if band is None else band
        self.below = [(i, j) for i in range(self.p) for j in range(max(0, i - self.band), i)]
        self.n_rho = self.p - 1 + len(self.below)

    @property
    def title(self) -> str:
        return "Unstructured" if self.band == self.p - 1 else f"Banded({self.band})"

    def _lower(self, rho: np.ndarray) -> np.ndarray:
        lower = np.zeros((self.p, self.p), rho.dtype)
        lower[np.arange(self.p), np.arange(self.p)] = np.append([1.0], np.exp(rho[: self.p - 1]))
        for value, (i, j) in zip(rho[self.p - 1 :], self.below, strict=True):
            lower[i, j] = value
        return lower

    def start(self, moments: np.ndarray | None = None) -> np.ndarray:
        """From a (p, p) matrix of pairwise moments when there is one, made positive definite; else independence."""
        if moments is None:
            return np.zeros(self.n_rho)
        scale = np.sqrt(np.diag(moments))
        values, vectors = np.linalg.eigh(moments / np.outer(scale, scale))
        correlation = (vectors * np.maximum(values, 1e-3)) @ vectors.T
        lower = np.linalg.cholesky(correlation * np.outer(scale, scale))
        lower /= lower[0, 0]
        return np.concatenate([np.log(np.diag(lower))[1:], [lower[i, j] for i, j in self.below]])

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        lower = self._lower(rho)
        return _picked(lower @ lower.T, t)

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.array([_picked(matrix, t) for matrix in self._derivatives(rho)]).reshape(self.n_rho, *t.shape, t.shape[-1])

    def _derivatives(self, rho: np.ndarray) -> np.ndarray:
        """(n_rho, p, p) derivatives of LL'."""
        lower = self._lower(rho)
        moves = np.zeros((self.n_rho, self.p, self.p), rho.dtype)
        for k in range(1, self.p):
            moves[k - 1, k, k] = lower[k, k]
        for k, (i, j) in enumerate(self.below):
            moves[self.p - 1 + k, i, j] = 1.0
        half = moves @ lower.T
        return half + half.transpose(0, 2, 1)

    def display(self, rho: np.ndarray) -> list[Parameter]:
        lower = self._lower(rho)
        R, d = lower @ lower.T, self._derivatives(rho)
        rows = [Parameter(f"var(e{a})", float(R[i, i]), "variance", d[:, i, i]) for i, a in enumerate(self.labels)]
        for i in range(self.p):
            for j in range(i + 1, min(self.p, i + self.band + 1)):
                label = f"cov(e{self.labels[i]},e{self.labels[j]})"
                rows.append(Parameter(label, float(R[i, j]), "covariance", d[:, i, j]))
        return rows


def _picked(matrix: np.ndarray, t: np.ndarray) -> np.ndarray:
    place = t.astype(np.int64)
    return matrix[place[..., :, None], place[..., None, :]]
