"""The profiled deviance: -2 log (restricted) likelihood as a function of theta alone.

With M = Lambda'Z'ZLambda + I and r2 the penalised residual sum of squares,
d_ML = log|M| + n (1 + log(2 pi r2 / n)) and
d_REML = log|M| + log|X'inv(V0)X| + (n - p) (1 + log(2 pi r2 / (n - p)))
(Bates, Maechler, Bolker & Walker 2015, eqs 35 and 42; manual, Methods and formulas, equations 11 and 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.parameters import Parameters
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.system import PenalizedSystem

if TYPE_CHECKING:
    from sparsemixed.design.values import Design
    from sparsemixed.estimation.objectives.penalized_derivatives import Derivatives


@dataclass(frozen=True)
class Evaluation:
    """Everything known at one theta without derivatives.

    Attributes
    ----------
    theta : (n_theta,)
    deviance : float
    beta : (p,)
    r2, sigma2 : float
    u : (q,)
        Spherical random effects, b = Lambda u.
    U : (q, p)
        inv(M) Lambda'Z'X.
    XVX_inverse : (p, p)
        inverse of X'inv(V0)X.
    """

    theta: np.ndarray
    deviance: float
    beta: np.ndarray
    r2: float
    sigma2: float
    u: np.ndarray
    U: np.ndarray
    XVX_inverse: np.ndarray


class Objective:
    """The deviance of one data set; holds the factored system at the theta of the last evaluation.

    Parameters
    ----------
    cp : CrossProducts
        Of orthonormal X (see `estimation.orthonormal`).
    system : PenalizedSystem
    parameters : Parameters
    reml : bool
    """

    def __init__(self, cp: CrossProducts, system: PenalizedSystem, parameters: Parameters, reml: bool):
        self.cp, self.system, self.parameters, self.reml = cp, system, parameters, reml
        self.p = cp.ZtXy.shape[1] - 1
        self.df = cp.n - self.p if reml else cp.n
        self._at: np.ndarray | None = None

    def evaluate(self, theta: np.ndarray) -> Evaluation:
        """Factor at theta and solve for beta, u and sigma2."""
        p = self.p
        factors = self.parameters.factors(theta)
        logdet = self.system.refactor(factors)
        self._at = theta.copy()
        rhs = self.multiply(factors, self.cp.ZtXy, transpose=True)
        solved = self.system.solve(rhs)
        w = self.cp.XytXy - rhs.T @ solved
        w = (w + w.T) / 2
        beta, inverse, logdet_x = solve_fixed(w[:p, :p], w[:p, p])
        r2 = float(w[p, p] - w[:p, p] @ beta)
        if not r2 > 0:
            raise NumericalError(
                "the residual sum of squares vanished: the random effects fit the response exactly. "
                "Is there a group for every observation, or a constant response within groups?"
            )
        deviance = logdet + self.df * (1 + np.log(2 * np.pi * r2 / self.df)) + (logdet_x if self.reml else 0.0)
        U = solved[:, :p]
        return Evaluation(self._at, float(deviance), beta, r2, r2 / self.df, solved[:, p] - U @ beta, U, inverse)

    @property
    def n_theta(self) -> int:
        return self.parameters.n_theta

    @property
    def factorizations(self) -> int:
        return self.system.factorizations

    @property
    def solver(self) -> str:
        """How the Schur complement is stored."""
        return self.system.rest.name

    def predictions(self, design: Design, derivatives: Derivatives) -> tuple[tuple, tuple]:
        """Random effects and their prediction-error covariance, term by term of the design."""
        from sparsemixed.estimation.objectives.penalized_predictions import random_effects

        return random_effects(self, derivatives, len(design.random))

    def derivatives(self, at: Evaluation) -> Derivatives:
        """Derivatives at an evaluation; the system is moved there if it stands elsewhere."""
        from sparsemixed.estimation.objectives.penalized_derivatives import Derivatives

        return Derivatives(self, at)

    def edges(self):
        """(places in theta, linear form, words) of every edge of the parameter space; see `Parameters.edges`."""
        yield from self.parameters.edges()

    def ensure(self, evaluation: Evaluation) -> None:
        """Make the system stand at `evaluation.theta`, refactoring only if it has moved."""
        if self._at is None or not np.array_equal(self._at, evaluation.theta):
            self.system.refactor(self.parameters.factors(evaluation.theta))
            self._at = evaluation.theta.copy()

    def through(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values (q, m)."""
        return self.cp.matrix @ values

    def multiply(self, factors: list[np.ndarray], values: np.ndarray, transpose: bool = False) -> np.ndarray:
        """Lambda @ values, or Lambda' @ values, for values (q, m)."""
        out = np.empty_like(values)
        for factor, where, k, j in zip(factors, self.cp.slices(), self.cp.k, self.cp.n_groups, strict=True):
            lam = factor.T if transpose else factor
            part = values[where].reshape(j, k, values.shape[1])
            out[where] = (lam @ part).reshape(j * k, values.shape[1])
        return out


def solve_fixed(xvx: np.ndarray, xvy: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """beta, inverse and log-determinant of the fixed effects' system (p may be 0)."""
    if not xvy.size:
        return xvy, xvx, 0.0
    try:
        factor = cho_factor(xvx, lower=True)
    except np.linalg.LinAlgError as error:
        raise NumericalError("the fixed effects are not identified given the random effects") from error
    inverse = cho_solve(factor, np.eye(xvy.size))
    return cho_solve(factor, xvy), inverse, 2.0 * float(np.log(np.diag(factor[0])).sum())
