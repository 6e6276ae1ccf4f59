"""The maximum that profiles start from, and the directions in which they leave it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import copysign, isfinite, sqrt

import numpy as np

from sparsemixed.inference.profile.jets import Jet, Psi
from sparsemixed.inference.profile.local import Local
from sparsemixed.inference.profile.surface import Surface

FLAT = 1e-11
"""Curvature in parameters of unit curvature that counts as none."""
SLOPELESS = 1e-6
"""Share of what its curvature does to psi, below which the slope of psi is rounding: at a variance of zero."""
EXACT = 1e-12
"""Newton decrement, in units of the deviance, beyond which one more step is taken to the maximum."""
ASCENTS, LEAST_ASCENT = 8, 1e-3
"""Steps towards the largest psi of an ellipsoid, which cost no evaluation; share of psi below which no other is worth it."""


@dataclass(frozen=True)
class Peak:
    """The maximum of the likelihood in the coordinates of a surface.

    Attributes
    ----------
    surface : Surface
    x : (size,) float64
    deviance : float
    gradient, hessian : (size,), (size, size) float64
        Of the deviance; H below.
    whitening : (size, k) float64
        W with W'HW = I: directions of no curvature are left out.
    scale : (size,) float64
        Roots of the diagonal of inv(H): the size of a step in each coordinate.
    """

    surface: Surface
    x: np.ndarray
    deviance: float
    gradient: np.ndarray
    hessian: np.ndarray
    whitening: np.ndarray
    scale: np.ndarray
    _jets: dict[int, tuple[Psi, Jet]] = field(default_factory=dict, repr=False)

    def jet(self, psi: Psi) -> Jet:
        """A function here; kept, because every limit asks for it several times."""
        key = id(psi)
        if key not in self._jets:
            self._jets[key] = psi, psi(self.x)
        return self._jets[key][1]

    @property
    def freed(self) -> Peak:
        """The same place with parameters of the errors free that have run off to a limit."""
        return replace(self, surface=self.surface.freed())

    @property
    def flat(self) -> np.ndarray:
        """(n_theta,) bool: parameters on which, to second order, the deviance does not depend."""
        return ~np.any(self.whitening, axis=1)[: self.surface.n_theta]

    def spread(self, jet: Jet) -> float:
        """grad psi' inv(H) grad psi, of a jet at the peak."""
        half = self.whitening.T @ jet.gradient
        return float(half @ half)


def peak_at(surface: Surface, x: np.ndarray) -> Peak:
    """The peak next to x, where a search has ended."""
    at = surface.at(x)
    found = _peak(surface, at)
    half = found.whitening.T @ at.gradient
    if 0.5 * half @ half <= EXACT:
        return found
    moved = surface.tried(x - found.whitening @ half)
    return found if moved is None or moved.deviance >= at.deviance else _peak(surface, moved)


def _peak(surface: Surface, at: Local) -> Peak:
    hessian, border = at.hessian.copy(), surface.border.on(at.x)
    hessian[border] = hessian[:, border] = 0.0  # but for rounding, which scales below would make something of
    # Those that the deviance depends on alone: among all, rounding would give the others a scale in which nothing moves.
    own = np.flatnonzero(np.any(hessian, axis=1))
    part = hessian[np.ix_(own, own)]
    diagonal = np.abs(np.diag(part))
    unit = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(part * np.outer(unit, unit))
    seen = values > FLAT
    whitening = np.zeros((at.x.size, int(seen.sum())))
    whitening[own] = (unit[:, None] * vectors[:, seen]) / np.sqrt(values[seen])
    scale = np.sqrt(np.sum(whitening**2, axis=1))
    return Peak(surface, at.x, at.deviance, at.gradient, hessian, whitening, np.where(scale > 0, scale, 1.0))


def first_place(peak: Peak, psi: Psi, side: int, q: float) -> np.ndarray | None:
    """Where psi is largest (side 1) or smallest (-1) if the deviance were the quadratic of its Hessian and had risen by q.

    From x + sqrt(2q) inv(H) grad psi / |grad psi|, the start of Venzon and Moolgavkar, by steps along the sphere to where psi
    itself ends, not its tangent. At a variance of zero, where psi has no slope, along its largest curvature. None where psi
    goes nowhere on this side.
    """
    radius, W = sqrt(2.0 * q), peak.whitening
    jet = peak.jet(psi)
    if not jet.defined or not W.shape[1]:
        return None
    slope, bend = side * (W.T @ jet.gradient), side * (W.T @ jet.hessian @ W)
    largest, highest, least, way = _bends(bend)
    length = sqrt(float(slope @ slope))
    if length <= SLOPELESS * radius * largest:
        if not highest > SLOPELESS * largest:
            return None
        z = radius * way
    else:
        z = radius * slope / length
    there = psi(peak.x + W @ z)
    best, value, shift = z, side * there.value, largest if least < 0.0 else 0.0
    for _ in range(ASCENTS):
        push = side * (W.T @ there.gradient) + best * shift
        size = sqrt(float(push @ push))
        if not there.defined or not size > 0:
            break
        moved = radius * push / size
        there = psi(peak.x + W @ moved)
        new = side * there.value
        if not new > value * (1.0 + copysign(LEAST_ASCENT, value)):
            break
        best, value = moved, new
    return peak.x + W @ best if isfinite(value) else None


def _bends(bend: np.ndarray) -> tuple[float, float, float, np.ndarray]:
    """The largest size, the highest and the least of the eigenvalues of a bend of psi, and the direction of the highest."""
    if not bend.any():
        return 0.0, 0.0, 0.0, np.zeros(len(bend))
    values, vectors = np.linalg.eigh((bend + bend.T) / 2)
    return float(max(-values[0], values[-1])), float(values[-1]), float(values[0]), vectors[:, -1]
