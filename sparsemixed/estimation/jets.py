"""Numbers with two derivatives each, by (theta of a block, log sigma2): what log densities of covariance matrices are made of.

Sigma = sigma2 F F' with a factor F that is linear in theta, so that with S_k and S_kl the derivatives of Sigma and W = inv(Sigma)

    d tr(C Sigma) = tr(C S_k)        d2 tr(C Sigma) = tr(C S_kl)
    d log|Sigma|  = tr(W S_k)        d2 log|Sigma|  = tr(W S_kl) - tr(W S_k W S_l)
    d tr(C W)     = -tr(C W S_k W)   d2 tr(C W)     = 2 tr(C W S_k W S_l W) - tr(C W S_kl W)

with the products of two first derivatives made symmetric.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.structures.random.base import RandomStructure


class Jet(NamedTuple):
    """A value with its gradient (n,) and Hessian (n, n)."""

    value: float
    gradient: np.ndarray
    hessian: np.ndarray

    def plus(self, other: Jet) -> Jet:
        """The sum."""
        return Jet(self.value + other.value, self.gradient + other.gradient, self.hessian + other.hessian)

    def times(self, factor: float) -> Jet:
        """A multiple."""
        return Jet(factor * self.value, factor * self.gradient, factor * self.hessian)

    def through(self, value: float, first: float, second: float) -> Jet:
        """A function of it, from what the function and its derivatives are there."""
        return Jet(value, first * self.gradient, first * self.hessian + second * np.outer(self.gradient, self.gradient))

    def log(self) -> Jet:
        """Its logarithm."""
        x = self.value
        return self.through(float(np.log(x)), 1.0 / x, -1.0 / x**2)

    def by(self, other: Jet) -> Jet:
        """The product."""
        mixed = np.outer(self.gradient, other.gradient)
        hessian = self.value * other.hessian + other.value * self.hessian + mixed + mixed.T
        return Jet(self.value * other.value, self.value * other.gradient + other.value * self.gradient, hessian)


def constant(value: float, n: int) -> Jet:
    """A number that does not move with n parameters."""
    return Jet(value, np.zeros(n), np.zeros((n, n)))


class CovarianceJets:
    """The covariance matrix (m, m) of one block and functions of it.

    Parameters
    ----------
    structure : RandomStructure
        Of the effects as named.
    theta : (q,) float64
    log_sigma2 : float
    """

    def __init__(self, structure: RandomStructure, theta: np.ndarray, log_sigma2: float):
        F, D, sigma2 = structure.factor(theta), structure.dfactor(), float(np.exp(log_sigma2))
        self.sigma2 = sigma2
        self.matrix = sigma2 * F @ F.T
        half = sigma2 * (D @ F.T)
        self.first = np.concatenate([half + half.transpose(0, 2, 1), self.matrix[None]])
        n = len(self.first)
        self.second = np.empty((n, n, *F.shape))
        pairs = sigma2 * np.einsum("kab,lcb->klac", D, D)
        self.second[:-1, :-1] = pairs + pairs.transpose(0, 1, 3, 2)
        self.second[-1] = self.second[:, -1] = self.first
        self._inverse: np.ndarray | None = None

    @property
    def inverse(self) -> np.ndarray:
        """inv(Sigma).

        Raises
        ------
        NumericalError
            It has none.
        """
        if self._inverse is None:
            if not np.all(np.isfinite(self.matrix)) or np.linalg.cond(self.matrix / self.sigma2) > 1e14:
                raise NumericalError("the prior's density vanishes at a singular covariance matrix")
            self._inverse = np.linalg.inv(self.matrix)
        return self._inverse

    def trace(self, C: np.ndarray) -> Jet:
        """tr(C Sigma) for a symmetric C (m, m)."""
        return Jet(float(np.vdot(C, self.matrix)), *(np.einsum("ab,...ab->...", C, d) for d in (self.first, self.second)))

    def variance(self, k: int) -> Jet:
        """Of the effect with place k."""
        return Jet(float(self.matrix[k, k]), self.first[:, k, k], self.second[:, :, k, k])

    def log_determinant(self) -> Jet:
        """log|Sigma|."""
        W = self.inverse
        WS = W @ self.first
        products = np.einsum("kab,lba->kl", WS, WS)
        hessian = np.einsum("ab,klba->kl", W, self.second) - products
        sign, value = np.linalg.slogdet(self.matrix)
        if sign <= 0:
            raise NumericalError("the prior's density vanishes at a singular covariance matrix")
        return Jet(float(value), np.einsum("kaa->k", WS), hessian)

    def inverse_trace(self, C: np.ndarray) -> Jet:
        """tr(C inv(Sigma)) for a symmetric C (m, m)."""
        W = self.inverse
        WCW = W @ C @ W
        SW = self.first @ W
        products = np.einsum("kab,lbc,ca->kl", SW, self.first, WCW)
        hessian = products + products.T - np.einsum("ab,klba->kl", WCW, self.second)
        return Jet(float(np.vdot(C, W)), -np.einsum("ab,kba->k", WCW, self.first), hessian)
