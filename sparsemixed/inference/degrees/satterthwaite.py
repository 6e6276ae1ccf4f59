"""Satterthwaite's degrees of freedom: one row by Giesbrecht & Burns (1985), several by Fai & Cornelius (1996)."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.method import Degrees
from sparsemixed.inference.information.penalized import fixed_derivatives
from sparsemixed.inference.information.values import FixedDerivatives


class Satterthwaite:
    """nu = 2 v^2 / Var(v) for v = c'Phi c, with Var(v) = d'Wd, d_k = dv/dphi_k = -c'Phi P_k Phi c (manual, equation 15).

    Parameters
    ----------
    information : {"eim", "oim"}
        Which information matrix W is the inverse of.
    """

    def __init__(self, information: str = "eim"):
        self.information = information

    def _derivatives(self, fit: Fit) -> FixedDerivatives:
        return fixed_derivatives(fit, self.information, second=False)

    def covariance(self, fit: Fit) -> np.ndarray:
        """(p, p): the model-based covariance."""
        return fit.vcov_beta

    def dof(self, fit: Fit, K: np.ndarray) -> Degrees:
        """Degrees of freedom of the test of K beta for K (l, p) of full row rank.

        The spectral decomposition K Phi K' = U D U' makes the F statistic a mean of l squared t statistics with nu_m
        degrees of freedom each. Its expectation is E / l with E the sum of nu_m / (nu_m - 2), which an F distribution
        with nu = 2 E / (E - l) has too. Where one nu_m is at most 2 that expectation is infinite and nu has the limit 2.
        """
        found = self._derivatives(fit)
        W = found.covariance(self.information)
        half = K @ found.root
        vectors = np.linalg.eigh(half @ half.T)[1]
        nu = np.array([single(found.P, W, row) for row in vectors.T @ half])
        if len(nu) == 1 or not np.all(np.isfinite(nu)):
            return Degrees(float(nu[0]) if len(nu) == 1 else _limit(nu))
        return Degrees(joint(nu))

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) degrees of freedom of every coefficient alone."""
        found = self._derivatives(fit)
        W = found.covariance(self.information)
        return np.array([single(found.P, W, row) for row in found.root])


def single(P: np.ndarray, W: np.ndarray, h: np.ndarray) -> float:
    """nu of one contrast h (p,) in coordinates in which Phi is the identity; P (m, p, p), W (m, m).

    Examples
    --------
    >>> single(np.array([[[-1.0]]]), np.array([[0.25]]), np.array([3.0]))
    8.0
    """
    move = np.einsum("a,kab,b->k", h, P, h)
    spread = float(move @ W @ move)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(2.0 * float(h @ h) ** 2, spread))


def joint(nu: np.ndarray) -> float:
    """Degrees of freedom of a mean of squared t statistics.

    Examples
    --------
    >>> joint(np.array([10.0, 10.0])), round(joint(np.array([5.0, 20.0])), 4), joint(np.array([1.5, 9.0]))
    (10.0, 7.1429, 2.0)
    """
    if np.any(nu <= 2.0):
        return 2.0
    if np.ptp(nu) <= 1e-8 * nu[0]:
        return float(nu.mean())
    expectation = float(np.sum(nu / (nu - 2.0)))
    return 2.0 * expectation / (expectation - len(nu))


def _limit(nu: np.ndarray) -> float:
    """With infinite degrees of freedom among them, nu / (nu - 2) is 1 there; NaN stays NaN."""
    return float("nan") if np.any(np.isnan(nu)) else joint(np.minimum(nu, 1e12))
