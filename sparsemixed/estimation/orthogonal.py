"""Orthonormal fixed effects: the same model in coordinates in which nothing cancels.

X = QR and y - X b0, with b0 the least-squares coefficients, replace X and y. Cross-products of the residual response do not
lose digits to a large mean, and X'X becomes the identity, so badly scaled or nearly collinear covariates do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular


@dataclass(frozen=True)
class Orthogonal:
    """Q (n, p) orthonormal, R (p, p) upper triangular, start (p,) least-squares coefficients, residual (n,)."""

    Q: np.ndarray
    R: np.ndarray
    start: np.ndarray
    residual: np.ndarray

    @property
    def logdet(self) -> float:
        """log|X'X|."""
        return 2.0 * float(np.log(np.abs(np.diag(self.R))).sum())

    def coefficients(self, beta: np.ndarray) -> np.ndarray:
        """Coefficients (p,) on X from those on Q."""
        return self.start + solve_triangular(self.R, beta)

    def covariance(self, matrix: np.ndarray) -> np.ndarray:
        """Covariance (p, p) of the coefficients on X from that of those on Q."""
        half = solve_triangular(self.R, matrix)
        out = solve_triangular(self.R, half.T)
        return (out + out.T) / 2


def orthogonalize(X: np.ndarray, y: np.ndarray) -> Orthogonal:
    """Householder QR of X (n, p), full column rank, and the residual of y (n,)."""
    if X.shape[1] == 0:
        return Orthogonal(X, np.zeros((0, 0)), np.zeros(0), y)
    Q, R = np.linalg.qr(X)
    fitted = Q.T @ y
    residual = y - Q @ fitted
    again = Q.T @ residual  # a second pass removes what the first left of rounding (Giraud, Langou & Rozloznik 2005)
    return Orthogonal(Q, R, solve_triangular(R, fitted + again), residual - Q @ again)
