"""What a family of within-group error covariances must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from sparsemixed.structures.base import Parameter

STEP = 1e-100
"""Imaginary step of complex differentiation (Squire & Trapp 1998): exact to rounding, nothing is subtracted."""


class ResidualStructure(ABC):
    """A family of positive definite matrices R(rho; t), the covariance of one group's errors over sigma2.

    rho is unconstrained: every rho gives a valid matrix (`Toeplitz` excepted, which says why). `covariance` and
    `dcovariance` are analytic in rho and take complex rho, which is how exact second derivatives come for free.

    Attributes
    ----------
    name : str
        The option's word.
    time : {None, "integer", "level", "real"}
        What t() must be: absent, integers (lags count), one of a set of levels, or any numbers.
    n_rho : int
    """

    name: ClassVar[str]
    time: ClassVar[str | None]
    n_rho: int

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
    def display(self, rho: np.ndarray) -> list[Parameter]:
        """Parameters as printed; values of kind variance and covariance are relative to sigma2."""

    def start(self, moments: np.ndarray | None = None) -> np.ndarray:
        """rho (n_rho,) to start from; independence unless the family can use `moments` (see `Unstructured`)."""
        return np.zeros(self.n_rho)

    def second(self, rho: np.ndarray, t: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(n_rho, n_rho) sums over everything of weights (..., m, m) times d2R / drho drho'."""
        out = np.empty((self.n_rho, self.n_rho))
        for j in range(self.n_rho):
            moved = rho.astype(complex)
            moved[j] += 1j * STEP
            change = self.dcovariance(moved, t).imag / STEP
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


def unit_variance(n_rho: int) -> Parameter:
    """`var(e)` where R has unit diagonal: sigma2 itself."""
    return Parameter("var(e)", 1.0, "variance", np.zeros(n_rho))
