"""Limits of a profile by direct root finding (Venzon & Moolgavkar 1988).

Where the profile of psi meets the deviance d_min + q, the gradient of the deviance is a multiple of that of psi:

    d(x) = d_min + q,    g(x) = lambda grad psi(x).

Newton's method solves for (x, lambda), with the exact Hessian. By the envelope theorem lambda is the slope of the profile there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dgesv, dpotrf

from sparsemixed.inference.profile.jets import Jet, Psi
from sparsemixed.inference.profile.local import Local
from sparsemixed.inference.profile.peak import Peak

MOST_STEPS = 25
LAST_STEP, LAST_ERROR = 1e-6, 1e-10
"""Length of a step, in units of the distance that the deviance's rise by q stands for, after which no other is taken: Newton
squares it. With exact Hessians it is known how far, and the error that a step leaves decides."""
LONGEST = 0.75
"""The same of the longest step."""
SHRINKING = 0.5
"""Length of a step, over that of the one before, beyond which a Hessian that was learnt is computed."""
INDEFINITE = -1e-6
"""Scaled curvature across the profile below which a place is no minimum of the deviance for its psi."""
NOTHING = 1e-9
"""Share of a coordinate's scale that is zero: beside a variance of zero, rounding by which second derivatives are divided."""
MOST_ESCAPES = 3
STRIDES = (0.1, 0.3, 1.0, 2.0)
"""Steps from a saddle that are tried, in units of the scale of the peak."""
INWARD = tuple(0.12 * 1.25**k for k in range(11))
"""Angles from the border that are tried, for as long as the deviance falls."""
INSIDE = 1e-8
"""By how much a deviance has to be lower there."""
SMALLEST_PIVOT = 1e-8
"""Share of the largest entry of the equations of a step, down to which elimination is as good as least squares."""
NOT_RISEN = 1e-6
"""Share of a rise of the deviance that may be missing where Newton's method ends."""
MOST_MOVED = 1e-3
"""Change of the deviance with the last step to a value of psi."""
TINY = np.finfo(float).tiny
LOWER = 1e-6
"""By how much a deviance has to be below that of the peak to be another, lower minimum."""


@dataclass(frozen=True)
class Place:
    """A point of a profile.

    Attributes
    ----------
    x : (size,) float64
    value : float
        psi there.
    deviance : float
        Above that of the peak.
    slope : float
        lambda, by how much the deviance rises with psi along the profile.
    start : (size,) float64 or None
        Where the search for it began.
    """

    x: np.ndarray
    value: float
    deviance: float
    slope: float
    start: np.ndarray | None = None


class LowerDeviance(Exception):  # noqa: N818  not an error: what was found is told to the user
    """A deviance below that of the peak."""

    def __init__(self, x: np.ndarray, drop: float):
        super().__init__()
        self.x, self.drop = x, drop


class Wanted(NamedTuple):
    """What a place of the profile is to be: its side of the peak, and either the rise of the deviance there or psi's value.

    side : {-1, 1}
        Whether psi falls or rises from the peak.
    """

    side: int
    rise: float | None = None
    value: float | None = None


def root(peak: Peak, psi: Psi, side: int, q: float, start: np.ndarray) -> Place | None:
    """The place of the profile on one side where the deviance has risen by q, from a start near it.

    None where Newton's method does not end at one.

    Raises
    ------
    LowerDeviance
        The fit was not at the lowest deviance.
    """
    return _found(peak, psi, Wanted(side, rise=q), start)


def place_at(peak: Peak, psi: Psi, side: int, value: float, start: np.ndarray) -> Place | None:
    """The place of the profile where psi has a value: the lowest deviance there; else as `root`."""
    return _found(peak, psi, Wanted(side, value=value), start)


def _found(peak: Peak, psi: Psi, wanted: Wanted, start: np.ndarray) -> Place | None:
    x = start
    for escapes in range(MOST_ESCAPES + 1):
        end = _solved(peak, psi, wanted, x, borders=escapes % 2 == 0)
        if end is None or end.escape is None:
            return None if end is None else end.place
        x = end.escape
    return None


class _End(NamedTuple):
    """Where Newton's method ended: a place of the profile, or where to go on from a saddle of the deviance."""

    place: Place | None = None
    escape: np.ndarray | None = None


def _solved(peak: Peak, psi: Psi, wanted: Wanted, start: np.ndarray, borders: bool) -> _End | None:
    x, middle, model = start, peak.jet(psi).value, HessianModel(peak)
    length = 1.0 if wanted.rise is None else np.sqrt(2.0 * wanted.rise)
    at = _reached(peak, peak.x, x)
    for _ in range(MOST_STEPS):
        jet = None if at is None else psi(at.x)
        if at is None or jet is None or not jet.defined:
            return None
        slope = _multiplier(at, jet, peak)
        lagrangian = model.at(at) - slope * jet.hessian
        step, change = _newton(peak, at, jet, slope, wanted, lagrangian)
        size = _length(step / peak.scale) / length
        if not isfinite(size):
            return None
        if size <= LAST_STEP or model.error_after(size) <= LAST_ERROR:
            escape = _escape(peak, psi, at, jet, slope, lagrangian)
            if escape is None:
                escape = _inward(peak, psi, at, slope)
            if escape is not None:
                return _End(escape=escape)
            slope += change
            rise = at.deviance + float(at.gradient @ step) - peak.deviance if wanted.rise is None else wanted.rise
            place = Place(at.x + step, psi(at.x + step).value, rise, slope, start)
            ours = wanted.side * (place.value - middle) > 0 and (wanted.side * slope > 0 or wanted.rise is None)
            return _End(place) if ours and _risen(peak, at, step, wanted) else None
        model.judge(size)
        x = at.x + step * min(1.0, LONGEST / size)
        at = _reached(peak, at.x, peak.surface.border.reached(x) if borders else x)
    return None


def _risen(peak: Peak, at: Local, step: np.ndarray, wanted: Wanted) -> bool:
    """Whether the last step leads to the rise that is wanted: where the deviance goes level, steps end without it.

    Where none is, a step that is short beside a scale of the peak must not be long for the deviance.
    """
    if wanted.rise is None:
        return abs(float(at.gradient @ step)) <= MOST_MOVED
    left = at.deviance + float(at.gradient @ step) - peak.deviance - wanted.rise
    return abs(left) <= NOT_RISEN * wanted.rise


class HessianModel:
    """The Hessian of the deviance along the steps to a root: exact, or where that is dear, learnt from the gradients.

    It starts as that of the peak. After each step the least change, in units of the peak's scale, gives it the gradient's change
    (Powell's symmetric update, Nocedal & Wright 2006, section 6.3). Where steps do not shrink fast, it is computed after all.
    """

    def __init__(self, peak: Peak):
        self._peak, self._dear = peak, peak.surface.hessian_is_dear
        self._hessian, self._x, self._gradient, self._size = peak.hessian, peak.x, peak.gradient, np.inf

    def judge(self, size: float) -> None:
        """Hear how long the step is that was made of the last model."""
        self._dear = self._dear and size <= SHRINKING * self._size
        self._size = size

    def error_after(self, size: float) -> float:
        """What a step leaves, by how much shorter it is than the one before: the next would be shorter by the square of that."""
        return np.inf if self._dear or not self._size < LONGEST else size * (size / self._size) ** 2

    def at(self, at: Local) -> np.ndarray:
        """(size, size) at the next place."""
        if not self._dear:
            return at.hessian
        scale = self._peak.scale
        step = (at.x - self._x) / scale
        square = float(step @ step)
        if square > 0:
            left = scale * (at.gradient - self._gradient - self._hessian @ (at.x - self._x))
            half = np.outer(left, step) / square
            change = half + half.T - (left @ step) / square**2 * np.outer(step, step)
            self._hessian = self._hessian + change / np.outer(scale, scale)
        self._x, self._gradient = at.x, at.gradient
        return self._hessian


def _reached(peak: Peak, origin: np.ndarray, x: np.ndarray) -> Local | None:
    """The deviance at x, or part of the way to it where the system breaks down there."""
    x = x * (np.abs(x) > NOTHING * peak.scale)
    for _ in range(6):
        at = peak.surface.tried(x)
        if at is not None:
            if at.deviance < peak.deviance - LOWER * max(1.0, 1e-6 * abs(peak.deviance)):
                raise LowerDeviance(at.x, peak.deviance - at.deviance)
            return at
        x = origin + 0.5 * (x - origin)
    return None


def _multiplier(at: Local, jet: Jet, peak: Peak) -> float:
    """lambda of least squares."""
    weighted = peak.scale * jet.gradient
    square = float(weighted @ weighted)
    return float((peak.scale * at.gradient) @ weighted) / square if square > 0 else 0.0


def _newton(peak: Peak, at: Local, jet: Jet, slope: float, wanted: Wanted, lagrangian: np.ndarray) -> tuple[np.ndarray, float]:
    """The step (size,) and the change of lambda; what the deviance does not depend on does not move."""
    n, scale = at.x.size, peak.scale
    normal = scale * jet.gradient
    unit = max(_length(normal), TINY)
    matrix, right = np.zeros((n + 1, n + 1), order="F"), np.zeros(n + 1)
    matrix[:n, :n] = lagrangian * (scale[:, None] * scale)
    matrix[:n, n] = -normal / unit
    right[:n] = -scale * (at.gradient - slope * jet.gradient)
    if wanted.rise is not None:
        matrix[n, :n], right[n] = scale * at.gradient, peak.deviance + wanted.rise - at.deviance
    elif wanted.value is not None:
        matrix[n, :n], right[n] = normal / unit, (wanted.value - jet.value) / unit
    found = _solution(matrix, right)
    return scale * found[:n], float(found[n]) / unit


def _length(vector: np.ndarray) -> float:
    return sqrt(float(vector @ vector))


def _solution(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Of equations in units of the peak; by least squares where they do not determine it."""
    factors, _, found, failed = dgesv(matrix, right)
    if not failed and np.abs(factors.diagonal()).min() > SMALLEST_PIVOT * max(1.0, float(np.abs(matrix).max())):
        return found
    return np.linalg.lstsq(matrix, right, rcond=1e-13)[0]


def _escape(peak: Peak, psi: Psi, at: Local, jet: Jet, slope: float, lagrangian: np.ndarray) -> np.ndarray | None:
    """Where the deviance is lower for the same psi, if it is at a saddle there and not at a minimum; else None.

    A variance of zero may be a minimum at the peak and a saddle along the profile: it is where Newton's method keeps it.
    """
    scale = peak.scale
    matrix = lagrangian * (scale[:, None] * scale)
    normal = scale * jet.gradient
    if _is_minimum(matrix, normal):
        return None
    across = np.linalg.svd(normal[None])[2][1:]
    values, vectors = np.linalg.eigh(across @ matrix @ across.T)
    if values.min(initial=0.0) >= INDEFINITE:
        return None
    way = scale * (across.T @ vectors[:, 0])
    best, lowest = at.x + STRIDES[0] * way, np.inf
    for stride in STRIDES:
        tried = peak.surface.tried(at.x + stride * way)
        if tried is not None:
            merit = tried.deviance - slope * psi(tried.x).value
            if merit < lowest:
                best, lowest = tried.x, merit
    return best


def _inward(peak: Peak, psi: Psi, at: Local, slope: float) -> np.ndarray | None:
    """Where the deviance is lower for the same psi inside of the border, at which no second derivative may be left to tell.

    Near enough to its minimum for Newton's method, which goes back to the border from where the deviance bends downwards.
    """
    here, lowest, best = at.deviance - slope * psi(at.x).value, -INSIDE, None
    for k in peak.surface.border.on(at.x):
        for angle in INWARD:
            x = at.x.copy()
            x[k] -= np.sign(np.sin(x[k])) * angle
            tried = peak.surface.tried(x)
            merit = np.inf if tried is None else tried.deviance - slope * psi(x).value - here
            if not merit < lowest:
                break
            lowest, best = merit, x
    return best


def _is_minimum(matrix: np.ndarray, normal: np.ndarray) -> bool:
    """Whether a matrix (n, n) across a normal (n,) is above `INDEFINITE`: with a multiple of it there added, it is positive."""
    length = _length(normal)
    if not length > 0:
        return False
    unit = normal / length
    half = matrix @ unit
    # Without the rows and columns along the unit vector, and one in their place.
    across = matrix - unit[:, None] * half - half[:, None] * unit + ((1.0 + float(unit @ half)) * unit)[:, None] * unit
    across.flat[:: unit.size + 1] -= INDEFINITE
    return dpotrf(across, lower=1)[1] == 0
