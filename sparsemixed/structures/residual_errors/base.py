"""What a family of within-group error covariances must offer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from sparsemixed.structures.base import Declared, Displayed

COMPLEX_STEP = 1e-100
"""Imaginary step of complex differentiation (Squire & Trapp 1998): exact to rounding, nothing is subtracted."""


METRIC_STEMS = {
    "sd": "r_lns",
    "correlation": "r_atr",
    "decay": "r_logitr",
    "coefficient": "r_phi",
    "covariance": "r_cov",
}
"""Kind of a parameter -> the beginning of its name in e(b), where Stata has it in the metric of its confidence limits."""


@dataclass(frozen=True)
class Times:
    """What the data say of t() and of the groups: all that a family needs to become a structure.

    Attributes
    ----------
    largest_group : int
        Observations in the largest group.
    longest_lag : int or None
        Largest difference of two times in one group, for integer times.
    levels : tuple of str or None
        The distinct times as printed, for a family of levels; the levels of by(), for one whose rows are independent.
    shortest_gap : float
        Smallest difference of two times in one group.
    common_gap : int
        Greatest common divisor of all of them, for integer times.
    """

    largest_group: int
    longest_lag: int | None = None
    levels: tuple[str, ...] | None = None
    shortest_gap: float = 1.0
    common_gap: int = 1

    @property
    def largest_order(self) -> tuple[int, str] | None:
        """The largest order that these times can tell, and what it is in words; None where there is none to count."""
        if self.levels is not None:
            return len(self.levels) - 1, "the number of levels less one"
        return None if self.longest_lag is None else (self.longest_lag, "the longest lag")


class OrderLimits(NamedTuple):
    """The order of a family: the least, the default (None is the largest that the times can tell), and its name in e()."""

    smallest: int
    default: int | None
    stored: str


class Transitions(NamedTuple):
    """How p numbers, normalised so that their covariance is I, move over each of U gaps: s(t + gap) = Phi s(t) + a noise.

    Phi and the noise's covariance (U, p, p); their derivatives (n_rho, U, p, p).
    """

    Phi: np.ndarray
    Phi_slopes: np.ndarray
    noise: np.ndarray
    noise_slopes: np.ndarray


class ResidualStructure(Declared):
    """A family of positive definite matrices R(rho; t), the covariance of one group's errors over sigma2.

    rho is unconstrained: every rho gives a valid matrix (`Toeplitz` excepted, which says why). `covariance` and
    `dcovariance` are analytic in rho and take complex rho, which is how exact second derivatives come for free.

    Attributes
    ----------
    word : str
        In residuals(), see `Declared`.
    time : {"none", "integer", "levels", "real"}
        What t() must be: of no use, integers (lags count), nonnegative integers of which each is a level, or any numbers. A t
        of levels is the position among them.
    independent_rows : bool
        Whether errors of different rows are independent. By itself such a family is the model's one residual variance; with
        by(), which may vary within groups, t is the position of the row's level.
    order_limits : OrderLimits or None
        None for a family that takes no order.
    metric_stems : mapping of kind to text
        The beginnings of its parameters' names in e(b).
    limit : str
        What is said where a parameter has run off.
    n_rho : int
    order : int or None
        Of this member of the family, if it takes one.
    """

    time: ClassVar[Literal["none", "integer", "levels", "real"]]
    independent_rows: ClassVar[bool] = False
    order_limits: ClassVar[OrderLimits | None] = None
    metric_stems: ClassVar[dict[str, str]] = METRIC_STEMS
    limit: ClassVar[str] = "a correlation of the residuals is at its limit"
    n_rho: int
    order: int | None = None

    @classmethod
    @abstractmethod
    def build(cls, times: Times, order: int | None) -> ResidualStructure:
        """The member of the family for these times, and for an order within its limits if it takes one."""

    @classmethod
    def needs_time(cls) -> bool:
        """Whether t() must be given."""
        return cls.time != "none"

    @property
    def markov(self) -> Callable[[Any, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]] | None:
        """For a Markov process, a function of rho[0], complex allowed, and of distances; None for other errors.

        It gives the correlations phi at those distances, their derivatives, and 1 - phi^2 without cancellation near one.
        """
        return None

    @property
    def transitions(self) -> Callable[[np.ndarray, np.ndarray], Transitions] | None:
        """For errors that are the first of a few numbers which are a Markov process, a function of rho and gaps (U,), analytic in
        rho; None for other errors.
        """
        return self._markov_transitions if self.markov is not None else None

    def _markov_transitions(self, rho: np.ndarray, gaps: np.ndarray) -> Transitions:
        assert self.markov is not None
        phi, change, room = (each[:, None, None] for each in self.markov(rho[0], gaps))
        return Transitions(phi, change[None], room, -2.0 * (phi * change)[None])

    @property
    def by_lag(self) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None:
        """For errors that are independent beyond some lag q and stationary, a function of rho, analytic in it; None for others.

        It gives the correlations (q + 2,) at lags 0 .. q + 1, the last one zero, and their derivatives (n_rho, q + 2).
        """
        return None

    @property
    def within_level(self) -> ResidualStructure:
        """The structure of the errors in one level of by()."""
        return self

    @property
    def by_labels(self) -> tuple[str, ...]:
        """The levels of by() as printed, if there are any."""
        return ()

    @property
    @abstractmethod
    def title(self) -> str:
        """As printed after `Residual:`."""

    @abstractmethod
    def covariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        """R (..., m, m) for times t (..., m)."""

    @abstractmethod
    def dcovariance(self, rho: np.ndarray, t: np.ndarray) -> np.ndarray:
        """dR / drho (n_rho, ..., m, m)."""

    @abstractmethod
    def display(self, rho: np.ndarray) -> list[Displayed]:
        """Parameters as printed; values of kind variance and covariance are relative to sigma2."""

    def start(self, moments: np.ndarray | None = None) -> np.ndarray:
        """rho (n_rho,) to start from; independence unless the family can use `moments` (see `UnstructuredErrors`)."""
        return np.zeros(self.n_rho)

    def starts(self, typical: float, moments: np.ndarray | None = None) -> list[np.ndarray]:
        """Places (n_rho,) each from which a search may start, the first one by default.

        Parameters
        ----------
        typical : float
            Median difference of neighbouring times of a group.
        """
        return [self.start(moments)]

    def has_many_maxima(self, typical: float) -> bool:
        """Whether the likelihood may have several maxima at such a median difference of times, to be searched for."""
        return False

    def others(self, typical: float, moments: np.ndarray | None = None) -> list[np.ndarray]:
        """Places from which to search once more where a search has ended at a limit."""
        return self.starts(typical, moments)

    def scales(self, rho: np.ndarray) -> np.ndarray:
        """Logarithms of the scales of which one is the unit, sigma: 0 for that one. One alone unless levels have their own."""
        return np.zeros(1)

    def with_unit(self, unit: int, rho: np.ndarray) -> tuple[ResidualStructure, np.ndarray]:
        """The same family with another of its scales as the unit, and its rho there: R(rho) over exp(2 scales(rho)[unit])."""
        return self, rho

    def sizes(self, rho: np.ndarray) -> np.ndarray:
        """Logarithms of the standard deviations of the levels that have their own, relative to sigma."""
        return self.scales(rho)

    def resized(self, level: int, change: float, rho: np.ndarray) -> np.ndarray:
        """rho with one of these standard deviations times exp(change); not for the unit."""
        return rho

    def parameters_of(self, level: int) -> np.ndarray:
        """(n_rho,) bool: what has no meaning left where that standard deviation is zero; none of the unit."""
        return np.zeros(self.n_rho, bool)

    def at_limit(self, rho: np.ndarray, near: float) -> np.ndarray:
        """rho with those of its parameters at their limits that are so `near`, no other being redundant there; else rho itself.

        For a family whose parameters may lose their meaning beside one that has run off (see `UnstructuredErrors`).
        """
        return rho

    @property
    def angles(self) -> np.ndarray:
        """(n_rho,) bool: coordinates about whose right angles, the border, R and what is printed are even; see `closed`."""
        return np.zeros(self.n_rho, bool)

    def closed(self, rho: np.ndarray) -> tuple[ResidualStructure, np.ndarray]:
        """The family in angles, in which its border is no farther away than other places, and rho there; itself without such."""
        return self, rho

    def branches(self, rho: np.ndarray) -> list[np.ndarray]:
        """Places (n_rho,) where a profile that leads through rho may have another branch, of lower deviance; none by default."""
        return []

    def second(self, rho: np.ndarray, t: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(n_rho, n_rho) sums over everything of weights (..., m, m) times d2R / drho drho'."""
        out = np.empty((self.n_rho, self.n_rho))
        for j in range(self.n_rho):
            moved = rho.astype(complex)
            moved[j] += 1j * COMPLEX_STEP
            change = self.dcovariance(moved, t).imag / COMPLEX_STEP
            out[j] = np.tensordot(change, weights, axes=weights.ndim)
        return (out + out.T) / 2


def lags(t: np.ndarray) -> np.ndarray:
    """|t_a - t_b| (..., m, m)."""
    return np.abs(t[..., :, None] - t[..., None, :])


def logistic(x):
    """1 / (1 + exp(-x)) of a real or complex number, without overflow."""
    if np.real(x) >= 0:
        return 1.0 / (1.0 + np.exp(-x))
    return np.exp(x) / (1.0 + np.exp(x))


def unit_variance(n_rho: int) -> Displayed:
    """`var(e)` where R has unit diagonal: sigma2 itself."""
    return Displayed(("var",), "e", 1.0, "variance", np.zeros(n_rho))
