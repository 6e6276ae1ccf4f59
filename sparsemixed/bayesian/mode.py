"""Modes of the posterior in unconstrained coordinates, by Newton steps within a trust region."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.bayesian.coordinates import LARGEST_START
from sparsemixed.bayesian.target import Target
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.search.trust_region import step_within

BELOW = np.arange(0.0, 12.1, 0.75)
"""How far below the mode, in log sd, a second one is looked for."""
APART = 0.5
"""Mahalanobis distance beyond which two ends are two modes."""
REACHES, FALL = np.array([3.0, 4.0, 5.5, 7.5, 10.0, 14.0, 20.0]), 7.0
"""Standard deviations below the mode at which a tail is looked for, and the fall of the log density that ends it."""
GRADIENT = 1e-2
"""At which a search ends: below a hundredth of a standard deviation where the curvature is one or more."""
STEPS, RADIUS, WORST = 60, 1.0, 0.15
"""Of a search: steps, the first radius of trust, and the share of the rise that the curvature promises below which a step is not
taken."""
FLATTEST, STEEPEST = 0.02, 1e8
"""Eigenvalues of a mode's precision: scales in log sd beyond 7 are none of a mode's neighbourhood."""


@dataclass(frozen=True)
class Mode:
    """A maximum: where (n,), the log density there, and the covariance (n, n) that its curvature suggests.

    `tails` has the coordinates along which the density falls more slowly than the curvature says, how far it reaches, and the
    coordinates of correlations that are lost on the way.
    """

    phi: np.ndarray
    log_density: float
    covariance: np.ndarray
    tails: tuple[tuple[int, float, tuple[int, ...]], ...] = ()

    @property
    def log_mass(self) -> float:
        """Laplace's approximation of the integral around it, but for a constant."""
        return self.log_density + 0.5 * float(np.linalg.slogdet(self.covariance)[1])


def find_modes(target: Target, start: np.ndarray, search: bool = True) -> list[Mode]:
    """The mode that `start` leads to, first, and others that starts beside it lead to.

    Raises
    ------
    NumericalError
        The density is no number at any start.
    """
    found = [mode for mode in (_mode(target, start),) if mode is not None]
    if search:
        origin = found[0].phi if found else start
        for place in _rises(target, origin):
            mode = _mode(target, place)
            if mode is not None and all(_apart(mode, other) for other in found):
                found.append(mode)
    if not found:
        raise NumericalError("bayes: the posterior density is no number anywhere near the fit: its priors exclude the data")
    best = max(mode.log_mass for mode in found)
    return [replace(mode, tails=_tails(target, mode)) for mode in found if mode.log_mass > best - 12.0]


def _tails(target: Target, mode: Mode) -> tuple[tuple[int, float, tuple[int, ...]], ...]:
    """Log standard deviations may go far below the mode: where few groups hardly tell a variance from zero."""
    scales = _scales(target)
    if not scales:
        return ()
    sizes = np.array([1.0 / np.sqrt(np.linalg.inv(mode.covariance)[k, k]) for k in scales])
    moves = np.zeros((len(scales), len(REACHES), len(mode.phi)))
    for i, k in enumerate(scales):
        moves[i, :, k] = -REACHES * sizes[i]
    values = target.log_density((mode.phi + moves).reshape(-1, len(mode.phi))).reshape(len(scales), -1)
    found = []
    for k, size, fall in zip(scales, sizes, mode.log_density - values, strict=True):
        inside = np.flatnonzero(fall < FALL)
        if inside.size and inside[-1] > 0:
            found.append((k, float(REACHES[inside[-1]] * size), _lost(target, k)))
    return tuple(found)


def _lost(target: Target, k: int) -> tuple[int, ...]:
    """Coordinates of the correlations of the effect whose log standard deviation has place k."""
    whole = int(target.free[k])
    for block in target.blocks:
        where = block.place.theta
        if where.start <= whole < where.stop:
            lost = [where.start + j for j in block.correlations_of(whole - where.start)]
            return tuple(int(np.flatnonzero(target.free == j)[0]) for j in lost if j in target.free)
    return ()


def _rises(target: Target, origin: np.ndarray) -> list[np.ndarray]:
    """Places below the mode, along single log standard deviations, beyond which the density rises again."""
    scales = _scales(target)
    if not scales:
        return []
    moves = np.zeros((len(scales), len(BELOW), len(origin)))
    for i, k in enumerate(scales):
        moves[i, :, k] = -BELOW
    places = origin + moves
    values = target.log_density(places.reshape(-1, len(origin))).reshape(len(scales), -1)
    rises = [np.flatnonzero(np.diff(row) > 0.0) for row in values]
    return [places[i, rise[-1] + 1] for i, rise in enumerate(rises) if rise.size]


def _scales(target: Target) -> list[int]:
    """Free coordinates that are log standard deviations of random effects."""
    scales = []
    for block in target.blocks:
        first = block.place.theta.start
        diagonal = getattr(block, "diagonal", np.ones(block.size, bool))
        scales += [first + int(k) for k in np.flatnonzero(diagonal)]
    return [int(np.flatnonzero(target.free == k)[0]) for k in scales if k in target.free]


def _apart(one: Mode, other: Mode) -> bool:
    difference = one.phi - other.phi
    return float(difference @ np.linalg.solve(other.covariance, difference)) > APART


def _mode(target: Target, start: np.ndarray) -> Mode | None:
    """The maximum that Newton steps within a radius of trust lead to (Nocedal & Wright 2006, section 4.1); None without one."""
    try:
        phi, value = start, _density(target, start)
        if not np.isfinite(value):
            return None
        gradient, values, vectors = _curvature(target, phi)
        radius = RADIUS
        for _ in range(STEPS):
            if np.linalg.norm(gradient) < GRADIENT:
                break
            slope = vectors.T @ gradient
            step = step_within(values, -slope, radius)
            promised = float(slope @ step - 0.5 * step @ (values * step))
            there = phi + vectors @ step
            risen = _density(target, there) - value
            length, share = float(np.linalg.norm(step)), risen / promised
            if not share > 0.25:
                radius = 0.25 * length
            elif share > 0.75 and length > 0.99 * radius:
                radius = min(2.0 * radius, LARGEST_START)
            if share > WORST:
                phi, value = there, value + risen
                gradient, values, vectors = _curvature(target, phi)
    except (NumericalError, np.linalg.LinAlgError):
        return None
    values = np.clip(np.abs(values), FLATTEST, STEEPEST)
    return Mode(phi, value, (vectors / values) @ vectors.T)


def _density(target: Target, phi: np.ndarray) -> float:
    return float(target.log_density(phi[None])[0])


def _curvature(target: Target, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradient (n,), and eigenvalues (n,) and vectors (n, n) of the precision."""
    gradient, hessian = target.derivatives(phi)
    values, vectors = np.linalg.eigh(-hessian)
    return gradient, values, vectors
