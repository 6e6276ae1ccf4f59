"""The maximum that profiles start from, and the directions in which they leave it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.inference.profile.jets import Jet, Psi
from sparsemixed.inference.profile.surface import Local, Surface

FLAT = 1e-11
"""Curvature in parameters of unit curvature that counts as none."""
SLOPELESS = 1e-6
"""Share of what its curvature does to psi, below which the slope of psi is rounding: at a variance of zero."""
EXACT = 1e-12
"""Newton decrement, in units of the deviance, beyond which one more step is taken to the maximum."""
ASCENTS = 8
"""Steps towards the largest psi of an ellipsoid, which cost no evaluation."""


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

    @property
    def freed(self) -> Peak:
        """The same place with parameters of the errors free that have run off to a limit."""
        return replace(self, surface=self.surface.freed())

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
    diagonal = np.abs(np.diag(at.hessian))
    unit = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(at.hessian * np.outer(unit, unit))
    seen = values > FLAT
    whitening = (unit[:, None] * vectors[:, seen]) / np.sqrt(values[seen])
    scale = np.sqrt(np.sum(whitening**2, axis=1))
    return Peak(surface, at.x, at.deviance, at.gradient, at.hessian, whitening, np.where(scale > 0, scale, 1.0))


def first_place(peak: Peak, psi: Psi, side: int, q: float) -> np.ndarray | None:
    """Where psi is largest (side 1) or smallest (-1) if the deviance were the quadratic of its Hessian and had risen by q.

    From x + sqrt(2q) inv(H) grad psi / |grad psi|, the start of Venzon and Moolgavkar, by steps along the sphere to where psi
    itself ends, not its tangent. At a variance of zero, where psi has no slope, along its largest curvature. None where psi
    goes nowhere on this side.
    """
    radius, W = np.sqrt(2.0 * q), peak.whitening
    jet = psi(peak.x)
    if not jet.defined or not W.shape[1]:
        return None
    slope, bend = side * W.T @ jet.gradient, side * W.T @ jet.hessian @ W
    values, vectors = np.linalg.eigh((bend + bend.T) / 2)
    length = float(np.linalg.norm(slope))
    if length <= SLOPELESS * radius * np.abs(values).max(initial=0.0):
        if not values[-1] > SLOPELESS * np.abs(values).max(initial=0.0):
            return None
        z = radius * vectors[:, -1]
    else:
        z = radius * slope / length
    best, value = z, side * psi(peak.x + W @ z).value
    for _ in range(ASCENTS):
        there = psi(peak.x + W @ best)
        push = side * W.T @ there.gradient + best * (np.abs(values).max(initial=0.0) if values[0] < 0 else 0.0)
        size = float(np.linalg.norm(push))
        if not there.defined or not size > 0:
            break
        moved = radius * push / size
        new = side * psi(peak.x + W @ moved).value
        if not new > value * (1.0 + np.sign(value) * 1e-6):
            break
        best, value = moved, new
    return peak.x + W @ best if np.isfinite(value) else None
