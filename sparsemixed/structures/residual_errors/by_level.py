"""by(): the same family with parameters of its own in every level of a variable that is constant within groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times


class ByLevel(ResidualStructure):
    """One structure per level; R of level k > 1 is exp(2 delta_k) R_k, so that sigma2 is the first level's scale.

    t (..., m, 2) carries the times and, constant within a group, the level's position.

    Parameters
    ----------
    structures : tuple of ResidualStructure
    labels : tuple of str
        The levels as printed.
    """

    def __init__(self, structures: tuple[ResidualStructure, ...], labels: tuple[str, ...]):
        self.structures, self.labels = structures, labels
        self.order = structures[0].order
        sizes = [s.n_rho + (k > 0) for k, s in enumerate(structures)]
        stops = np.cumsum(sizes)
        self.n_rho = int(stops[-1])
        self.slices = [slice(int(e - n), int(e)) for e, n in zip(stops, sizes, strict=True)]

    @classmethod
    def build(cls, times: Times, order: int | None) -> ByLevel:
        raise NotImplementedError("made of the structures of its levels")

    @property
    def title(self) -> str:
        return self.within_level.title

    @property
    def within_level(self) -> ResidualStructure:
        return self.structures[0]

    @property
    def by_labels(self) -> tuple[str, ...]:
        return self.labels

    def _split(self, k: int, rho: np.ndarray) -> tuple[float, np.ndarray]:
        """log scale and the structure's own parameters."""
        part = rho[self.slices[k]]
        return (part[0], part[1:]) if k else (0.0, part)

    def start(self, moments: np.ndarray | None = None) -> np.ndarray:
        parts = [np.append(np.zeros(int(k > 0)), s.start(moments)) for k, s in enumerate(self.structures)]
        return np.concatenate(parts)

    def at_limit(self, rho: np.ndarray) -> np.ndarray:
        parts = [(*self._split(k, rho), s) for k, s in enumerate(self.structures)]
        moved = [(scale, own, s.at_limit(own)) for scale, own, s in parts]
        if all(there is own for _, own, there in moved):
            return rho
        return np.concatenate([there if k == 0 else np.append(scale, there) for k, (scale, _, there) in enumerate(moved)])

    def _picked(self, k: int, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which sets of times have rows of level k, and which pairs of their rows both do.

        A set of rows that random effects tie together can hold residual groups of several levels.
        """
        own = t[..., 1] == k
        picked = own.any(axis=-1)
        return picked, own[picked][..., :, None] & own[picked][..., None, :]

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        times = t[..., 0]
        out = np.zeros((*times.shape, times.shape[-1]), rho.dtype)
        for k, structure in enumerate(self.structures):
            picked, both = self._picked(k, t)
            if picked.any():
                scale, own = self._split(k, rho)
                out[picked] += np.where(both, np.exp(2.0 * scale) * structure.covariance(own, times[picked]), 0.0)
        return out

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        times = t[..., 0]
        out = np.zeros((self.n_rho, *times.shape, times.shape[-1]), rho.dtype)
        for k, structure in enumerate(self.structures):
            picked, both = self._picked(k, t)
            if picked.any():
                scale, own = self._split(k, rho)
                first = self.slices[k].start
                factor = np.where(both, np.exp(2.0 * scale), 0.0)
                if k:
                    out[first, picked] = 2.0 * factor * structure.covariance(own, times[picked])
                change = structure.dcovariance(own, times[picked])
                for j in range(structure.n_rho):
                    out[first + (k > 0) + j, picked] = factor * change[j]
        return out

    def second(self, rho: np.ndarray, t: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Level by level, each in its family's own way: no parameter enters two of them."""
        times, out = t[..., 0], np.zeros((self.n_rho, self.n_rho))
        for k, structure in enumerate(self.structures):
            picked, both = self._picked(k, t)
            if not picked.any():
                continue
            scale, own = self._split(k, rho)
            inside = np.where(both, np.exp(2.0 * scale) * weights[picked], 0.0)
            first, stop = self.slices[k].start, self.slices[k].stop
            rest = slice(first + (k > 0), stop)
            out[rest, rest] = structure.second(own, times[picked], inside)
            if k:
                out[first, first] = 4.0 * np.sum(inside * structure.covariance(own, times[picked]))
                mixed = 2.0 * np.tensordot(structure.dcovariance(own, times[picked]), inside, axes=inside.ndim)
                out[first, rest] = out[rest, first] = mixed
        return out

    def display(self, rho: np.ndarray) -> list[Displayed]:
        rows = []
        for k, (structure, label) in enumerate(zip(self.structures, self.labels, strict=True)):
            scale, own = self._split(k, rho)
            factor = float(np.exp(2.0 * scale))
            for p in structure.display(own):
                relative = p.kind in ("variance", "covariance")
                value = p.value * (factor if relative else 1.0)
                gradient = np.zeros(self.n_rho)
                where = self.slices[k]
                gradient[where.start + (k > 0) : where.stop] = p.gradient * (factor if relative else 1.0)
                if k and relative:
                    gradient[where.start] = 2.0 * value
                rows.append(replace(p, value=value, gradient=gradient, level=k, level_label=label))
        return rows
