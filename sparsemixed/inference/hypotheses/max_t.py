"""The largest of several correlated t: p-values and limits that hold for any comparisons at once.

T = Lz/s with LL' the correlations, z of r independent normals and s the root of chi-squared over its degrees of freedom. In polar
coordinates z = ρu, and max |T| = M(u) ρ/s with M(u) = max |Lu| on the sphere; ρ²/(r s²) has the distribution F(r, ν). So

    P(max |T| > q) = E P(F(r, ν) > q² / (r M(u)²)),

an average over the sphere of a function that is smooth but for the edges of M. A fixed lattice of points takes it with an error
below 1e-4, the same in every call, where probabilities of boxes (Genz & Bretz 2002) take random numbers.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.inference.hypotheses.distributions import critical, f_tails, normal_quantiles

POINTS = 2**17
"""Of the lattice on the sphere, with as many opposite ones for nothing: M is even."""
ANGLES = 8192
"""Points on the half circle."""
BINS = 4096
"""Into which values of M, from 0 to 1, are gathered."""
ROUNDS = 64
"""Of the iteration for the generalised golden ratio, the root of x^(r + 1) = x + 1 whose powers make the lattice."""


def largest_t(
    statistic: np.ndarray, correlation: np.ndarray, df: np.ndarray | None, probability: float
) -> tuple[np.ndarray, np.ndarray]:
    """Upper tails of max |T| at |statistic| (m,), and its quantile for each df; both (m,), NaN where a statistic is missing.

    Parameters
    ----------
    statistic : (m,) float64
    correlation : (m, m) float64
        May be singular, as that of all pairs is.
    df : (m,) float64 or None
        None is the normal distribution.
    probability : float
        Of the quantile.
    """
    known = np.isfinite(statistic) & (np.ones(len(statistic), bool) if df is None else df > 0)
    tails, quantiles = np.full(len(statistic), np.nan), np.full(len(statistic), np.nan)
    if not known.any():
        return tails, quantiles
    sizes, weights, rank = _sizes(correlation[np.ix_(known, known)])
    freedom = np.full(len(statistic), np.inf) if df is None else df
    for i in np.flatnonzero(known):
        tails[i] = _tail(abs(statistic[i]), sizes, weights, rank, freedom[i])
    solved = {d: _quantile(probability, sizes, weights, rank, d, int(known.sum())) for d in set(freedom[known].tolist())}
    quantiles[known] = [solved[d] for d in freedom[known].tolist()]
    return tails, quantiles


def _tail(q: float, sizes: np.ndarray, weights: np.ndarray, rank: int, df: float) -> float:
    with np.errstate(divide="ignore"):
        return float(min(1.0, weights @ f_tails(q * q / (rank * sizes**2), rank, df)))


def _quantile(probability: float, sizes: np.ndarray, weights: np.ndarray, rank: int, df: float, m: int) -> float:
    """By bisection between the quantiles of one comparison and of Bonferroni."""
    low, high = (float(critical(100.0 * p, df)) for p in (probability, 1.0 - (1.0 - probability) / m))
    while high - low > 1e-10 * high:
        middle = 0.5 * (low + high)
        if _tail(middle, sizes, weights, rank, df) > 1.0 - probability:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _sizes(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Values of M(u) over the sphere with their weights, and the rank r."""
    eigenvalues, vectors = np.linalg.eigh(correlation)
    keep = eigenvalues > eigenvalues[-1] * 1e-10
    root, rank = vectors[:, keep] * np.sqrt(eigenvalues[keep]), int(keep.sum())
    directions = _directions(rank)
    largest = np.concatenate(
        [np.abs(part @ root.T).max(axis=1) for part in np.array_split(directions, max(1, len(directions) // 8192))]
    )
    # The tail is smooth in M: bins that keep the mean of their values change its average in the second order of their width.
    place = np.minimum((largest * BINS).astype(np.int64), BINS)
    counts, sums = (np.bincount(place, w, minlength=BINS + 1) for w in (None, largest))
    filled = counts > 0
    return sums[filled] / counts[filled], counts[filled] / len(largest), rank


def _directions(rank: int) -> np.ndarray:
    """(points, r) on the unit sphere, evenly spread."""
    if rank == 1:
        return np.ones((1, 1))
    if rank == 2:
        angle = np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
        return np.column_stack([np.cos(angle), np.sin(angle)])
    ratio = 2.0
    for _ in range(ROUNDS):
        ratio = (1.0 + ratio) ** (1.0 / (rank + 1.0))
    lattice = np.mod(0.5 + np.outer(np.arange(1, POINTS + 1), ratio ** -np.arange(1.0, rank + 1)), 1.0)
    folded = 1.0 - np.abs(2.0 * lattice - 1.0)  # the tent makes functions periodic
    normal = normal_quantiles(np.clip(folded, 1e-12, 1.0 - 1e-12))
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)
