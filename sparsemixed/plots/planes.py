"""The plane of two parameters: contours, the profile of each, and the estimate, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.plots.contours import Scale, Trace, contour

PARTS = ("contour", "along x", "along y", "estimate", "name")
PLACES = 61
"""Of a trace."""


@dataclass(frozen=True)
class Plane:
    """Points of one plane.

    Attributes
    ----------
    part : (m,) int8
        Of `PARTS`.
    level, x, y : (m,) float64
        Level of a contour in per cent; places, in zeta until `scaled`.
    """

    part: np.ndarray
    level: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def turned(self) -> Plane:
        """The axes changed for each other."""
        return replace(self, part=np.array([0, 2, 1, 3, 4], np.int8)[self.part], x=self.y, y=self.x)

    def scaled(self, x: Scale, y: Scale) -> Plane:
        """The parameters' values in place of zeta."""
        return replace(self, x=x.values(self.x), y=y.values(self.y))


NAMED = Plane(np.array([4], np.int8), *np.full((3, 1), np.nan))
"""A panel that has a name alone."""


def plane(x: str, y: str, scales: dict[str, Scale], traces: dict[tuple[str, str], Trace], levels: dict[float, float]) -> Plane:
    """Contours, traces and the estimate of one pair, in zeta; levels are radii by per cent."""
    pieces = []
    for percent, radius in levels.items():
        ends = np.array([radius, -radius])
        crossed = traces[x, y](ends), traces[y, x](ends)
        if np.isfinite(crossed).all():
            pieces.append((0, percent, contour(radius, *crossed)))
    for part, own, other in ((1, x, y), (2, y, x)):
        zeta = scales[own].zeta
        at = np.linspace(zeta[0], zeta[-1], PLACES)
        line = np.column_stack([at, traces[own, other](at)])
        pieces.append((part, np.nan, line[np.isfinite(line).all(axis=1), :: 1 if own == x else -1]))
    pieces.append((3, np.nan, np.zeros((1, 2))))
    sizes = [len(points) for _, _, points in pieces]
    part = np.repeat(np.array([part for part, _, _ in pieces], np.int8), sizes)
    return Plane(part, np.repeat([level for _, level, _ in pieces], sizes), *np.concatenate([xy for _, _, xy in pieces]).T)
