"""The observed information where a covariance matrix is singular but not zero.

On that face of the parameter space G = A A' with A (m, r): free are the directions in which G stays singular, and in them the
likelihood is smooth. theta, the entries of the factor, runs over them, and over directions of two more kinds along which G does
not move to first order: rotations of A, which change nothing, and those that leave the face. Across the face the deviance has a
curvature of its own, 2 tr(N'SN) with S its derivative by G, SA = 0; a free direction that has a part N in it besides carries that
part in its curvature, too. What is left after minimising over all directions that do not move G,

    I_free = I_TT - I_TN pinv(I_NN) I_NT,

is the curvature on the face alone, whatever the triangle that theta fills: T spans the row space of dphi/dtheta, N the rest.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.solver.linalg import root_of_inverse, unit_diagonal

STILL = 1e-8
"""Singular value, relative to the largest, of dphi/dtheta below which a direction does not move G; eigenvalue of the scaled
information below which it does not move the deviance."""


def without_singular(layout: ThetaMap, theta: np.ndarray, boundary: np.ndarray) -> np.ndarray:
    """The boundary (n_theta,) bool without covariance matrices that are singular but not zero: their entries are not known.

    What the layout holds at zero stays on it.
    """
    boundary, held = boundary.copy(), layout.held
    for place in layout.places:
        if boundary[place.theta].any() and theta[place.theta].any():
            boundary[place.theta] = held[place.theta]
    return boundary


def covariance_on_face(information: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """Covariance W (m, m) of phi, NaN where the information is not definite on the face.

    Parameters
    ----------
    information : (k, k) float64
        Observed information of (theta, log sigma2), with that of the directions that do not move phi.
    jacobian : (m, k) float64
        dphi / d(theta, log sigma2), of any rank.

    Examples
    --------
    A second parameter that does not move phi, independent of the first:

    >>> covariance_on_face(np.diag([4.0, 9.0]), np.array([[2.0, 0.0]]))
    array([[1.]])
    """
    scale, scaled = unit_diagonal(information)
    moves = jacobian / scale
    size = np.linalg.norm(moves, axis=1, keepdims=True)
    _, singular, rows = np.linalg.svd(moves / np.where(size > 0, size, 1.0))
    rank = int(np.sum(singular > STILL * singular[0]))
    T, N = rows[:rank].T, rows[rank:].T
    across = T.T @ scaled @ N
    free = T.T @ scaled @ T - across @ _pseudo_inverse(N.T @ scaled @ N) @ across.T
    root = root_of_inverse((free + free.T) / 2)
    if root is None:
        return np.full((len(jacobian), len(jacobian)), np.nan)
    half = moves @ T @ root
    return half @ half.T


def _pseudo_inverse(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    kept = values > STILL
    return vectors[:, kept] / values[kept] @ vectors[:, kept].T
