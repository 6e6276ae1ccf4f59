"""Cubic curves through points, by their slopes there; scipy's own take half a second to be loaded."""

from __future__ import annotations

import numpy as np

SAME = 1e-9
"""Share of the largest change of a slope below which slopes do not change."""


def hermite(x: np.ndarray, y: np.ndarray, slope: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes (m,) at places of the cubics between points (k,), x rising, that have these slopes there.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 3.0])
    >>> value, slope = hermite(x, x**3, 3.0 * x**2, np.array([0.5, 2.0]))
    >>> value.round(12).tolist(), slope.round(12).tolist()
    ([0.125, 8.0], [0.75, 12.0])
    """
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    h, low, high, a, b = x[i + 1] - x[i], y[i], y[i + 1], slope[i], slope[i + 1]
    t = (at - x[i]) / h
    value = low * (1 + 2 * t) * (1 - t) ** 2 + a * h * t * (1 - t) ** 2 + high * t**2 * (3 - 2 * t) + b * h * t**2 * (t - 1)
    return value, (low - high) * 6 * t * (t - 1) / h + a * (1 - t) * (1 - 3 * t) + b * t * (3 * t - 2)


def akima(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slopes (k,) at k > 2 points that a kink among them does not set swinging (Akima 1970).

    The slope at a point is a mean of those of the secants before and after it, each weighed by how little changes beyond it.
    """
    inner = np.diff(y) / np.diff(x)
    first, last = 2.0 * inner[0] - inner[1], 2.0 * inner[-1] - inner[-2]
    m = np.concatenate([[2.0 * first - inner[0], first], inner, [last, 2.0 * last - inner[-1]]])
    change = np.abs(np.diff(m))
    before, after = change[:-2], change[2:]
    both = before + after
    bent = both > SAME * both.max()
    share = np.where(bent, before / np.where(bent, both, 1.0), 0.5)
    return np.where(bent, m[1:-2] + share * (m[2:-1] - m[1:-2]), 0.5 * (m[3:] + m[:-3]))


def periodic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slopes (k,) at the points of a period, the last of which is the first again, of the cubic spline that closes smoothly."""
    h, secant = np.diff(x), np.diff(y) / np.diff(x)
    n, before = len(h), np.roll(h, 1)
    # That the second derivative has no jump where interval i - 1 ends and i begins.
    equations, right = np.diag(2.0 * (h + before)), 3.0 * (h * np.roll(secant, 1) + before * secant)
    for i in range(n):
        equations[i, i - 1] += h[i]
        equations[i, (i + 1) % n] += before[i]
    slopes = np.linalg.solve(equations, right)
    return np.append(slopes, slopes[0])
