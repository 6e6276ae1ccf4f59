"""What methods of degrees of freedom need to know about a fit: derivatives of the precision, and information matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.solver.linalg import root_of_inverse


@dataclass(frozen=True)
class SecondOrder:
    """What the curvature of V in its parameters contributes, with W their covariance.

    Attributes
    ----------
    R : (p, p) float64
        root' (sum over k, l of W_kl R_kl) root, with R_kl = X'inv(V) (d2V / dphi_k dphi_l) inv(V)X.
    bias : (m,) float64
        The bias of the REML estimates of phi to first order: -W t / 4, t_j = sum over k, l of W_kl tr(M V_j M V_kl) with
        M = inv(V) - inv(V)X Phi X'inv(V) (Cox & Snell 1968; Kenward & Roger 2009).
    """

    R: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class FixedDerivatives:
    """First and second derivatives of the fixed effects' precision at the optimum.

    Attributes
    ----------
    root : (p, p) float64
        Phi = root root', the covariance of the coefficients.
    P : (m, p, p) float64
        root'P_k root for each variance parameter, the residual variance last.
    Q : (m, m, p, p) float64 or None
        root'Q_kl root; None when only first derivatives were asked for.
    expected, observed : (m, m) float64 or None
        Expected or observed information of the restricted likelihood, whichever was asked for.
    curvature : SecondOrder or None
        What the second derivatives of V add; None where V is linear in the parameters, or when Q was not asked for.
    nullity : int
        In how many directions the information is singular, because the parameters are not identified.
    on_face : (m, m) float64 or None
        Covariance of the parameters from the observed information where a covariance matrix is singular but not zero: of less
        than full rank, so that no information matrix stands for it (see `inference.information.singular`).
    """

    root: np.ndarray
    P: np.ndarray
    Q: np.ndarray | None
    expected: np.ndarray | None
    observed: np.ndarray | None
    curvature: SecondOrder | None = None
    nullity: int = 0
    on_face: np.ndarray | None = None

    def covariance(self, information: str) -> np.ndarray:
        """W (m, m), the covariance of the variance parameters from the `eim` or `oim`; NaN when that is not definite."""
        if information == "oim" and self.on_face is not None:
            return self.on_face
        matrix = self.observed if information == "oim" else self.expected
        if matrix is None:
            raise ValueError(f"the information matrix {information} was not computed")
        root = root_of_inverse(matrix, self.nullity)
        return np.full_like(matrix, np.nan) if root is None else root @ root.T


def nullity(fit: Fit, information: str) -> int:
    """Directions of the parameters that an information matrix is made of, `eim` or `oim`, of which the data tell nothing."""
    if fit.identification is None:
        return 0
    return fit.identification.inside if information == "eim" else fit.identification.free


def by_delta_method(information: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """An observed information matrix in phi from that in (theta, log sigma2), with jacobian = dphi / d(theta, log sigma2).

    At the optimum no second derivative is needed.

    Examples
    --------
    >>> by_delta_method(np.array([[8.0]]), np.array([[2.0]]))
    array([[2.]])
    """
    half = np.linalg.solve(jacobian.T, information)
    out = np.linalg.solve(jacobian.T, half.T)
    return (out + out.T) / 2
