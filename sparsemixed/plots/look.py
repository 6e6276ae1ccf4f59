"""Colours of pictures, on light and on dark paper; nothing here changes matplotlib's own settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparsemixed.errors import OptionError, suggestion


@dataclass(frozen=True)
class Look:
    """Colours for one kind of paper.

    Attributes
    ----------
    ink, soft, grid, paper : str
        Of texts and axes, of what stands back, of lines of the grid, and of the background.
    cycle : tuple of str
        Of lines and points, in order: those of Okabe & Ito (2008), which the colour-blind tell apart, lighter on dark paper.
        Lines differ in their markers and dashes besides.
    """

    ink: str
    soft: str
    grid: str
    paper: str
    cycle: tuple[str, ...]

    def colour(self, i: int) -> str:
        """Of the i-th line, from the start again after the last."""
        return self.cycle[i % len(self.cycle)]

    def marker(self, i: int) -> str:
        """Of the i-th line."""
        return MARKERS[i % len(MARKERS)]

    def dash(self, i: int) -> Any:
        """Of the i-th line; they change when the colours begin again, and with each line before."""
        return DASHES[i % len(DASHES)]


MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (1, 1.2)))
LIGHT = Look(
    "#1f2328", "#6b7480", "#e3e7eb", "#ffffff", ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#5b5fc7")
)
DARK = Look(
    "#e6edf3", "#98a3af", "#2b323a", "#12161c", ("#56b4e9", "#f08b43", "#2cc295", "#e39cc4", "#f0e442", "#7aa7ff", "#b5b9ff")
)
STYLES = {"light": LIGHT, "dark": DARK}


def look_of(style: str | Look | None, axes: Any) -> Look:
    """The look asked for, by default that of the paper under the axes.

    Raises
    ------
    OptionError
        There is no such style.
    """
    if isinstance(style, Look):
        return style
    if style is None:
        return LIGHT if _lightness(axes) > 0.5 else DARK
    if not isinstance(style, str) or style not in STYLES:
        raise OptionError(f"plot: style={style!r:.60} is neither of light and dark{suggestion(str(style), STYLES)}")
    return STYLES[style]


def _lightness(axes: Any) -> float:
    """Of the background, 0 to 1; transparent ones count as light."""
    red, green, blue, opacity = _rgba(axes.get_facecolor())
    own = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return opacity * own + (1.0 - opacity)


def _rgba(colour: Any) -> tuple[float, float, float, float]:
    from matplotlib.colors import to_rgba  # only who draws needs it

    return to_rgba(colour)


def dress(axes: Any, look: Look, paper: bool, grid: str = "y") -> None:
    """Put the colours on a pair of axes, and the background under them where `paper` says so."""
    if paper:
        axes.set_facecolor(look.paper)
        axes.figure.set_facecolor(look.paper)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(look.soft)
        spine.set_linewidth(0.8)
    axes.tick_params(colors=look.soft, labelcolor=look.ink, which="both", labelsize="small")
    axes.set_axisbelow(True)
    if grid:
        axes.grid(visible=True, axis=grid, color=look.grid, linewidth=0.8)
