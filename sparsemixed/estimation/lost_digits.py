"""How well the log likelihood is known where random effects are very much larger than the errors.

The residual sum of squares is what is left of y'y when the random effects have taken their share. With sums that are rounded to
eps y'y, its relative error is eps y'y / pwrss, and the log likelihood has half of that for every observation: nothing to speak of
up to standard deviations of 1e4 times those of the errors, 1e-4 at 1e5 with a hundred observations, no digit at 1e8.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.fit import Component

SHARE = 1e8
"""y'y over the residual sum of squares up to which the log likelihood keeps eight digits for each observation."""
KNOWN = 1e-6
"""Error of the log likelihood that need not be told."""


def lost_digits(design: Design, components: Callable[[], tuple[Component, ...]], squares: float, pwrss: float, df: float) -> str:
    """What is not known of the log likelihood, with the component that is so large; empty where all digits are there.

    Parameters
    ----------
    design : Design
    components : callable
        Those of the fit, made only where they are needed.
    squares : float
        y'y of the response less its fixed part's least-squares fit.
    pwrss : float
        The penalised residual sum of squares.
    df : float
        Observations, less the coefficients under REML.
    """
    if not has_lost_digits(squares, pwrss, df):
        return ""
    error = _error(squares, pwrss, df)
    parts = components()
    if len(parts) < 2:
        return ""
    sizes = _mean_squares(design)
    part = max(parts[:-1], key=lambda part: _largest(part)[0] * sizes[part.position])
    assert part.block is not None
    (large, name), errors, group = _largest(part), parts[-1].variances[0], part.block.equation
    return (
        f"{name} of {group} is {large / max(errors.estimate, np.finfo(float).tiny):.0e} times {errors.label}: few digits of the "
        f"smaller one are left in double precision, and the log likelihood may be off by {error:.0e}. With {group} as a factor "
        "in the fixed part all digits are there."
    )


def has_lost_digits(squares: float, pwrss: float, df: float) -> bool:
    """Whether there may be something to tell; parameters as of `lost_digits`."""
    return squares > SHARE * pwrss and _error(squares, pwrss, df) > KNOWN


def _error(squares: float, pwrss: float, df: float) -> float:
    return 0.5 * df * float(np.finfo(float).eps) * squares / pwrss


def _largest(part: Component) -> tuple[float, str]:
    """The largest variance of a component, and what it is called."""
    return max((p.estimate, p.label) for p in part.variances if p.kind == "variance")


def _mean_squares(design: Design) -> dict[int | None, float]:
    """Of the largest column of each equation; ones where rows are not in memory."""
    found: dict[int | None, float] = {}
    for term in design.random:
        column = 0
        for block in term.blocks:
            stop = column + block.structure.m
            found[block.position] = float((term.columns[:, column:stop] ** 2).mean(axis=0).max()) if design.has_rows else 1.0
            column = stop
    return found
