"""The deviance without random effects: a constant of the data, beside which only sigma2 and coefficients move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.interface import Curvature


@dataclass(frozen=True)
class LinearEvaluation:
    """The one evaluation; the attributes are those of `estimation.interface.FittedEvaluation`."""

    theta: np.ndarray
    deviance: float
    beta: np.ndarray
    pwrss: float
    sigma2: float
    XVX_inverse: np.ndarray


@dataclass(frozen=True)
class LinearDerivatives:
    """There are no parameters to differentiate by but log sigma2."""

    observed_information: Curvature
    gradient: np.ndarray
    score_slopes: np.ndarray


class LinearObjective:
    """y ~ N(X beta, sigma2 I) with orthonormal X and a residual sum of squares.

    Parameters
    ----------
    square : float
    n : float
        Rows.
    p : int
        Columns of X.
    reml : bool
    """

    def __init__(self, square: float, n: float, p: int, reml: bool):
        self.p, self.reml, self.df, self.n_theta = p, reml, n - p if reml else n, 0
        deviance = self.df * (1.0 + np.log(2.0 * np.pi * square / self.df))
        self._at = LinearEvaluation(np.zeros(0), float(deviance), np.zeros(p), square, square / self.df, np.eye(p))

    def evaluate(self, theta: np.ndarray) -> LinearEvaluation:
        """The one evaluation."""
        return self._at

    def derivatives(self, at: LinearEvaluation) -> LinearDerivatives:
        """Those by log sigma2, whose corner the caller puts in."""
        return LinearDerivatives(Curvature(np.zeros(0), np.full((1, 1), self.df)), np.zeros(0), np.zeros((0, self.p)))
