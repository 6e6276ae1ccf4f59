"""by(): the same family with parameters of its own in every level of a variable that is constant within groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times


class ByLevel(ResidualStructure):
    """One structure per level; R of level k is exp(2 delta_k) R_k, but R_k of the `unit`, whose scale is sigma2.

    t (..., m, 2) carries the times and, constant within a group, the level's position.

    Parameters
    ----------
    structures : tuple of ResidualStructure
    labels : tuple of str
        The levels as printed.
    unit : int
        Position of the level that has no delta.

    Attributes
    ----------
    inside : list of slice
        Where the parameters of each level's structure stand in rho, after its delta.
    """

    def __init__(self, structures: tuple[ResidualStructure, ...], labels: tuple[str, ...], unit: int = 0):
        self.structures, self.labels, self.unit = structures, labels, unit
        self.order = structures[0].order
        sizes = [s.n_rho + (k != unit) for k, s in enumerate(structures)]
        stops = np.cumsum(sizes)
        self.n_rho = int(stops[-1])
        self.slices = [slice(int(e - n), int(e)) for e, n in zip(stops, sizes, strict=True)]
        self.inside = [slice(s.start + (k != unit), s.stop) for k, s in enumerate(self.slices)]

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
        return rho[self.slices[k].start] if k != self.unit else 0.0, rho[self.inside[k]]

    def _joined(self, scales: np.ndarray, own: Sequence[np.ndarray], unit: int) -> np.ndarray:
        """rho of these scales and parameters of the levels, with that level as the unit."""
        return np.concatenate([part if k == unit else np.append(scales[k], part) for k, part in enumerate(own)])

    def scales(self, rho: np.ndarray) -> np.ndarray:
        return np.array([self._split(k, rho)[0] for k in range(len(self.structures))])

    def with_unit(self, unit: int, rho: np.ndarray) -> tuple[ByLevel, np.ndarray]:
        scales = self.scales(rho)
        moved = self._joined(scales - scales[unit], [rho[own] for own in self.inside], unit)
        return ByLevel(self.structures, self.labels, unit), moved

    def resized(self, level: int, change: float, rho: np.ndarray) -> np.ndarray:
        out = rho.copy()
        if level != self.unit:
            out[self.slices[level].start] += change
        return out

    def parameters_of(self, level: int) -> np.ndarray:
        out = np.zeros(self.n_rho, bool)
        out[self.slices[level]] = level != self.unit
        return out

    def start(self, moments: np.ndarray | None = None) -> np.ndarray:
        return self._joined(np.zeros(len(self.structures)), [s.start(moments) for s in self.structures], self.unit)

    def at_limit(self, rho: np.ndarray, near: float) -> np.ndarray:
        parts = [rho[own] for own in self.inside]
        moved = [s.at_limit(own, near) for own, s in zip(parts, self.structures, strict=True)]
        if all(there is own for own, there in zip(parts, moved, strict=True)):
            return rho
        return self._joined(self.scales(rho), moved, self.unit)

    @property
    def angles(self) -> np.ndarray:
        found = np.zeros(self.n_rho, bool)
        for own, structure in zip(self.inside, self.structures, strict=True):
            found[own] = structure.angles
        return found

    def closed(self, rho: np.ndarray) -> tuple[ResidualStructure, np.ndarray]:
        pairs = [s.closed(rho[own]) for own, s in zip(self.inside, self.structures, strict=True)]
        structures = tuple(structure for structure, _ in pairs)
        if structures == self.structures:
            return self, rho
        return ByLevel(structures, self.labels, self.unit), self._joined(self.scales(rho), [own for _, own in pairs], self.unit)

    def branches(self, rho: np.ndarray) -> list[np.ndarray]:
        """Those of each level, the others staying where they are, and of all of them at once."""
        each = [s.branches(rho[own]) for own, s in zip(self.inside, self.structures, strict=True)]
        alone = [[(own, place)] for own, places in zip(self.inside, each, strict=True) for place in places]
        together = [list(zip(self.inside, places, strict=True)) for places in zip(*each, strict=False)]
        found = []
        for moves in [*alone, *together]:
            out = rho.copy()
            for own, place in moves:
                out[own] = place
            found.append(out)
        return found

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
                factor = np.where(both, np.exp(2.0 * scale), 0.0)
                if k != self.unit:
                    out[self.slices[k].start, picked] = 2.0 * factor * structure.covariance(own, times[picked])
                change = structure.dcovariance(own, times[picked])
                for j in range(structure.n_rho):
                    out[self.inside[k].start + j, picked] = factor * change[j]
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
            first, rest = self.slices[k].start, self.inside[k]
            out[rest, rest] = structure.second(own, times[picked], inside)
            if k != self.unit:
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
                gradient[self.inside[k]] = p.gradient * (factor if relative else 1.0)
                if k != self.unit and relative:
                    gradient[self.slices[k].start] = 2.0 * value
                rows.append(replace(p, value=value, gradient=gradient, level=k, level_label=label))
        return rows
