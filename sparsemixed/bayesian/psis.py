"""Pareto-smoothed importance weights, and the diagnostic k-hat (Vehtari, Simpson, Gelman, Yao & Gabry 2024)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.bayesian.special import logsumexp

GOOD = 0.7
"""k-hat up to which estimates by the weights can be trusted."""
FEWEST = 5
"""Weights of a tail to which a distribution can be fitted."""
SMALLEST = 1e-12


class Smoothed(NamedTuple):
    """Log weights (S,) that sum to one as weights, and k-hat: infinite where too few weights are not zero."""

    log_weights: np.ndarray
    khat: float

    @property
    def weights(self) -> np.ndarray:
        """(S,), of sum one."""
        return np.exp(self.log_weights)


def smooth(log_ratios: np.ndarray) -> Smoothed:
    """Smooth the largest log ratios (S,), those of a tail of min(S / 5, 3 sqrt(S)), by a generalised Pareto distribution."""
    ratios = np.where(np.isfinite(log_ratios), log_ratios, -np.inf)
    top = float(ratios.max()) if ratios.size else -np.inf
    if not np.isfinite(top):
        return Smoothed(np.full(len(ratios), -np.log(max(len(ratios), 1))), float("inf"))
    shifted = ratios - top
    count = int(np.ceil(min(len(shifted) / 5.0, 3.0 * np.sqrt(len(shifted)))))
    order = np.argsort(shifted, kind="stable")
    tail, cutoff, khat = order[-count:], shifted[order[-count - 1]] if count < len(order) else -np.inf, float("inf")
    if count >= FEWEST and np.isfinite(cutoff):
        base = np.exp(cutoff)
        excess = np.exp(shifted[tail]) - base
        if excess[-1] <= SMALLEST:
            khat = -np.inf  # all weights of the tail are the same
        else:
            khat, scale = pareto_fit(np.maximum(excess, 1e-300))
            points = (np.arange(1, count + 1) - 0.5) / count
            shifted = shifted.copy()
            shifted[tail] = np.minimum(np.log(pareto_quantiles(points, khat, scale) + base), 0.0)
    return Smoothed(shifted - logsumexp(shifted), khat)


def pareto_fit(excess: np.ndarray) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution of sorted positive numbers (Zhang & Stephens 2009).

    The shape is drawn towards 1/2 as by ten more numbers (Vehtari et al. 2024).

    Examples
    --------
    >>> points = (np.arange(1, 2001) - 0.5) / 2000
    >>> bool(abs(pareto_fit(pareto_quantiles(points, 0.5, 2.0))[0] - 0.5) < 0.02)
    True
    """
    n = len(excess)
    grid = 30 + int(np.sqrt(n))
    steps = np.arange(1, grid + 1) - 0.5
    quarter = excess[int(n / 4 + 0.5) - 1]
    theta = 1.0 / excess[-1] + (1.0 - np.sqrt(grid / steps)) / (3.0 * quarter)
    shape = np.mean(np.log1p(-theta[:, None] * excess), axis=1)
    profile = n * (np.log(-theta / shape) - shape - 1.0)
    weights = np.exp(profile - logsumexp(profile))
    best = float(weights @ theta)
    k = float(np.mean(np.log1p(-best * excess)))
    scale = -k / best
    return (n * k + 5.0) / (n + 10.0), scale


def pareto_quantiles(probability: np.ndarray, shape: float, scale: float) -> np.ndarray:
    """Quantiles of a generalised Pareto distribution that begins at zero."""
    if abs(shape) < 1e-12:
        return -scale * np.log1p(-probability)
    return scale * np.expm1(-shape * np.log1p(-probability)) / shape
