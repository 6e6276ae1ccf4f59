"""Many points: drawn one by one, as an image inside of files of lines, or counted in hexagons."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.plots.canvas import HEXAGONS, RASTER
from sparsemixed.plots.look import Look


def cloud(ax: Any, x: np.ndarray, y: np.ndarray, look: Look, colour: int = 0) -> Any:
    """The points, or above `HEXAGONS` of them the logarithms of their counts; missing ones are left out."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = (x, y) if known.all() else (x[known], y[known])
    if len(x) > HEXAGONS:
        return ax.hexbin(x, y, gridsize=60, bins="log", mincnt=1, cmap=_shades(look, colour), linewidths=0.1, rasterized=True)
    many = len(x) > 2000
    return ax.scatter(
        *(x, y),
        s=4 if many else 12,
        color=look.colour(colour),
        alpha=0.25 if many else 0.7,
        linewidths=0,
        rasterized=len(x) > RASTER,
    )


def _shades(look: Look, colour: int) -> Any:
    """From near the paper to the colour."""
    from matplotlib.colors import LinearSegmentedColormap  # only who draws needs it

    return LinearSegmentedColormap.from_list("counts", [look.grid, look.colour(colour), look.ink])
