"""The basis of natural cubic splines that R's `ns()` has; formulaic has none with these columns.

A cubic spline is natural if its second derivative vanishes at the boundary knots, beyond which it goes on as a straight line. Its
basis: B-splines (without the first, when the constant stands elsewhere) times the complement of the two constraints, the last
columns of the Q of a QR decomposition of their transpose (Hastie 1992, section 7.6 of Chambers & Hastie).
"""

from __future__ import annotations

from typing import Any

import numpy as np

DEGREE = 3


def natural_spline(
    x: np.ndarray,
    df: int | None = None,
    knots: tuple[float, ...] | None = None,
    intercept: bool = False,
    lower_bound: float | None = None,
    upper_bound: float | None = None,
    _state: dict[str, Any] | None = None,
) -> np.ndarray:
    """The columns (m, df) of the basis in the m values of x, none of which is missing.

    Parameters
    ----------
    x : (m,) float64
    df : int, optional
        Columns; the df - 1 inner knots, one less with an intercept, are quantiles of x.
    knots : tuple of float, optional
        Inner knots in place of `df`; without either there are none.
    intercept : bool
    lower_bound, upper_bound : float, optional
        Boundary knots; the extremes of x by default.
    _state : dict
        Filled when it is empty, as formulaic's transforms do.

    Raises
    ------
    ValueError
        Fewer columns than there can be, knots outside of the boundary or that coincide.
    """
    from scipy.interpolate import BSpline  # which takes a while to import

    state = {} if _state is None else _state
    if not state:
        ends = (x.min() if lower_bound is None else lower_bound, x.max() if upper_bound is None else upper_bound)
        inner = _inner_knots(x, ends, df, knots, intercept)
        state["knots"] = np.array([*[ends[0]] * (DEGREE + 1), *inner, *[ends[1]] * (DEGREE + 1)])
        state["basis"] = _natural(state["knots"], intercept)
    spline = BSpline(state["knots"], state["basis"], DEGREE)
    first, last = state["knots"][0], state["knots"][-1]
    inside = np.clip(x, first, last)
    beyond = (x - inside)[:, None]
    return spline(inside) + beyond * spline.derivative(1)(np.where(x < first, first, last))


def _natural(knots: np.ndarray, intercept: bool) -> np.ndarray:
    """Coefficients (m, k) of the k natural splines on the m B-splines."""
    from scipy.interpolate import BSpline

    m = len(knots) - DEGREE - 1
    kept = np.arange(m) >= (0 if intercept else 1)
    bends = BSpline(knots, np.eye(m), DEGREE).derivative(2)(knots[[0, -1]])[:, kept]
    basis = np.zeros((m, kept.sum() - 2))
    basis[kept] = np.linalg.qr(bends.T, mode="complete")[0][:, 2:]
    return basis


def _inner_knots(
    x: np.ndarray, ends: tuple[float, float], df: int | None, knots: tuple[float, ...] | None, intercept: bool
) -> np.ndarray:
    """The knots between the boundary knots, ascending."""
    if knots is None:
        count = 0 if df is None else df - 1 - intercept
        if count < 0:
            raise ValueError(f"df must be at least {1 + intercept}, found {df}")
        within = x[(x >= ends[0]) & (x <= ends[1])]
        knots = tuple(np.quantile(within, np.linspace(0, 1, count + 2)[1:-1]))
    found = np.sort(np.asarray(knots, dtype=np.float64))
    if not (np.diff([ends[0], *found, ends[1]]) > 0).all():
        raise ValueError("the knots must differ from each other and lie between the boundary knots")
    return found
