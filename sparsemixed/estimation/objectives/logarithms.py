"""The search in logarithms of the covariance matrices (option `matlog`): the same deviance in other coordinates.

omega takes the place of theta, block by block (see `structures.random.matrix_logarithm`); the residuals' parameters pass
through. With J = dtheta / domega the gradient is J'g, exactly. For the Hessian J'HJ is used; the term that is left out, the
second derivatives of the map times g, vanishes at the optimum, so Newton's convergence stays quadratic there. On the way to a
singular covariance, which has no logarithm, J'HJ predicts the distance to the limit, where the whole Hessian predicts half of
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple

import numpy as np

from sparsemixed.estimation.interface import FE, FN, FittedObjective
from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.structures.random.matrix_logarithm import MatrixLogarithm


@dataclass(frozen=True)
class LogEvaluation(Generic[FE]):
    """An evaluation of the objective, `inner`, that goes by `theta` = (omega, rho)."""

    theta: np.ndarray
    deviance: float
    inner: FE


class LogObjective(Generic[FE, FN]):
    """The deviance as a function of (omega, rho).

    Parameters
    ----------
    inner : FittedObjective
    """

    n_theta: int
    df: float

    def __init__(self, inner: FittedObjective[FE, FN]):
        self.inner, self.df, self.n_theta = inner, inner.df, inner.n_theta
        held = inner.parameters.held  # what is held at zero has no logarithm
        places = [place for place in inner.parameters.places if not held[place.theta].any()]
        self.logarithms = [(place.theta, MatrixLogarithm(place.block.structure)) for place in places]

    def omega(self, theta: np.ndarray) -> np.ndarray:
        """(omega, rho) of (theta, rho)."""
        out = theta.copy()
        for where, logarithm in self.logarithms:
            out[where] = logarithm.omega(theta[where])
        return out

    def evaluate(self, omega: np.ndarray) -> LogEvaluation[FE]:
        """The deviance at omega; see `estimation.interface`."""
        omega, theta = omega.copy(), omega.copy()
        for where, logarithm in self.logarithms:
            omega[where] = logarithm.within(omega[where])
            theta[where] = logarithm.theta(omega[where])
        at = self.inner.evaluate(theta)
        return LogEvaluation(omega, at.deviance, at)

    def jacobian(self, omega: np.ndarray) -> np.ndarray:
        """d(theta, rho) / d(omega, rho) (n_theta, n_theta)."""
        out = np.eye(omega.size)
        for where, logarithm in self.logarithms:
            out[where, where] = logarithm.jacobian(omega[where])
        return out

    def derivatives(self, at: LogEvaluation[FE]) -> LogDerivatives[FE, FN]:
        """Derivatives at one of its own evaluations."""
        return LogDerivatives(self, at)

    def singular_faces(self, theta: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
        """No face at all: a singular matrix has no logarithm, so that omega runs off to infinity on the way to one and never
        reaches a boundary on which it could be put, as theta can in other objectives (`estimation.interface`)."""
        return iter(())


class Profiled(NamedTuple):
    """Hessian (n_theta, n_theta) of the profiled deviance, by the name it has in `Curvature`."""

    profiled: np.ndarray


class LogDerivatives(Generic[FE, FN]):
    """Derivatives of the deviance in (omega, rho) at one evaluation."""

    def __init__(self, objective: LogObjective[FE, FN], at: LogEvaluation[FE]):
        self.at, self.inner = at, objective.inner.derivatives(at.inner)
        self.jacobian = objective.jacobian(at.theta)

    @property
    def gradient(self) -> np.ndarray:
        """J'g (n_theta,)."""
        return self.jacobian.T @ self.inner.gradient

    @lazy_property
    def observed_information(self) -> Profiled:
        """J'HJ with the exact Hessian H in theta."""
        return Profiled(self.jacobian.T @ self.inner.observed_information.profiled @ self.jacobian)

    @property
    def knows_average(self) -> bool:
        """As in theta."""
        return self.inner.knows_average

    @lazy_property
    def average_information(self) -> Profiled:
        """J'HJ with the average information in the place of H."""
        return Profiled(self.jacobian.T @ self.inner.average_information.profiled @ self.jacobian)
