"""-2 log likelihood along log sigma2, coefficients at their best or integrated out, beside flat or normal priors of them.

With K and g0 the precision and mean of the coefficients, W = [X y]'inv(V0)[X y] and Phi = inv(W_xx + sigma2 K),

    beta = Phi (W_xy + sigma2 K g0),   f = df log sigma2 + Q / sigma2 + (beta - g0)'K(beta - g0) + log|inv(Phi)|

Q being the squares of y - X beta in inv(V0), and the determinant that of REML, where coefficients are integrated out
(Lindley & Smith 1972). sigma2 enters the coefficients, so that it has no closed form.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from sparsemixed.estimation.fixed_effects import solve_fixed
from sparsemixed.estimation.normal_coefficients import NormalCoefficients


class AlongSigma(NamedTuple):
    """The value and its first two derivatives by log sigma2."""

    value: float
    slope: float
    curve: float


class Squares(Protocol):
    """-2 log likelihood, but for what does not depend on sigma2, at any log sigma2."""

    def at(self, log_sigma2: float) -> AlongSigma:
        """With derivatives."""
        ...


class FlatSquares(NamedTuple):
    """Of flat priors of the coefficients."""

    pwrss: float
    df: float

    def at(self, log_sigma2: float) -> AlongSigma:
        """With derivatives."""
        share = self.pwrss * float(np.exp(-log_sigma2))
        return AlongSigma(self.df * log_sigma2 + share, self.df - share, share)


class NormalSquares(NamedTuple):
    """Of normal priors: W (p + 1, p + 1), the priors, and the degrees of freedom that REML leaves."""

    W: np.ndarray
    normal: NormalCoefficients
    df: float
    reml: bool

    def solved(self, log_sigma2: float) -> tuple[np.ndarray, np.ndarray, float, float]:
        """beta (p,), Phi (p, p), log|inv(Phi)| and Q."""
        p, K = len(self.normal.g0), float(np.exp(log_sigma2)) * self.normal.K
        beta, inverse, logdet = solve_fixed(self.W[:p, :p] + K, self.W[:p, p] + K @ self.normal.g0)
        v = np.append(-beta, 1.0)
        return beta, inverse, logdet, float(v @ self.W @ v)

    def at(self, log_sigma2: float) -> AlongSigma:
        """With derivatives."""
        beta, inverse, logdet, square = self.solved(log_sigma2)
        sigma2, off, K = float(np.exp(log_sigma2)), beta - self.normal.g0, self.normal.K
        value = self.df * log_sigma2 + square / sigma2 + float(off @ K @ off) + self.normal.constant
        slope, curve = along_sigma(inverse, off, K, sigma2, self.df, square, self.reml)
        return AlongSigma(value + (logdet if self.reml else 0.0), slope, curve)


def along_sigma(
    inverse: np.ndarray, off: np.ndarray, K: np.ndarray, sigma2: float, df: float, square: float, reml: bool
) -> tuple[float, float]:
    """First and second derivative by log sigma2, from Phi, beta - g0, K and Q."""
    pull = sigma2 * K @ off
    slope, curve = df - square / sigma2, square / sigma2 - 2.0 / sigma2 * float(pull @ inverse @ pull)
    if not reml:
        return slope, curve
    shrunk = inverse @ (sigma2 * K)
    trace = float(np.trace(shrunk))
    return slope + trace, curve + trace - float(np.vdot(shrunk, shrunk.T))
