"""What the model's constraints leave of a hypothesis: rows K beta that the free coefficients can move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.solver.linalg import Equation, orthogonal_remainder

DEPENDENT = 1e-9
"""Share of a row, measured in standard errors, that must be new for the row not to follow from those before it."""


class FreeRows(NamedTuple):
    """Which rows to keep, and for the others whether what they demand is true already: (l,) bool each."""

    kept: np.ndarray
    holds: np.ndarray


def moving_rows(fit: Fit, K: np.ndarray, r: np.ndarray | None = None) -> FreeRows:
    """Rows of K beta = r that say something new about the free coefficients, taken in order.

    K beta = K T gamma + K a. A row with K T = 0 has a value that the constraints fix; a row that others determine through the
    constraints has no variance of its own: under x1 + x2 = 1, after x1 = 0, neither x2 = 0 (false) nor x2 = 1 (true) can be
    tested. Stata's `test` drops such rows, true or not.

    Parameters
    ----------
    K : (l, p) float64
    r : (l,) float64, optional
        Zero by default.
    """
    kept, holds = np.ones(len(K), bool), np.ones(len(K), bool)
    if fit.design.constraints is None:
        return FreeRows(kept, holds)
    values = np.zeros(len(K)) if r is None else r
    half, sizes = K @ fit.root, row_sizes(fit, K)
    basis: list[Equation] = []
    for i, (row, size) in enumerate(zip(half, sizes, strict=True)):
        # In coordinates in which the covariance is the identity: row . delta = distance, delta the move from the estimate.
        left, right, changed = orthogonal_remainder(basis, row, values[i] - K[i] @ fit.beta)
        length = float(np.linalg.norm(left))
        kept[i] = length > DEPENDENT * size
        if kept[i]:
            basis.append((left / length, right / length))
        else:
            holds[i] = abs(right) <= 1e-9 * (np.abs(K[i]) @ np.abs(fit.beta) + abs(values[i]) + changed)
    return FreeRows(kept, holds)


def held_rows(fit: Fit, K: np.ndarray) -> np.ndarray:
    """Which rows of K beta (l, p) have a value that the constraints fix, (l,) bool."""
    if fit.design.constraints is None:
        return np.zeros(len(K), bool)
    return np.linalg.norm(K @ fit.root, axis=1) <= DEPENDENT * row_sizes(fit, K)


def row_sizes(fit: Fit, K: np.ndarray) -> np.ndarray:
    """Size of each row (l,) with every coefficient measured in standard errors, as if they were independent."""
    return np.linalg.norm(K * np.linalg.norm(fit.root, axis=1), axis=1)


def fixed_coefficients(fit: Fit) -> np.ndarray:
    """Coefficients whose value the constraints fix, (p,) bool."""
    constraints = fit.design.constraints
    return np.zeros(len(fit.beta), bool) if constraints is None else constraints.fixed
