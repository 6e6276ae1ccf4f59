"""Autoregressive errors of order p, stationary by construction."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.residual_errors.base import OrderLimits, ResidualStructure, Times, Transitions, lags, unit_variance
from sparsemixed.structures.residual_errors.decay import (
    TYPICAL,
    Decay,
    positive_coordinate,
    positive_decay,
    signed_coordinate,
    signed_decay,
)
from sparsemixed.structures.residual_errors.lag_powers import autocorrelations_far_out, coordinates_of_roots, transitions

SPREAD = (1.5, 4.0)
"""Ratios of the logarithms of the roots from which a search may start where times are far apart."""
WIDE = (1.5, 4.0, 16.0)
"""The same with an order above two, of the second to the first and of each that follows to the one before."""
FAR = 8.0
"""Typical gap beyond which it is from such roots alone that a search for an order above two starts.

A root anywhere else has a frequency, of which only the rest by the gaps shows: maxima are as many as units in a gap, beside each
other, and a search crawls over them."""
LONGEST_RECURSION = 1024
"""Lag up to which all autocorrelations are computed one after the other; beyond it those at the observed lags alone."""


def coefficients(partial: np.ndarray) -> np.ndarray:
    """phi (p,) from partial autocorrelations in (-1, 1): the Durbin-Levinson recursion (Barndorff-Nielsen & Schou 1973)."""
    phi = partial[:0]
    for value in partial:
        phi = np.append(phi - value * phi[::-1], value)
    return phi


def coefficients_with_gradient(rho: np.ndarray, order: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """phi of partial autocorrelations tanh(rho), all or the first `order`, and dphi / drho with one row for each rho."""
    partial = np.tanh(rho)
    return coefficients_of(partial[:order], 1.0 - partial**2)


def coefficients_of(partial: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """phi (k,) of partial autocorrelations (k,), and dphi (p, k) by coordinates that move one of them each, by its slope (p,)."""
    phi, gradient = partial[:0], np.zeros((slopes.size, 0), partial.dtype)
    for i, value in enumerate(partial):
        slope = np.zeros(slopes.size, partial.dtype)
        slope[i] = slopes[i]
        moved = gradient - value * gradient[:, ::-1] - slope[:, None] * phi[::-1]
        phi, gradient = np.append(phi - value * phi[::-1], value), np.column_stack([moved, slope])
    return phi, gradient


def autocorrelations_with_gradient(rho: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelations at lags 0 .. longest of the process with partial ones tanh(rho), and their gradients (p, longest + 1).

    Lag by lag along the Durbin-Levinson recursion: no equations to solve, nothing singular even where tanh(rho) rounds to 1.
    """
    p, partial = rho.size, np.tanh(rho)
    models = [coefficients_with_gradient(rho, order) for order in range(p + 1)]
    value, gradient = np.ones(longest + 1, partial.dtype), np.zeros((p, longest + 1), partial.dtype)
    innovation, dinnovation = 1.0, np.zeros(p, partial.dtype)  # variance of the innovation, and its gradient
    for k in range(1, longest + 1):
        phi, dphi = models[min(k - 1, p)]
        recent = slice(k - phi.size, k)
        value[k] = phi @ value[recent][::-1]
        gradient[:, k] = dphi @ value[recent][::-1] + gradient[:, recent][:, ::-1] @ phi
        if k <= p:
            last, slope = partial[k - 1], np.zeros(p, partial.dtype)
            slope[k - 1] = 1.0 - last**2
            value[k] += last * innovation
            gradient[:, k] += slope * innovation + last * dinnovation
            dinnovation = dinnovation * (1.0 - last**2) - 2.0 * last * slope * innovation
            innovation = innovation * (1.0 - last**2)
    return value, gradient


class Autoregressive(ResidualStructure):
    """AR(p) with unit marginal variance (manual, `residuals(ar #)`); rho holds atanh of the partial autocorrelations.

    Gaps are exact: only the autocorrelations at the observed lags enter. Where all lags are multiples of a unit, AR(1) errors
    are those of r = rho^unit at the lags over that unit, and the coordinate is that of r: atanh(r) where the unit is odd,
    logit(r) where it is even and negative correlations are out of the question.

    Parameters
    ----------
    order : int
    unit : int
        A common divisor of all lags; one with an order above one, whose errors at every second time are of another kind.

    Examples
    --------
    >>> Autoregressive(1).covariance(np.arctanh([0.5]), np.array([0, 1, 3])).round(3)
    array([[1.   , 0.5  , 0.125],
           [0.5  , 1.   , 0.25 ],
           [0.125, 0.25 , 1.   ]])
    """

    word, time = "AR", "integer"
    order_limits = OrderLimits(1, 1, "ar_p")

    def __init__(self, order: int = 1, unit: int = 1):
        self.order = self.n_rho = order
        self.unit = unit

    @classmethod
    def build(cls, times: Times, order: int | None) -> Autoregressive:
        assert order is not None
        return cls(order, times.common_gap if order == 1 else 1)

    @property
    def markov(self):
        return self._powers if self.order == 1 else None

    @property
    def transitions(self):
        return super().transitions if self.order == 1 else self._transitions

    @staticmethod
    def _transitions(rho: np.ndarray, gaps: np.ndarray) -> Transitions:
        return transitions(rho, gaps.astype(np.int64))

    @property
    def _signed(self) -> bool:
        """Whether negative correlations are possible."""
        return self.unit % 2 == 1

    def _decay(self, w) -> Decay:
        return signed_decay(w) if self._signed else positive_decay(w)

    def _powers(self, w, distance: np.ndarray):
        return self._decay(w).power(distance / self.unit)

    @property
    def title(self) -> str:
        return f"AR({self.order})"

    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return self._autocorrelations(rho, t)[0]

    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        return self._autocorrelations(rho, t)[1]

    def _autocorrelations(self, rho: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """R (..., m, m) and its derivatives."""
        lag = lags(t).astype(np.int64)
        if self._signed:
            lag = lag // self.unit
            longest = int(lag.max(initial=0))
            if longest <= LONGEST_RECURSION:
                value, gradient = autocorrelations_with_gradient(rho, longest)
                return value[lag], gradient[:, lag]
        if self.order == 1:
            phi, change, _ = self._decay(rho[0]).power(lag / (1 if self._signed else self.unit))
            return phi, change[None]
        distinct, place = np.unique(lag, return_inverse=True)
        value, gradient = autocorrelations_far_out(rho, distinct)
        return value[place.reshape(lag.shape)], gradient[:, place.reshape(lag.shape)]

    def starts(self, typical: float, moments: np.ndarray | None = None) -> list[np.ndarray]:
        if self.order == 1 and typical == self.unit:
            return [self.start()]
        places = []
        for c in TYPICAL:
            log = np.log(c) * self.unit / typical
            if self._signed:
                places += [signed_coordinate(log, sign) for sign in (1.0, -1.0)]
            else:
                places.append(positive_coordinate(log))
        first = [] if typical > 1 else [np.zeros(self.n_rho)]
        found = [*first, *(np.append(w, np.zeros(self.n_rho - 1)) for w in places)]
        if self.order == 1 or typical == 1:
            return found
        # A second root that is far from one on the scale of a unit has no part in correlations far apart.
        if self.order == 2:
            logs = [np.log(c) / typical * np.array([1.0, ratio]) for c in TYPICAL for ratio in SPREAD]
            return [*found, *map(coordinates_of_roots, logs)]
        ratios = [np.array([1.0, one, *(one * other ** np.arange(1, self.n_rho - 1))]) for one in WIDE for other in WIDE]
        roots = [coordinates_of_roots(np.log(c) / typical * each) for c in TYPICAL for each in ratios]
        return roots if self.has_many_maxima(typical) else [*found, *roots]

    def has_many_maxima(self, typical: float) -> bool:
        return self.order is not None and self.order > 2 and typical > FAR

    def display(self, rho: np.ndarray) -> list[Displayed]:
        if self.order == 1:
            value, slope = self._decay(rho[0]).root(float(self.unit))
            return [Displayed(("rho",), "", value, "correlation", np.array([slope])), unit_variance(1)]
        phi, gradient = coefficients_with_gradient(rho)
        rows = [Displayed(("phi", j + 1), "", float(phi[j]), "coefficient", gradient[:, j]) for j in range(self.n_rho)]
        return [*rows, unit_variance(self.n_rho)]
