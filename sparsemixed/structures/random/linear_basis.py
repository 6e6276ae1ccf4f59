"""The linear pattern of a family of covariance matrices: its distinct entries."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sparsemixed.structures.random.base import RandomStructure


def effects_on_edge(structure: RandomStructure, theta: np.ndarray) -> np.ndarray:
    """(m,) bool: the effects that depend on no parameter but those of `theta` (q,) bool.

    Examples
    --------
    >>> from sparsemixed.structures.random.independent import Independent
    >>> effects_on_edge(Independent(2), np.array([False, True]))
    array([False,  True])
    """
    rows = structure.dfactor().any(axis=2)
    return np.asarray(~(rows & ~theta[:, None]).any(axis=0))


def entries_on_edge(structure: RandomStructure, theta: np.ndarray) -> np.ndarray:
    """(q,) bool: the displayed entries of the effects that depend on no parameter but those of `theta` (q,) bool."""
    gone = effects_on_edge(structure, theta) if theta.any() else theta
    if not gone.any():
        return np.zeros(len(theta), bool)
    return np.asarray((linear_basis(structure).any(axis=2) & gone).any(axis=1))


def linear_basis(structure: RandomStructure) -> np.ndarray:
    """Derivatives (q, m, m) of the covariance matrix with respect to its displayed entries.

    The covariance S is the sum of value_k B_k over the displayed variances and covariances, so dS/dtheta_j is the sum of
    dvalue_k/dtheta_j B_k, which determines B at any interior theta.

    Examples
    --------
    >>> from sparsemixed.structures.random.exchangeable import Exchangeable
    >>> linear_basis(Exchangeable(2))
    array([[[1., 0.],
            [0., 1.]],
           [[0., 1.],
            [1., 0.]]])
    """
    return _linear_basis(structure.in_own_basis()).copy()


@lru_cache(maxsize=64)
def _linear_basis(structure: RandomStructure) -> np.ndarray:
    """The same, of a family in its own basis, which its class and dimensions tell; not to be changed."""
    m = structure.m
    theta = structure.nearest(np.eye(m) + 0.25)
    factor, first = structure.factor(theta), structure.dfactor()
    half = first @ factor.T
    moves = half + half.transpose(0, 2, 1)
    names = tuple(f"x{i}" for i in range(m))
    jacobian = np.array([p.gradient for p in structure.display(theta, names)])
    # Most entries of B are 0 or 1; rounding takes off what the solution left.
    return np.round(np.linalg.solve(jacobian.T, moves.reshape(len(moves), -1)), 12).reshape(-1, m, m) + 0.0
