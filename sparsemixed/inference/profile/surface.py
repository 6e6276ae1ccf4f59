"""The deviance as a function of everything that a profile moves: (theta, log sigma2), and coefficients by name.

With L(theta) the logarithms of determinants and r2(theta) the residual sum of squares at the best coefficients,

    d(theta, s, b) = L(theta) + df (log 2 pi + s) + [r2(theta) + (b - K beta_hat)' inv(K Phi K') (b - K beta_hat)] / exp(s),

where b = K beta are the coefficients that are held and all others are at their best: given the variance parameters the deviance
is a parabola in b, so that no coefficient needs fits of its own. Its derivatives by (theta, s) are those of the objective at an
evaluation with other coefficients, beta_hat + Phi K' inv(K Phi K') (b - K beta_hat), another sigma2, exp(s), and for Phi what is
left of it beside K: the formulas of `estimation.objectives` ask for no more. (No coefficients are held under REML.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.inference.profile.border import Border
from sparsemixed.inference.profile.group_sums import GroupsLocal
from sparsemixed.inference.profile.local import Local

SMALLEST = -600.0
"""log sigma2 down to which, and up to minus which, its exponential and squares of it are numbers."""

DEAR_ORDER = 200
"""Order of the Schur complement beyond which Hessians are learnt from gradients, as far as that goes."""


@dataclass(frozen=True)
class Held:
    """Coefficients b = K beta + start (l,), beta those of orthonormal X.

    Attributes
    ----------
    K : (l, r) float64
        Of full rank.
    start : (l,) float64
    """

    K: np.ndarray
    start: np.ndarray

    @classmethod
    def none(cls, rank: int) -> Held:
        """No coefficient among `rank`."""
        return cls(np.zeros((0, rank)), np.zeros(0))


class Surface:
    """The deviance d(x), x = (theta, log sigma2, b).

    Parameters
    ----------
    objective : FittedObjective
        Of the problem with its exact derivatives; by maximum likelihood where coefficients are held.
    held : Held
        The coefficients in x.
    invisible : (n_theta,) bool
        Parameters that are held at zero.
    gone : (n_theta,) bool
        Parameters of the errors that have run off to a limit, and stay there.
    border : Border
        Of the family of the errors.
    """

    def __init__(self, objective: Any, held: Held, invisible: np.ndarray, gone: np.ndarray, border: Border):
        self.objective, self.held, self.invisible, self.gone, self.border = objective, held, invisible, gone, border
        self.n_theta, self.fixed = gone.size, invisible | gone
        self.places = np.flatnonzero(self.fixed)
        self._quick = type(objective) is GroupsObjective and objective.n_theta == self.n_theta

    def freed(self) -> Surface:
        """The same with all parameters of the errors free."""
        return Surface(self.objective, self.held, self.invisible, np.zeros_like(self.gone), self.border)

    @property
    def size(self) -> int:
        """Length of x."""
        return self.n_theta + 1 + len(self.held.start)

    @property
    def hessian_is_dear(self) -> bool:
        """Whether a Hessian costs several times what a gradient does: by the order of the Schur complement."""
        products = getattr(self.objective, "cp", None)
        return products is not None and products.q_schur > DEAR_ORDER

    def start(self, theta: np.ndarray, sigma2: float) -> np.ndarray:
        """x at the fitted variance parameters, b at its best there."""
        at = self.objective.evaluate(theta)
        return np.concatenate([theta, [np.log(sigma2)], self.held.start + self.held.K @ at.beta])

    def at(self, x: np.ndarray) -> Local:
        """The deviance at x (size,).

        Raises
        ------
        NumericalError
            The system breaks down there.
        """
        if not SMALLEST < x[self.n_theta] < -SMALLEST:
            raise NumericalError("the residual variance is beyond the range of floating point")
        with np.errstate(over="ignore", invalid="ignore"):
            if self._quick:
                return GroupsLocal(self.objective, self.held.K, self.held.start, self.places, x)
            found = ObjectiveLocal(self, x, self.objective.evaluate(x[: self.n_theta]))
            if not np.isfinite(found.deviance):
                raise NumericalError("the deviance overflowed")
        return found

    def tried(self, x: np.ndarray) -> Local | None:
        """The same, or None where the system breaks down."""
        if not np.isfinite(x).all():
            return None
        try:
            return self.at(x)
        except NumericalError:
            return None


class ObjectiveLocal(Local):
    """By an evaluation of the objective and its derivatives."""

    def __init__(self, surface: Surface, x: np.ndarray, evaluation: Any):
        self.x, self._surface, self._evaluation = x, surface, evaluation
        held, at, n = surface.held, evaluation, surface.n_theta
        self._sigma2 = float(np.exp(x[n]))
        self._away = x[n + 1 :] - held.start - held.K @ at.beta
        self._spread = at.XVX_inverse @ held.K.T
        self._precision = np.linalg.inv(held.K @ self._spread) if held.start.size else np.zeros((0, 0))
        self._square = float(at.pwrss + self._away @ self._precision @ self._away)
        df = surface.objective.df
        logs = at.deviance - df * (1.0 + np.log(2.0 * np.pi * at.pwrss / df))
        self.deviance = float(logs + df * (np.log(2.0 * np.pi) + x[n]) + self._square / self._sigma2)

    @cached_property
    def _move(self) -> np.ndarray:
        """How the coefficients move with b (r, l)."""
        return self._spread @ self._precision

    @lazy_property
    def coefficients(self) -> np.ndarray:
        return self._evaluation.beta + self._move @ self._away

    @cached_property
    def _derivatives(self) -> Any:
        """The objective's, at what these coefficients and this sigma2 make of its evaluation."""
        at, left = self._evaluation, self._evaluation.XVX_inverse - self._move @ self._spread.T
        moved = replace(at, beta=self.coefficients, XVX_inverse=left, sigma2=self._sigma2, pwrss=self._square)
        return self._surface.objective.derivatives(moved)

    @cached_property
    def _slope(self) -> np.ndarray:
        """By b (l,)."""
        return 2.0 * self._precision @ self._away / self._sigma2

    @lazy_property
    def gradient(self) -> np.ndarray:
        surface, n = self._surface, self._surface.n_theta
        gradient = np.concatenate([self._derivatives.gradient, [surface.objective.df - self._share], self._slope])
        gradient[:n][surface.fixed] = 0.0
        return gradient

    @property
    def _share(self) -> float:
        return self._square / self._sigma2

    @lazy_property
    def hessian(self) -> np.ndarray:
        surface, n, found = self._surface, self._surface.n_theta, self._derivatives
        hessian = np.zeros((surface.size, surface.size))
        hessian[: n + 1, : n + 1] = found.observed_information.hessian
        hessian[n, n] = self._share
        if self._away.size:
            hessian[n + 1 :, n + 1 :] = 2.0 * self._precision / self._sigma2
            hessian[n, n + 1 :] = hessian[n + 1 :, n] = -self._slope
            cross = -2.0 * found.score_slopes @ self._move / self._sigma2
            hessian[:n, n + 1 :], hessian[n + 1 :, :n] = cross, cross.T
        hessian[surface.places] = hessian[:, surface.places] = 0.0
        return hessian
