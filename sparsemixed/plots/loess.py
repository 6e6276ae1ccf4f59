"""A smooth curve through points: local linear regression with tricube weights (Cleveland 1979), without his robustness steps."""

from __future__ import annotations

import numpy as np

BINS = 400
"""Groups of neighbours that many points are averaged in before they are smoothed."""
PLACES = 60
"""Places of the curve."""


def loess(
    x: np.ndarray, y: np.ndarray, span: float = 2.0 / 3.0, order: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Places (m,) and heights (m,) of the curve; none where fewer than four distinct x are known.

    At each place the line of least squares is fitted to the `span` of the points nearest to it, weighted by (1 - (d/h)^3)^3 of
    their distance d, with h the largest one. Of more than `BINS` points neighbours are averaged first, each average with the
    weight of its number. `order` (n,) sorts x, where that is known already.

    Examples
    --------
    >>> x, y = loess(np.arange(10.0), 2 * np.arange(10.0) + 1)
    >>> bool(np.allclose(y, 2 * x + 1))
    True
    """
    order = np.argsort(x, kind="stable") if order is None else order
    x, y = x[order], y[order]
    known = np.isfinite(x) & np.isfinite(y)
    x, y, count = _binned(x, y) if known.all() else _binned(x[known], y[known])
    if len(np.unique(x)) < 4:
        return np.empty(0), np.empty(0)
    places = np.linspace(x[0], x[-1], PLACES)
    distance = np.abs(places[:, None] - x)
    h = _reach(distance, count, span)
    w = np.clip(1.0 - (distance / h[:, None]) ** 3, 0.0, None) ** 3 * count
    apart = x - places[:, None]
    s0, s1, s2 = w.sum(axis=1), (w * apart).sum(axis=1), (w * apart**2).sum(axis=1)
    t0, t1 = w @ y, (w * apart) @ y
    # The line's height at the place itself; where all weight lies on one x, the average there.
    room = s0 * s2 - s1**2
    sloped = room > 1e-12 * s0 * s2
    return places, np.where(sloped, (s2 * t0 - s1 * t1) / np.where(sloped, room, 1.0), t0 / s0)


def _reach(distance: np.ndarray, count: np.ndarray, span: float) -> np.ndarray:
    """(m,) distance within which a share `span` of all points lies; beyond the nearest other x in any case."""
    order = np.argsort(distance, axis=1)
    reached = np.cumsum(count[order], axis=1)
    last = np.minimum((reached < span * count.sum()).sum(axis=1), distance.shape[1] - 1)
    ordered = np.take_along_axis(distance, order, axis=1)
    found = ordered[np.arange(len(distance)), last]
    return np.maximum(found, ordered[:, min(2, distance.shape[1] - 1)]) * (1.0 + 1e-9)


def _binned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points that are in order of x, many of them averaged in groups of as many neighbours, with the number of points in each."""
    if len(x) <= BINS:
        return x, y, np.ones(len(x))
    starts = np.linspace(0, len(x), BINS + 1).astype(np.int64)[:-1]
    count = np.diff(np.append(starts, len(x))).astype(float)
    return np.add.reduceat(x, starts) / count, np.add.reduceat(y, starts) / count, count
