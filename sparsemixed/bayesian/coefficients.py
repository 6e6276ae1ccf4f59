"""Coefficients integrated out exactly, given everything else: the likelihood of the variance parameters, and beta's own normal.

With the prior precision K and mean g0 of the coefficients gamma of orthonormal X (zero precision where the prior is flat),
gamma | phi, y ~ N(A^-1 b, A^-1) with A = W_xx / sigma2 + K and b = W_xy / sigma2 + K g0, and

    -2 log p(y | phi) = n log(2 pi sigma2) + log|V0| + log|A| + y'inv(V)y + g0'K g0 - b'A^-1 b + constants of the prior

(Lindley & Smith 1972). A flat prior makes this the restricted likelihood (Harville 1974).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.bayesian.sums import Sums
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.normal_coefficients import normal_coefficients
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.priors.single import LOG_2PI, Flat, Normal, Prior


@dataclass(frozen=True)
class Integrated:
    """Log likelihoods (S,) with coefficients integrated out, and their normal: means (S, p) and roots of A (S, p, p)."""

    log_likelihood: np.ndarray
    mean: np.ndarray
    root: np.ndarray


class CoefficientPrior:
    """Independent normal and flat priors of the coefficients as named.

    Parameters
    ----------
    priors : sequence of Normal or Flat
    orthogonal : OrthonormalCoordinates

    Attributes
    ----------
    K, g0 : (r, r), (r,)
        Precision and mean of the coefficients of orthonormal X.
    constant : float
        Of -2 log p(y | phi).
    """

    def __init__(self, priors: Sequence[Prior], orthogonal: OrthonormalCoordinates):
        normal = any(isinstance(prior, Normal) for prior in priors)
        if any(not isinstance(prior, (Normal, Flat)) for prior in priors):
            wrong = next(prior for prior in priors if not isinstance(prior, (Normal, Flat)))
            raise OptionError(
                f"bayes: coefficients have normal or flat priors, by which they integrate out exactly, not {wrong!r}"
            )
        if normal and orthogonal.constraints is not None:
            raise NotAvailableError("bayes: normal priors of coefficients under constraints are not available; use flat ones")
        self.flat, self.orthogonal = not normal, orthogonal
        own = normal_coefficients(priors, orthogonal)
        self.K, self.g0, self.constant = own.K, own.g0, orthogonal.constant(True) + own.constant

    def integrate(self, sums: Sums, sigma2: np.ndarray, n: float) -> Integrated:
        """At sigma2 (S,) beside the sums (S,)."""
        W, p = sums.W, len(self.g0)
        count = len(sigma2)
        quadratic = W[:, p, p] / sigma2 + self.g0 @ self.K @ self.g0
        base = n * (LOG_2PI + np.log(sigma2)) + sums.logdet + self.constant - p * LOG_2PI
        if not p:
            return Integrated(-0.5 * (base + quadratic), np.zeros((count, 0)), np.zeros((count, 0, 0)))
        A = W[:, :p, :p] / sigma2[:, None, None] + self.K
        b = W[:, :p, p] / sigma2[:, None] + self.K @ self.g0
        root = _cholesky(A)
        half = np.linalg.solve(root, b[:, :, None])
        mean = np.linalg.solve(root.transpose(0, 2, 1), half)[:, :, 0]
        base = base + 2.0 * np.log(np.einsum("saa->sa", root)).sum(axis=1)
        return Integrated(-0.5 * (base + quadratic - np.einsum("sa,sa->s", b, mean)), mean, root)

    def on_x(self, mean: np.ndarray) -> np.ndarray:
        """Coefficients (S, p) of X from those of orthonormal X (S, r)."""
        centre = self.orthogonal.coefficients(np.zeros(mean.shape[1]))
        return centre + self.orthogonal.root(np.ascontiguousarray(mean.T)).T

    def directions(self) -> np.ndarray:
        """(p, r): the derivative of the coefficients of X by those of orthonormal X."""
        return self.orthogonal.root(np.eye(len(self.g0)))


def _cholesky(A: np.ndarray) -> np.ndarray:
    """Roots of a stack; NaN where there is none."""
    try:
        return np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        out = np.full_like(A, np.nan)
        for s, one in enumerate(A):
            if np.all(np.isfinite(one)) and np.linalg.eigvalsh(one)[0] > 0:
                out[s] = np.linalg.cholesky(one)
        return np.where(np.isnan(out), np.eye(A.shape[-1]) * np.nan_to_num(out, nan=1e300), out)
