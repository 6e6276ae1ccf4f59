"""Contours of a likelihood in two parameters, from the profiles of each and from where these lead the other one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.plots.cubics import akima, hermite, periodic

PLACES = 400
"""Of a profile, between which it is taken as straight."""
CORNERS = 91
"""Of a contour."""
NARROWEST = 1e-3
"""Angle between two profiles, in radians, below which they count as one line of this width."""


@dataclass(frozen=True)
class Scale:
    """A parameter and its zeta, one by the other, on a fine grid from low to high.

    Attributes
    ----------
    zeta, value : (m,) float64
    """

    zeta: np.ndarray
    value: np.ndarray

    def values(self, zeta: np.ndarray) -> np.ndarray:
        """At zeta, within the range that is known."""
        return np.interp(zeta, self.zeta, self.value)

    def zetas(self, value: np.ndarray) -> np.ndarray:
        """At values, within the range that is known."""
        return np.interp(value, self.value, self.zeta)


def scale_of(zeta: np.ndarray, value: np.ndarray, slope: np.ndarray) -> Scale:
    """The cubic of the value by zeta with the exact slopes, 1 over (k,) those of zeta; where one is missing, of the secant."""
    zeta, places = np.unique(zeta, return_index=True)
    value, slope = value[places], slope[places]
    if len(zeta) < 2:
        return Scale(zeta, value)
    secant = np.diff(value) / np.diff(zeta)
    with np.errstate(divide="ignore"):
        inverse = 1.0 / slope
    inverse = np.where(np.isfinite(inverse), inverse, np.append(secant, secant[-1]))
    fine = np.linspace(zeta[0], zeta[-1], PLACES)
    return Scale(fine, np.maximum.accumulate(hermite(zeta, value, inverse, fine)[0]))


class Trace:
    """Another parameter along a profile, by zeta: Akima's cubic through its known values, which a kink does not set swinging.

    Parameters
    ----------
    zeta, other : (k,) float64
        Places of the profile, and the other parameter's zetas there, missing where it has none.
    """

    def __init__(self, zeta: np.ndarray, other: np.ndarray):
        zeta, places = np.unique(zeta, return_index=True)
        known = np.isfinite(other[places])
        self._zeta, self._other = zeta[known], other[places][known]
        self._slope = akima(self._zeta, self._other) if known.sum() > 2 else None

    def __call__(self, at: np.ndarray) -> np.ndarray:
        """(m,) at zeta; NaN beyond what is known."""
        zeta = self._zeta
        if len(zeta) < 2:
            return np.full(len(at), np.nan)
        slack = 1e-9 * np.abs(zeta).max()
        inside = (at >= zeta[0] - slack) & (at <= zeta[-1] + slack)
        at = np.clip(at, zeta[0], zeta[-1])
        other, slope = self._other, self._slope
        return np.where(inside, np.interp(at, zeta, other) if slope is None else hermite(zeta, other, slope, at)[0], np.nan)


def contour(radius: float, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(m, 2) zetas of the two parameters where the deviance, all others at their best, has risen by the square of a radius.

    A contour touches the lines zeta = +-radius of a parameter where its profile crosses them. With zeta_1 = radius cos(a + d/2)
    and zeta_2 = radius cos(a - d/2) these four places have known a and d, and d between them is a periodic cubic in a: exact, and
    constant, where the likelihood is normal (Bates & Watts 1988, section 6.1.2).

    Parameters
    ----------
    radius : float
    first : (2,) float64
        zeta of the second parameter on the profile of the first, where zeta of the first is +radius and -radius.
    second : (2,) float64
        zeta of the first parameter on the profile of the second, likewise.
    """
    sides = np.array([first[0], second[0], -first[1], -second[1]]) / radius
    d = np.arccos(np.clip(sides, np.cos(np.pi - NARROWEST), np.cos(NARROWEST)))
    a = np.array([0.0, 0.0, np.pi, np.pi]) + 0.5 * d * [-1.0, 1.0, -1.0, 1.0]
    a, d = np.append(a, a[0] + 2.0 * np.pi), np.append(d, d[0])
    around = np.linspace(a[0], a[-1], CORNERS)
    half = 0.5 * hermite(a, d, periodic(a, d), around)[0]
    return radius * np.column_stack([np.cos(around + half), np.cos(around - half)])
