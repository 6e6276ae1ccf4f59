"""Points of a normal quantile plot, and the line through its quartiles."""

from __future__ import annotations

import numpy as np

from sparsemixed.inference.hypotheses.distributions import normal_quantiles

MOST = 5_000
"""Points beyond which only the tails are drawn whole."""
TAIL = 500


def quantile_points(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (m,) in the order of the values, and the normal quantiles (m,) of their ranks; missing values are left out.

    Probabilities are (i - 1/2)/n (Hazen). Of more than `MOST` values the tails are whole and what is between is thinned evenly.
    """
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    n = len(order)
    kept = np.arange(n)
    if n > MOST:
        inner = np.linspace(TAIL, n - TAIL - 1, MOST - 2 * TAIL).round().astype(np.int64)
        kept = np.concatenate([np.arange(TAIL), inner, np.arange(n - TAIL, n)])
    return order[kept], normal_quantiles((kept + 0.5) / max(n, 1))


def quartile_line(values: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of the line through the quartiles of the values and of the normal distribution."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.25, 0.75], method="hazen")
    width = float(normal_quantiles(np.array([0.75]))[0])
    return float(0.5 * (low + high)), float(high - low) / (2.0 * width)
