"""What the search asks of an objective, and what a fit is made of: the contract, on one page.

An objective is the profiled deviance d(theta) = -2 log (restricted) likelihood of one data set, beta and sigma2 taken at their
best values for theta. Three values follow each other, and none of them changes afterwards:

    objective.evaluate(theta) -> Evaluation       objective.derivatives(evaluation) -> Derivatives

Laws, which the property tests check for every objective:

- evaluations are values: evaluating elsewhere changes nothing that was evaluated before, nor derivatives of it, asked for
  sooner or later. Where a system is factored, the evaluation holds that factorization (`solver.recent`);
- `gradient` is the derivative of `deviance`, `observed_information.hessian` that of the gradient of
  d(theta, log sigma2), both exactly;
- `average_information` agrees with the observed one in its second-order part only: a step, not a standard error;
- `singular` is True only where V has no inverse to rounding, to which no search comes but on the way to a likelihood without a
  maximum; None says that the objective never forms V and cannot tell, never that V is regular.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.jets import Jet
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts

Predictions = tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]
"""Best linear unbiased predictions b (J, k) of the engine's effects and Var(b - b_hat) (J, k, k), term by term of the design;
beta counts as known after maximum likelihood, as estimated after REML."""


@dataclass(frozen=True)
class Curvature:
    """Gradient (n_theta,) of the profiled deviance and its full Hessian (n_theta + 1,) in (theta, log sigma2)."""

    gradient: np.ndarray
    hessian: np.ndarray

    @property
    def profiled(self) -> np.ndarray:
        """Hessian (n_theta, n_theta) with sigma2 profiled out."""
        h = self.hessian
        return h[:-1, :-1] - np.outer(h[:-1, -1], h[-1, :-1]) / h[-1, -1]


class HasProfiled(Protocol):
    """A curvature as the search needs it."""

    @property
    def profiled(self) -> np.ndarray:
        """Hessian (n_theta, n_theta) of the profiled deviance."""
        ...


class Evaluation(Protocol):
    """The deviance at one theta, and whatever else is known there without derivatives."""

    @property
    def theta(self) -> np.ndarray:
        """(n_theta,): where."""
        ...

    @property
    def deviance(self) -> float:
        """-2 log likelihood up to a constant of the data; NaN where it is not known (iterative solver)."""
        ...


class FittedEvaluation(Evaluation, Protocol):
    """An evaluation of which a fit can be made; coefficients are those of orthonormal X."""

    @property
    def beta(self) -> np.ndarray:
        """(p,)"""
        ...

    @property
    def pwrss(self) -> float:
        """Penalised weighted residual sum of squares, y'inv(V0)y less what beta explains."""
        ...

    @property
    def sigma2(self) -> float:
        """pwrss / df."""
        ...

    @property
    def XVX_inverse(self) -> np.ndarray:
        """(p, p) inverse of X'inv(V0)X, V0 = V / sigma2."""
        ...


class Profile(NamedTuple):
    """A deviance with what it is at its best for: beta (p,), pwrss, sigma2, and the inverse (p, p) of X'inv(V0)X.

    Beside normal priors of coefficients the inverse is that of X'inv(V0)X + sigma2 K, and pwrss the squares of y - X beta.
    """

    deviance: float
    beta: np.ndarray
    pwrss: float
    sigma2: float
    inverse: np.ndarray


class Penalty(Protocol):
    """The log density of priors: a penalised likelihood is that much higher, with sigma2 at its best beside it."""

    @property
    def known_variance(self) -> float | None:
        """sigma2 where a prior says what it is."""
        ...

    def at(self, evaluation: FittedEvaluation) -> Jet:
        """The log density, with derivatives by (theta, log sigma2)."""
        ...

    def profiled(self, theta: np.ndarray, W: np.ndarray, plain: Profile, df: float, logdet_x: float) -> Profile:
        """The same penalised, from what is best without priors and log|X'inv(V0)X|."""
        ...

    def by_sigma(self, derivatives: FittedSlopes) -> tuple[float, np.ndarray]:
        """Of -2 log likelihood the second derivative by log sigma2, and what is to be added to those by theta and it."""
        ...


class SphericalEvaluation(FittedEvaluation, Protocol):
    """An evaluation that has solved for spherical random effects u, b = Lambda u."""

    @property
    def u(self) -> np.ndarray:
        """(q,)"""
        ...

    @property
    def U(self) -> np.ndarray:
        """(q, p) inv(M) Lambda'Z'X."""
        ...

    @property
    def cp(self) -> CrossProducts:
        """The cross-products that M is made of."""
        ...

    @property
    def factors(self) -> list[np.ndarray]:
        """Lambda, one (k, k) matrix per term."""
        ...


class ScoreDerivatives(Protocol):
    """First derivatives of the profiled deviance at one evaluation, `at`, and a curvature to step by."""

    @property
    def at(self) -> Evaluation:
        """The evaluation."""
        ...

    @property
    def gradient(self) -> np.ndarray:
        """(n_theta,)"""
        ...

    @property
    def average_information(self) -> HasProfiled:
        """The corrected average information; the exact Hessian where that costs as little, or where `knows_average` is False."""
        ...

    @property
    def knows_average(self) -> bool:
        """Whether the average information is to be had without the exact Hessian."""
        ...


class Derivatives(ScoreDerivatives, Protocol):
    """Second derivatives too: all but the iterative solver has them."""

    @property
    def observed_information(self) -> HasProfiled:
        """The exact Hessian."""
        ...


class SphericalDerivatives(ScoreDerivatives, Protocol):
    """Derivatives that know the diagonal of N = inv(M), of which predictions can be made."""

    @property
    def at(self) -> SphericalEvaluation:
        """The evaluation."""
        ...

    def inverse_diagonals(self) -> list[np.ndarray]:
        """For each term the (J, k, k) diagonal blocks of N."""
        ...

    @property
    def fixed_blocks(self) -> list[np.ndarray]:
        """For each term the (J, k, k) diagonal blocks of U Phi U'."""
        ...


class FittedSlopes(Protocol):
    """How the equations for the coefficients move with theta, at a fit."""

    @property
    def at(self) -> FittedEvaluation:
        """The evaluation."""
        ...

    @property
    def fixed_slopes(self) -> np.ndarray:
        """(n_theta, p, p) derivative of X'inv(V0)X."""
        ...

    @property
    def score_slopes(self) -> np.ndarray:
        """(n_theta, p) derivative of X'inv(V0)(y - X beta), beta held."""
        ...


class FittedDerivatives(FittedSlopes, ScoreDerivatives, Protocol):
    """Derivatives of which standard errors and degrees of freedom can be made."""

    @property
    def at(self) -> FittedEvaluation:
        """The evaluation."""
        ...

    @property
    def information(self) -> Curvature:
        """What standard errors rest on: the exact Hessian wherever there is one."""
        ...


class ExactDerivatives(FittedDerivatives, Derivatives, Protocol):
    """Both: what the search for the lowest deviance ends with."""


E = TypeVar("E", bound=Evaluation)
D = TypeVar("D", bound=ScoreDerivatives)
D_co = TypeVar("D_co", bound=ScoreDerivatives, covariant=True)
N = TypeVar("N", bound=Derivatives)
"""An objective's own evaluations, and its own derivatives at them; N where steps may go by the exact Hessian."""
FE = TypeVar("FE", bound=FittedEvaluation)
FD = TypeVar("FD", bound=FittedDerivatives)
FN = TypeVar("FN", bound=ExactDerivatives)
"""The same, where a fit can be made of them."""


class Objective(Protocol[E, D_co]):
    """A deviance that the search can lower."""

    @property
    def n_theta(self) -> int:
        """Number of parameters over which the search goes; sigma2 is not among them."""
        ...

    @property
    def df(self) -> float:
        """Observations, less p under REML: what the residual sum of squares is divided by."""
        ...

    def evaluate(self, theta: np.ndarray, /) -> E:
        """The evaluation at theta (n_theta,).

        Raises
        ------
        NumericalError
            The system breaks down there; the search then takes a shorter step.
        """
        ...

    def derivatives(self, at: E) -> D_co:
        """Derivatives at one of its own evaluations."""
        ...

    def singular_faces(self, theta: np.ndarray) -> Iterable[tuple[np.ndarray, np.ndarray, str]]:
        """Faces of the parameter space on which a covariance is singular and on which theta may be put, as
        `ThetaMap.singular_faces` gives them."""
        ...


class Coordinates(Objective[E, D_co], Protocol[E, D_co]):
    """An objective in other coordinates, omega; its evaluations and derivatives have those in theta as `inner`."""

    def omega(self, theta: np.ndarray) -> np.ndarray:
        """omega of theta, both (n_theta,)."""
        ...


class FittedObjective(Objective[FE, FD], Protocol[FE, FD]):
    """A deviance of which a fit can be made."""

    parameters: ThetaMap
    reml: bool
    p: int
    prior: Penalty | None

    @property
    def solver(self) -> str:
        """How the system is solved, by the name that a fit reports."""
        ...

    @property
    def factorizations(self) -> int:
        """How often a system was factored so far."""
        ...

    def singular(self, theta: np.ndarray) -> bool | None:
        """Whether V is singular to rounding at theta (n_theta,); None where V is never formed."""
        ...

    def predictions(self, design: Design, derivatives: FD) -> Predictions:
        """The engine's random effects at the derivatives' evaluation, with their uncertainty (see `ThetaMap.named_effects`)."""
        ...
