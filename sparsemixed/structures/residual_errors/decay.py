"""Correlations r^g of Markov errors at g units of time, accurate to rounding however near to one r and however large g is.

The coordinate of r is unbounded: r = tanh(w), which may be negative, or r = 1 / (1 + exp(-w)), which may not. Everything is
analytic in w and takes complex w.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.structures.residual_errors.base import logistic

LARGEST_POWER = 1024.0
"""Power up to which the rounding of r does not matter; beyond it the logarithm is taken of w itself."""
TYPICAL = (0.2, 0.5, 0.8)
"""Correlations at a typical distance from which a search may start."""


class Decay(NamedTuple):
    """r at one unit of time as a function of w.

    Attributes
    ----------
    signed : bool
        Whether r crosses zero, where its logarithm is of no use.
    sign : float
        Of r.
    r, slope : number
        r and dr / dw.
    log, log_slope : number
        log |r| and its derivative.
    """

    signed: bool
    sign: float
    r: complex
    slope: complex
    log: complex
    log_slope: complex

    def power(self, g: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """phi = r^g, dphi / dw, and 1 - phi^2 without cancellation near one, at distances g >= 0 in units of time.

        Distances are whole numbers where r is negative.
        """
        # A complex power of a negative base would leave the real axis by rounding: keep the base in the right half-plane.
        signs, base = self.sign**g, self.sign * self.r
        if self.signed and (abs(base) <= 0.5 or g.max(initial=0.0) <= LARGEST_POWER):
            with np.errstate(divide="ignore", invalid="ignore"):
                room = np.where(g > 0, -np.expm1(2.0 * g * np.log(base)), 0.0)
                change = np.where(g > 0, g * base ** (g - 1.0) * self.sign * self.slope, 0.0)
            return signs * base**g, signs * change, room
        phi = signs * np.exp(g * self.log)
        return phi, g * phi * self.log_slope, -np.expm1(2.0 * g * self.log)

    def root(self, unit: float) -> tuple[float, float]:
        """The correlation at one unit of t(), sign |r|^(1 / unit), and its derivative; for real w."""
        if unit == 1.0:
            return float(np.real(self.r)), float(np.real(self.slope))
        if self.r == 0.0:
            return 0.0, np.inf
        value = self.sign * np.exp(np.real(self.log) / unit)
        return float(value), float(value * np.real(self.log_slope) / unit)


def signed_decay(w) -> Decay:
    """r = tanh(w)."""
    sign = -1.0 if np.real(w) < 0 else 1.0
    r = np.tanh(w)
    small = np.exp(-2.0 * sign * w)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = _log1p(-2.0 * small / (1.0 + small))
        log_slope = sign * 4.0 * small / (1.0 - small**2)
    return Decay(True, sign, r, 1.0 - r**2, log, log_slope)


def positive_decay(w) -> Decay:
    """r = 1 / (1 + exp(-w))."""
    r, rest = logistic(w), logistic(-w)
    log = -_log1p(np.exp(-w)) if np.real(w) >= 0 else w - _log1p(np.exp(w))
    return Decay(False, 1.0, r, r * (1.0 - r), log, rest)


def _log1p(z):
    """log(1 + z); numpy's loses the real part of small complex numbers."""
    if not np.iscomplexobj(z):
        return np.log1p(z)
    return 0.5 * np.log1p(z.real * (2.0 + z.real) + z.imag**2) + 1j * np.arctan2(z.imag, 1.0 + z.real)


def signed_coordinate(log: float, sign: float = 1.0) -> float:
    """w at which tanh(w) = sign exp(log), log < 0."""
    return sign * 0.5 * float(np.log1p(np.exp(log)) - np.log(-np.expm1(log)))


def positive_coordinate(log: float) -> float:
    """w at which 1 / (1 + exp(-w)) = exp(log), log < 0."""
    return float(log - np.log(-np.expm1(log)))
