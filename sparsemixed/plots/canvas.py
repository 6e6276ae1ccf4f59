"""Axes to draw on: those that are given, or a new figure with as many as there are panels."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from sparsemixed.errors import OptionError

MISSING = 'pictures need the package matplotlib: pip install "sparsemixed[plot]"'
RASTER = 20_000
"""Points beyond which they are drawn as an image inside of files of lines (SVG, PDF)."""
EDGE = 0.5
"""Inches around a matrix of panels, for its numbers."""
BESIDE = 1.6
"""Inches at the right for the legend of many panels."""
HEXAGONS = 100_000
"""Points beyond which they are counted in hexagons."""


def pyplot() -> Any:
    """matplotlib.pyplot.

    Raises
    ------
    OptionError
        It is not installed.
    """
    try:
        from matplotlib import pyplot as found  # an optional package, only of who draws
    except ImportError:
        raise OptionError(MISSING) from None
    return found


def axes_for(
    n: int, ax: Any, panel: tuple[float, float], columns: int, share: str = "", figure_of: Callable[..., Any] | None = None
) -> np.ndarray:
    """(n,) axes.

    Parameters
    ----------
    n : int
        Panels.
    ax : Axes, array of Axes or None
        Given ones; None makes a figure.
    panel : (float, float)
        Width and height of a panel in inches.
    columns : int
        Panels side by side, at most.
    share : str
        Axes that all panels have in common: any of the letters x and y; `edges` for a matrix with numbers at its sides alone.
    figure_of : function, optional
        Of `figsize` and `layout`, to a figure; by default one of pyplot.

    Raises
    ------
    OptionError
        Other than n axes are given; there is no matplotlib.
    """
    if ax is not None:
        given = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(given) != n:
            panels = "one panel" if n == 1 else f"{n} panels"
            raise OptionError(f"plot: this picture has {panels}, and ax has {len(given)} axes; without ax there is a new figure")
        return given
    return _new_axes(n, panel, columns, share, figure_of or pyplot().figure)


def _new_axes(n: int, panel: tuple[float, float], columns: int, share: str, figure_of: Callable[..., Any]) -> np.ndarray:
    """(n,) axes of a new figure."""
    wide = min(n, columns)
    high = ceil(n / wide)
    trellis = share == "xy" and n > 1
    matrix = share == "edges"
    size = (panel[0] * wide + BESIDE * trellis, panel[1] * high)
    figure = figure_of(figsize=size, layout=None if trellis or matrix else "constrained")
    found = figure.subplots(high, wide, squeeze=False, sharex="x" in share, sharey="y" in share)
    if trellis:
        _set_margins(figure, wide, high)
    if matrix:
        across, down = EDGE / size[0], EDGE / size[1]
        figure.subplots_adjust(left=across, right=1.0 - across, bottom=down, top=1.0 - down, wspace=0.06, hspace=0.06)
    for extra in found.ravel()[n:]:
        extra.set_visible(False)
    if "x" in share:  # above an empty place the numbers of the axis are wanted too
        for one in found.ravel()[max(n - wide, 0) : n]:
            one.xaxis.set_tick_params(labelbottom=True)
    return found.ravel()[:n]


def _set_margins(figure: Any, wide: int, high: int) -> None:
    """Room for what stands around panels that share both axes; a layout that measures every text takes seconds for many."""
    width, height = figure.get_size_inches()
    across, down = (width - 0.65 - BESIDE) / wide, (height - 0.55 - 0.3) / high
    figure.subplots_adjust(
        left=0.65 / width,
        right=1.0 - BESIDE / width,
        bottom=0.55 / height,
        top=1.0 - 0.3 / height,
        wspace=0.12 / (across - 0.12),
        hspace=0.32 / (down - 0.32),
    )
