"""Least squares with bounds on every unknown, of few unknowns."""

from __future__ import annotations

import numpy as np

CLOSE = 1e-10
"""Cosine of the angle between the residual and a column up to which moving along that column gains nothing."""


def bounded_least_squares(A: np.ndarray, b: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The x (c,) with lower <= x <= upper that minimizes |A x - b|, by sets of unknowns that are free and that stand at a bound.

    Unknowns join the free ones one by one, that of the steepest descent first, and leave these at the bound that they meet on the
    way to the free ones' least squares (Stark & Parker 1995); of several minima it finds one. `scipy.optimize` has the same, and
    takes longer to load than most fits, and 22 MB.

    Parameters
    ----------
    A : (m, c)
    b : (m,)
    lower, upper : (c,)
        Finite.

    Examples
    --------
    >>> A = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> bounded_least_squares(A, np.array([1.0, -1.0]), np.zeros(2), np.ones(2))
    array([0.4, 0. ])
    """
    x = np.linalg.lstsq(A, b, rcond=None)[0]
    free = (x > lower) & (x < upper)
    x = np.clip(x, lower, upper)
    lengths = np.linalg.norm(A, axis=0)
    # Hardly an unknown joins twice. Where rounding would have one come and go for ever, what is found by then will do.
    for _ in range(3 * x.size + 1):
        _free_least_squares(A, b, lower, upper, x, free)
        residual = b - A @ x
        slope = A.T @ residual
        wins = np.where(x > lower, -slope, slope)  # by leaving the bound inwards
        wins[free | (lower == upper) | (np.abs(slope) <= CLOSE * lengths * np.linalg.norm(residual))] = 0.0
        best = int(np.argmax(wins))
        if wins[best] <= 0.0:
            break
        free[best] = True
    return x


def _free_least_squares(
    A: np.ndarray, b: np.ndarray, lower: np.ndarray, upper: np.ndarray, x: np.ndarray, free: np.ndarray
) -> None:
    """Move the free unknowns, in place, to their least squares; those that meet a bound on the way stay there, no longer free."""
    while free.any():
        wanted = np.linalg.lstsq(A[:, free], b - A[:, ~free] @ x[~free], rcond=None)[0]
        here, below, above = x[free], lower[free], upper[free]
        outside = (wanted < below) | (wanted > above)
        if not outside.any():
            x[free] = wanted
            return
        bound = np.where(wanted < below, below, above)
        share = np.full(wanted.size, np.inf)
        share[outside] = (bound - here)[outside] / (wanted - here)[outside]
        first = share.min()
        here = np.clip(here + first * (wanted - here), below, above)
        stays = share <= first
        here[stays] = bound[stays]
        x[free] = here
        free[np.flatnonzero(free)[stays]] = False
