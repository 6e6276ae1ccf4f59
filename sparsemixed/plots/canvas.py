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
    trellis, matrix = share == "xy" and n > 1, share == "edges"
    size = (panel[0] * wide + BESIDE * trellis, panel[1] * high)
    figure = figure_of(figsize=size, layout=None if trellis or matrix else "constrained")
    found = figure.subplots(high, wide, squeeze=False, sharex="x" in share, sharey="y" in share)
    if trellis:
        figure.set_layout_engine(_margins((0.65, BESIDE, 0.55, 0.3), (0.12, 0.32), wide, high))
    elif matrix:
        figure.set_layout_engine(_margins((EDGE,) * 4, (0.08, 0.08), wide, high))
    for extra in found.ravel()[n:]:
        extra.set_visible(False)
    if "x" in share:  # above an empty place the numbers of the axis are wanted too
        for one in found.ravel()[max(n - wide, 0) : n]:
            one.xaxis.set_tick_params(labelbottom=True)
    return found.ravel()[:n]


def _margins(around: tuple[float, ...], between: tuple[float, float], wide: int, high: int) -> Any:
    """A layout with as many inches around panels (left, right, below, above) and between them, whatever the size of the figure.

    One that measures every text takes seconds for many panels.
    """
    from matplotlib.layout_engine import LayoutEngine  # an optional package, only of who draws

    class Margins(LayoutEngine):
        _adjust_compatible, _colorbar_gridspec = True, True

        def execute(self, fig: Any) -> None:
            width, height = fig.get_size_inches()
            left, right, below, above = around
            across = max((width - left - right) / wide, 2.0 * between[0])
            down = max((height - below - above) / high, 2.0 * between[1])
            fig.subplots_adjust(
                left=left / width,
                right=max(1.0 - right / width, left / width + 0.1),
                bottom=below / height,
                top=max(1.0 - above / height, below / height + 0.1),
                wspace=between[0] / (across - between[0]),
                hspace=between[1] / (down - between[1]),
            )

    return Margins()
