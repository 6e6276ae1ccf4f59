"""Kenward & Roger (1997, 2009): the bias-adjusted covariance, and a scaled F test with approximate degrees of freedom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import fixed_coefficients
from sparsemixed.inference.degrees.method import Degrees
from sparsemixed.inference.information.penalized import fixed_derivatives
from sparsemixed.inference.information.values import FixedDerivatives


class KenwardRoger:
    """Phi_A = Phi + 2 Phi {sum_kl W_kl (Q_kl - P_k Phi P_l)} Phi (manual, equation 16), and F moments matched to it.

    The second derivatives R_kl of the paper are left out, so that everything is the same in all parametrizations of V; where V
    is linear in its parameters they vanish, and this is the full adjustment.

    Parameters
    ----------
    information : {"eim", "oim"}
        Which information matrix W is the inverse of.
    """

    def __init__(self, information: str = "eim"):
        self.information = information

    def covariance(self, fit: Fit) -> np.ndarray:
        """(p, p): Phi_A."""
        found = fixed_derivatives(fit, self.information)
        assert found.Q is not None
        W = found.covariance(self.information)
        weighted = np.tensordot(W, found.P, axes=1)
        inner = np.tensordot(W, found.Q, axes=([0, 1], [0, 1])) - np.einsum("kab,kbc->ac", found.P, weighted)
        adjusted = np.eye(len(inner)) + inner + inner.T + self._second_order_term(found)
        out = found.root @ adjusted @ found.root.T
        return (out + out.T) / 2

    def _second_order_term(self, found: FixedDerivatives) -> np.ndarray | float:
        """What the curvature of V adds, in coordinates in which Phi is the identity."""
        return 0.0

    def dof(self, fit: Fit, K: np.ndarray) -> Degrees:
        """Degrees of freedom and scale of the F test of K beta, for K (l, p) of full row rank."""
        found = fixed_derivatives(fit, self.information)
        W = found.covariance(self.information)
        # The projection Theta of the paper becomes H H' with orthonormal H in coordinates in which Phi is the identity.
        H = np.linalg.qr((K @ found.root).T)[0]
        inside = H.T @ found.P @ H
        traces = np.einsum("kaa->k", inside)
        A1 = float(traces @ W @ traces)
        A2 = float(np.einsum("kl,kab,lba->", W, inside, inside, optimize=True))
        return matched_moments(len(K), A1, A2)

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) degrees of freedom of every coefficient alone; NaN for values that constraints fix."""
        fixed = fixed_coefficients(fit)
        rows = np.eye(len(fit.beta))
        return np.array([np.nan if held else self.dof(fit, row[None]).df for row, held in zip(rows, fixed, strict=True)])


class FullKenwardRoger(KenwardRoger):
    """With the second derivatives: Phi_A = Phi + 2 Phi {sum_kl W_kl (Q_kl - P_k Phi P_l - R_kl / 4)} Phi (Kenward & Roger 1997).

    Where V is not linear in its parameters this depends on how they are chosen; here as printed.
    """

    def _second_order_term(self, found: FixedDerivatives) -> np.ndarray | float:
        return 0.0 if found.curvature is None else -0.5 * found.curvature.R


class KenwardRoger2009(KenwardRoger):
    """The full adjustment less sum_k b_k dPhi/dphi_k = -sum_k b_k Phi P_k Phi, with b the bias of the estimates of phi.

    This is the term that Kenward & Roger (2009) found missing; the result is the same in all parametrizations.
    """

    def _second_order_term(self, found: FixedDerivatives) -> np.ndarray | float:
        if found.curvature is None:
            return 0.0
        return np.tensordot(found.curvature.bias, found.P, axes=1) - 0.5 * found.curvature.R


class Moments(NamedTuple):
    """Approximate mean and variance of the F statistic (Kenward & Roger 1997, section 3)."""

    mean: float
    rho: float


def matched_moments(rows: int, A1: float, A2: float) -> Degrees:
    """nu and lambda such that lambda F is F(rows, nu) to second order.

    For one row nu = 2 / A2 and lambda = 1 exactly, which is Satterthwaite's answer.

    Examples
    --------
    >>> matched_moments(1, 0.2, 0.2)
    Degrees(df=10.0, scale=1.0)
    >>> nu, scale = matched_moments(3, 1.5, 0.5)  # the exact case A1 = l A2: nu = 2 l^2 / A1
    >>> round(nu, 9), round(scale, 9)
    (12.0, 1.0)
    """
    if not (np.isfinite(A1) and np.isfinite(A2)):
        return Degrees(float("nan"))
    if A2 <= 0.0:
        return Degrees(float("inf"))
    if rows == 1:
        return Degrees(2.0 / A2)
    moments = _moments(rows, A1, A2)
    nu = 4.0 + (rows + 2.0) / (rows * moments.rho - 1.0)
    # At nu = 2 the scale has a pole that belongs to the approximation, not to the data (so does pbkrtest).
    scale = 1.0 if abs(nu - 2.0) < 1e-2 else nu / (moments.mean * (nu - 2.0))
    return Degrees(float(nu), float(scale))


def _moments(rows: int, A1: float, A2: float) -> Moments:
    B = (A1 + 6.0 * A2) / (2.0 * rows)
    g = ((rows + 1.0) * A1 - (rows + 4.0) * A2) / ((rows + 2.0) * A2)
    bottom = 3.0 * rows + 2.0 * (1.0 - g)
    c1, c2, c3 = g / bottom, (rows - g) / bottom, (rows + 2.0 - g) / bottom
    left, right = 1.0 - A2 / rows, 1.0 - c2 * B
    # Both vanish together in exact cases with few degrees of freedom.
    ratio = 1.0 if abs(left) < 1e-14 and abs(right) < 1e-14 else left / right
    rho = ratio**2 * (1.0 + c1 * B) / (1.0 - c3 * B) / rows
    return Moments(1.0 / left if left else float("inf"), rho)
