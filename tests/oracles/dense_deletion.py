"""Deletion of rows by brute force: V of the others, their own generalized least squares, and what it predicts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Gls(NamedTuple):
    """Coefficients (p,) and their covariance (p, p)."""

    beta: np.ndarray
    covariance: np.ndarray


def gls(V: np.ndarray, X: np.ndarray, y: np.ndarray) -> Gls:
    """Generalized least squares with known V (n, n)."""
    L = np.linalg.cholesky(V)
    A, b = np.linalg.solve(L, X), np.linalg.solve(L, y)
    Q, R = np.linalg.qr(A)
    inverse = np.linalg.inv(R)
    return Gls(inverse @ (Q.T @ b), inverse @ inverse.T)


def determined(X: np.ndarray) -> bool:
    return np.linalg.matrix_rank(X, tol=1e-8 * np.linalg.norm(X)) == X.shape[1]


def measures(whole: Gls, rest: Gls) -> dict[str, float]:
    """The named measures of a deletion, by their definitions."""
    delta, p = whole.beta - rest.beta, whole.beta.size
    information = np.linalg.inv(whole.covariance)
    return {
        "cooks": delta @ information @ delta / p,
        "mdffits": delta @ np.linalg.inv(rest.covariance) @ delta / p,
        "covratio": np.linalg.det(rest.covariance) / np.linalg.det(whole.covariance),
        "covtrace": abs(np.trace(information @ rest.covariance) - p),
    }


class Predicted(NamedTuple):
    """Mean (m,) and covariance (m, m) of left-out rows given the others, and the log density of what was left out."""

    mean: np.ndarray
    covariance: np.ndarray
    density: float


def predicted(V: np.ndarray, X: np.ndarray, y: np.ndarray, out: np.ndarray) -> Predicted:
    """Kriging of the rows `out` (n,) from the others, with coefficients estimated from these (universal kriging)."""
    keep = ~out
    rest = gls(V[np.ix_(keep, keep)], X[keep], y[keep])
    weights = np.linalg.solve(V[np.ix_(keep, keep)], V[np.ix_(keep, out)])
    mean = X[out] @ rest.beta + weights.T @ (y[keep] - X[keep] @ rest.beta)
    left = X[out] - weights.T @ X[keep]
    covariance = V[np.ix_(out, out)] - V[np.ix_(out, keep)] @ weights + left @ rest.covariance @ left.T
    error = y[out] - mean
    _, logdet = np.linalg.slogdet(covariance)
    density = -0.5 * (error @ np.linalg.solve(covariance, error) + logdet + error.size * np.log(2.0 * np.pi))
    return Predicted(mean, covariance, float(density))


def leverages(V: np.ndarray, R: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Diagonal of the derivative of X beta + E(Zb | y) by y, I - R P."""
    inverse = np.linalg.inv(V)
    VX = inverse @ X
    P = inverse - VX @ np.linalg.solve(X.T @ VX, VX.T)
    return 1.0 - np.einsum("ij,ji->i", R, P)
