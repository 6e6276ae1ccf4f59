"""What a kind of picture consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Kind:
    """A kind of picture, as two functions.

    Attributes
    ----------
    data : function
        Of what is shown (a `Subject`, or a result) and options, to the tidy frame that is drawn. Where the frame has a column
        `panel`, each of its values is a pair of axes; `attrs` has the texts `title`, `x` and `y`.
    draw : function
        Of the frame, the axes (an array, one for each panel), the look, and options.
    panel : (float, float)
        Width and height of a panel in inches.
    columns : int
        Panels side by side, at most.
    share : str
        Axes that panels have in common, or how they stand: as of `canvas.axes_for`.
    empty : str
        What stands in place of a frame without rows.
    """

    data: Callable[..., pd.DataFrame]
    draw: Callable[..., Any]
    panel: tuple[float, float] = (6.4, 4.2)
    columns: int = 3
    share: str = ""
    empty: str = "nothing to draw"


def panels_of(frame: pd.DataFrame) -> list:
    """The panels of a frame, in order; one without a name where it has none."""
    return frame["panel"].unique().tolist() or [""] if "panel" in frame else [""]


def by_panel(frame: pd.DataFrame) -> list[tuple[Any, Any]]:
    """Each panel with its rows."""
    if "panel" not in frame:
        return [("", frame)]
    own = dict(list(frame.groupby("panel", sort=False, observed=True)))
    return [(panel, own.get(panel, frame.iloc[:0])) for panel in panels_of(frame)]
