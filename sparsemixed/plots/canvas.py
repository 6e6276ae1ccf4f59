"""Axes to draw on: those that are given, or a new figure with as many as there are panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
        Axes that all panels have in common: any of the letters x and y; `edges` for a matrix with numbers at its sides alone;
        `apart` for panels with short numbers of their own, `bare` for those with numbers below alone.
    figure_of : function, optional
        Of `figsize` and `layout`, to a figure; by default one of pyplot.

    Raises
    ------
    OptionError
        What is given is not n axes; there is no matplotlib.
    """
    if ax is not None:
        from matplotlib.axes import Axes  # only who draws needs it

        given = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        other = next((one for one in given if not isinstance(one, Axes)), None)
        if other is not None:
            raise OptionError(f"plot: ax takes axes of matplotlib; found {other!r:.60}")
        if len(given) != n:
            panels = "one panel" if n == 1 else f"{n} panels"
            raise OptionError(f"plot: this picture has {panels}, and ax has {len(given)} axes; without ax there is a new figure")
        return given
    return _new_axes(n, panel, columns, share, figure_of or pyplot().figure)


def _new_axes(n: int, panel: tuple[float, float], columns: int, share: str, figure_of: Callable[..., Any]) -> np.ndarray:
    """(n,) axes of a new figure."""
    wide = min(n, columns)
    high = ceil(n / wide)
    margins = None if share == "xy" and n == 1 else MARGINS.get(share)
    size = (panel[0] * wide + (BESIDE if margins is not None and share == "xy" else 0.0), panel[1] * high)
    figure = figure_of(figsize=size, layout="constrained" if margins is None else None)
    found = figure.subplots(high, wide, squeeze=False, sharex="x" in share, sharey="y" in share)
    if margins is not None:
        found[0, 0].set_axes_locator(Kept(margins))
    for extra in found.ravel()[n:]:
        extra.set_visible(False)
    if "x" in share:  # above an empty place the numbers of the axis are wanted too
        for one in found.ravel()[max(n - wide, 0) : n]:
            one.xaxis.set_tick_params(labelbottom=True)
    return found.ravel()[:n]


@dataclass(frozen=True)
class Margins:
    """Inches around panels (left, right, below, above) and between them (across, down)."""

    around: tuple[float, float, float, float]
    between: tuple[float, float]

    def adjust(self, figure: Any, wide: int, high: int) -> None:
        """Put the panels of a figure there, as many across and down; panels stay where a figure is too small for its margins."""
        width, height = figure.get_size_inches()
        left, right, below, above = self.around
        across = max((width - left - right + self.between[0]) / wide, 2.0 * self.between[0])
        down = max((height - below - above + self.between[1]) / high, 2.0 * self.between[1])
        figure.subplots_adjust(
            left=left / width,
            right=max(1.0 - right / width, left / width + 0.1),
            bottom=below / height,
            top=max(1.0 - above / height, below / height + 0.1),
            wspace=self.between[0] / (across - self.between[0]),
            hspace=self.between[1] / (down - self.between[1]),
        )


class Kept:
    """Margins that stay as they are when a figure gets another size: asked by the first panel where it stands, in every drawing.

    A layout that measures every text takes seconds for many panels, and with any layout what is saved is drawn twice.
    """

    def __init__(self, margins: Margins):
        self._margins, self._size = margins, (0.0, 0.0)

    def __call__(self, axes: Any, renderer: Any) -> Any:
        """Where the axes stand in their figure; of a figure that has another size than before, after all panels were put anew."""
        figure, spec = axes.figure, axes.get_subplotspec()
        size = tuple(figure.get_size_inches())
        if size != self._size:
            grid = spec.get_gridspec()
            self._margins.adjust(figure, grid.ncols, grid.nrows)
            self._size = size
        return spec.get_position(figure)


MARGINS = {
    "xy": Margins((0.65, BESIDE, 0.55, 0.3), (0.12, 0.32)),
    "edges": Margins((EDGE, EDGE, EDGE, EDGE), (0.08, 0.08)),
    "apart": Margins((0.6, 0.12, 0.3, 0.28), (0.45, 0.5)),
    "bare": Margins((0.12, 0.12, 0.3, 0.28), (0.25, 0.5)),
}
"""Of panels, by `share`; of all others a layout is made that measures their texts."""
