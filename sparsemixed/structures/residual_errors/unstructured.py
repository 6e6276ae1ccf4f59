"""Distinct variances and covariances for every level of t()."""

from __future__ import annotations

from itertools import product

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times

AT_LIMIT = 1e-7
"""Entry of the factor's diagonal, over the length of its row, that is at its limit."""
NONE = 1e-150
"""An entry of the diagonal of which nothing is left in R, and whose logarithm is a number."""

OTHER_CORRELATION = 0.6
"""In size, from which other branches of a profile are looked for."""


class UnstructuredErrors(ResidualStructure):
    """Unstructured errors (manual, `residuals(unstructured)`).

    R = LL' with L lower triangular, its first entry 1 because sigma2 is the first variance; rho holds the logarithms of the other
    diagonal entries, then the entries below the diagonal, row by row. t is the position 0 .. p - 1 among the levels. Where the
    first variance is next to nothing another level is the unit, and its entry is 1.

    Attributes
    ----------
    unit : int
        Position of the level whose entry on L's diagonal is 1.
    band : int
        Places off the diagonal beyond which R and L are zero; here all are free.

    Examples
    --------
    >>> errors = UnstructuredErrors(("0", "4"))
    >>> errors.covariance(np.array([0.0, 0.5]), np.array([0, 1]))
    array([[1.  , 0.5 ],
           [0.5 , 1.25]])
    """

    word, time = "UNstructured", "levels"

    def __init__(self, labels: tuple[str, ...], unit: int = 0):
        self._within(labels, len(labels) - 1, unit)

    def _within(self, labels: tuple[str, ...], band: int, unit: int) -> None:
        """Leave the entries within a band free."""
        self.labels, self.p, self.band, self.unit = labels, len(labels), band, unit
        self.free = np.delete(np.arange(self.p), unit)  # levels whose entry on the diagonal is
        self.below = [(i, j) for i in range(self.p) for j in range(max(0, i - band), i)]
        self.n_rho = self.p - 1 + len(self.below)

    @classmethod
    def build(cls, times: Times, order: int | None) -> UnstructuredErrors:
        assert times.levels is not None
        return cls(times.levels)

    @property
    def title(self) -> str:
        return "Unstructured"

    def scales(self, rho: np.ndarray) -> np.ndarray:
        return np.insert(rho[: self.p - 1], self.unit, 0.0)

    def with_unit(self, unit: int, rho: np.ndarray) -> tuple[UnstructuredErrors, np.ndarray]:
        other = self._of_unit(unit)
        return other, other._rho(self._lower(rho))

    def sizes(self, rho: np.ndarray) -> np.ndarray:
        return np.log(np.linalg.norm(self._lower(rho), axis=1))

    def resized(self, level: int, change: float, rho: np.ndarray) -> np.ndarray:
        own, out = self.parameters_of(level), rho.copy()
        below = np.arange(self.n_rho) >= self.p - 1
        out[own & below] *= np.exp(change)
        out[own & ~below] += change
        return out

    def parameters_of(self, level: int) -> np.ndarray:
        row = np.array([*self.free, *(i for i, _ in self.below)], dtype=np.int64)
        return (row == level) & (level != self.unit)

    def _of_unit(self, unit: int) -> UnstructuredErrors:
        return UnstructuredErrors(self.labels, unit)

    def _lower(self, rho: np.ndarray) -> np.ndarray:
        lower = np.zeros((self.p, self.p), rho.dtype)
        lower[np.arange(self.p), np.arange(self.p)] = np.exp(self.scales(rho))
        for value, (i, j) in zip(rho[self.p - 1 :], self.below, strict=True):
            lower[i, j] = value
        return lower

    def start(self, moments: np.ndarray | None = None) -> np.ndarray:
        """From a (p, p) matrix of pairwise moments when there is one, made positive definite; else independence."""
        if moments is None:
            return np.zeros(self.n_rho)
        scale = np.sqrt(np.diag(moments))
        return self._rho(np.linalg.cholesky(self._positive(moments / np.outer(scale, scale)) * np.outer(scale, scale)))

    def _rho(self, lower: np.ndarray) -> np.ndarray:
        """rho of a factor (p, p) times any number."""
        lower = lower / lower[self.unit, self.unit]
        diagonal = np.maximum(np.diag(lower)[self.free], NONE)
        return np.append(np.log(diagonal), [lower[i, j] for i, j in self.below])

    def at_limit(self, rho: np.ndarray, near: float) -> np.ndarray:
        """Errors that those of earlier levels determine have a zero on the diagonal of L, and none are left below it.

        Beside a zero in L's diagonal the entries below it would only say once more what those to their right do: the same R has
        a factor without them.
        """
        lower = self._lower(rho)
        length = np.linalg.norm(lower, axis=1)
        determined = np.diag(lower) < near * length
        if not determined.any():
            return rho
        rest, out = lower @ lower.T, np.zeros_like(lower)
        for k in range(self.p):
            if determined[k]:
                out[k, k] = min(lower[k, k], AT_LIMIT * length[k])
                continue
            out[k:, k] = rest[k:, k] / np.sqrt(rest[k, k])
            rest = rest - np.outer(out[:, k], out[:, k])
        return self._rho(out)

    def _positive(self, correlation: np.ndarray) -> np.ndarray:
        """The nearest of correlations (p, p) with eigenvalues off zero; with a band, all within it shrunken alike."""
        values, vectors = np.linalg.eigh(correlation)
        if self.band >= self.p - 1:
            return (vectors * np.maximum(values, 1e-3)) @ vectors.T
        place = np.arange(self.p)
        apart = np.abs(place[:, None] - place[None, :])
        beside = np.where((apart > 0) & (apart <= self.band), correlation, 0.0)
        smallest = float(np.linalg.eigvalsh(beside)[0])
        return np.eye(self.p) + beside * min(1.0, 0.9 / max(-smallest, 1e-300))

    def branches(self, rho: np.ndarray) -> list[np.ndarray]:
        """The same variances with correlations of either sign: in all combinations up to four levels, else a few of these."""
        signs = [np.array((1.0, *way)) for way in product((1.0, -1.0), repeat=self.p - 1)] if self.p <= 4 else _one_apart(self.p)
        lower, found = self._lower(rho), []
        size = np.linalg.norm(lower, axis=1)
        for sign in signs:
            correlation = np.where(np.eye(self.p, dtype=bool), 1.0, OTHER_CORRELATION * np.outer(sign, sign))
            found.append(self._rho(np.linalg.cholesky(self._positive(correlation)) * size[:, None]))
        return found

    def others(self, typical: float, moments: np.ndarray | None = None) -> list[np.ndarray]:
        if moments is None:
            return [self.start()]
        full, variances = self.start(moments), np.diag(moments)
        diagonal = np.concatenate([0.5 * np.log(variances[self.free] / variances[self.unit]), np.zeros(len(self.below))])
        half = np.concatenate([diagonal[: self.p - 1], 0.5 * full[self.p - 1 :]])
        return [self.start(), full, diagonal, half]

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        lower = self._lower(rho)
        return _picked(lower @ lower.T, t)

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return _picked(self._derivatives(rho), t)

    def _moves(self, rho: np.ndarray) -> np.ndarray:
        """(n_rho, p, p) derivatives of L."""
        moves = np.zeros((self.n_rho, self.p, self.p), rho.dtype)
        moves[np.arange(self.p - 1), self.free, self.free] = np.exp(rho[: self.p - 1])
        for k, (i, j) in enumerate(self.below):
            moves[self.p - 1 + k, i, j] = 1.0
        return moves

    def _derivatives(self, rho: np.ndarray) -> np.ndarray:
        """(n_rho, p, p) derivatives of LL'."""
        half = self._moves(rho) @ self._lower(rho).T
        return half + half.transpose(0, 2, 1)

    def second(self, rho: np.ndarray, t: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """By d2(LL') = L_k L_l' + L_l L_k' (and L_kk itself for the logarithms), on weights summed by pair of levels."""
        place = t.astype(np.int64)
        W = np.zeros((self.p, self.p))
        np.add.at(W, (place[..., :, None], place[..., None, :]), weights)
        W = (W + W.T) / 2
        moves, lower = self._moves(rho), self._lower(rho)
        flat = moves.reshape(self.n_rho, -1)
        out = 2.0 * (W @ moves).reshape(self.n_rho, -1) @ flat.T
        own = np.arange(self.p - 1)
        out[own, own] += 2.0 * lower[self.free, self.free] * (W @ lower)[self.free, self.free]
        return out

    def display(self, rho: np.ndarray) -> list[Displayed]:
        lower = self._lower(rho)
        R, d = lower @ lower.T, self._derivatives(rho)
        rows = [Displayed(("var", i), f"e{a}", float(R[i, i]), "variance", d[:, i, i]) for i, a in enumerate(self.labels)]
        for i in range(self.p):
            for j in range(i + 1, min(self.p, i + self.band + 1)):
                pair = f"e{self.labels[i]},e{self.labels[j]}"
                rows.append(Displayed(("cov", i, j), pair, float(R[i, j]), "covariance", d[:, i, j]))
        return rows


def _one_apart(p: int) -> list[np.ndarray]:
    """Signs (p,): all alike, each one apart, and in turn."""
    return [np.ones(p), *(1.0 - 2.0 * np.eye(p)), (-1.0) ** np.arange(p)]


def _picked(matrices: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Rows and columns t (..., m) of the last two axes."""
    place = t.astype(np.int64)
    return matrices[..., place[..., :, None], place[..., None, :]]
