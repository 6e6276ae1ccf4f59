"""The drawing of margins: points, lines and limits, upright or lying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.kind import by_panel
from sparsemixed.plots.lettering import head, legend, nothing, ticks
from sparsemixed.plots.look import Look

RECASTS = ("connected", "line", "scatter", "bar", "dot")
CI_RECASTS = ("rcap", "rspike", "rarea", "rline")
APART = 0.08
"""Between the lines at one place of an axis without numbers, whose places are one apart."""
MOST_TICKS = 25
"""Values of an axis of numbers that each have a tick."""


@dataclass(frozen=True)
class Shape:
    """How lines and limits are drawn, by Stata's words."""

    recast: str
    recastci: str
    noci: bool
    horizontal: bool
    allxlabels: bool


def draw_margins(
    frame: pd.DataFrame,
    axes: np.ndarray,
    look: Look,
    recast: str = "connected",
    recastci: str = "rcap",
    noci: bool = False,
    horizontal: bool = False,
    allxlabels: bool = False,
    title: str | None = None,
) -> None:
    """Every line with its limits; a legend where there are several."""
    for name, value, known in (("recast", recast, RECASTS), ("recastci", recastci, CI_RECASTS)):
        if value not in known:
            raise OptionError(f"plot: {name}={value!r} is not one of {', '.join(known)}{suggestion(str(value), known)}")
    shape = Shape(recast, recastci, noci, horizontal, allxlabels)
    lines = list(dict.fromkeys(frame["line"]))
    handles: dict[str, Any] = {}
    for k, ((panel, own), ax) in enumerate(zip(by_panel(frame), axes, strict=True)):
        head(ax, look, frame.attrs["title"] if title is None else title) if not panel else head(ax, look, str(panel))
        _names(ax, look, frame, horizontal, first=not k)
        if not own["estimate"].notna().any():
            nothing(ax, look, "not estimable")
            continue
        numeric = frame.attrs["numeric"]
        for i, line in enumerate(lines):
            part = own[own["line"] == line].sort_values("x", kind="stable")
            if len(part):
                handles[line] = _line(ax, part, _offset(i, len(lines), numeric or recast == "bar"), i, len(lines), look, shape)
        _ticks(ax, own, numeric, shape)
    if len(axes) > 1 and frame.attrs["title"]:
        figure = axes[0].figure
        if figure.get_axes()[: len(axes)] == list(axes):  # a figure of our own
            figure.suptitle(title or frame.attrs["title"], color=look.ink, fontsize="medium", parse_math=False)
    if len(lines) > 1:
        heading = frame.attrs["lines"] if "," not in frame.attrs["lines"] else ""
        legend(axes[-1], look, list(handles.values()), list(handles), title=heading)


def _names(ax: Any, look: Look, frame: pd.DataFrame, horizontal: bool, first: bool) -> None:
    along, up = frame.attrs["x"], frame.attrs["y"] if first or horizontal else ""
    head(ax, look, "", *((up, along) if horizontal else (along, up)))
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x" if horizontal else "y", color=look.grid, linewidth=0.8)


def _offset(i: int, n: int, none: bool) -> float:
    return 0.0 if none else APART * (i - 0.5 * (n - 1))


def _line(ax: Any, part: pd.DataFrame, offset: float, i: int, n: int, look: Look, shape: Shape) -> Any:
    """One line; what the legend shows of it."""
    x, y = part["x"].to_numpy(dtype=float) + offset, part["estimate"].to_numpy(dtype=float)
    low, high = part["low"].to_numpy(dtype=float), part["high"].to_numpy(dtype=float)
    colour = look.colour(i)
    if shape.recast == "bar":
        width = 0.8 / n * _step(part["x"].to_numpy(dtype=float))
        x = x + width * (i - 0.5 * (n - 1))
        found = (ax.barh if shape.horizontal else ax.bar)(x, y, width * 0.92, color=colour, alpha=0.75)
    else:
        joined = shape.recast in ("connected", "line")
        marker = "" if shape.recast == "line" else "o" if shape.recast == "dot" else look.marker(i)
        across, up = (y, x) if shape.horizontal else (x, y)
        style = {"color": colour, "linestyle": look.dash(i) if joined else "", "markersize": 5.5, "linewidth": 1.6, "zorder": 3}
        (found,) = ax.plot(across, up, marker=marker, **style)
    if not shape.noci:
        _limits(ax, x, low, high, colour if shape.recast != "bar" else look.ink, look.dash(i), shape)
    return found


def _step(x: np.ndarray) -> float:
    """The smallest distance of two places."""
    gaps = np.diff(np.unique(x))
    return float(gaps.min()) if len(gaps) else 1.0


def _limits(ax: Any, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, dash: Any, shape: Shape) -> None:
    lying = shape.horizontal
    if shape.recastci == "rarea":
        (ax.fill_betweenx if lying else ax.fill_between)(x, low, high, color=colour, alpha=0.18, linewidth=0)
    elif shape.recastci == "rline":
        for limit in (low, high):
            ax.plot(*((limit, x) if lying else (x, limit)), color=colour, linewidth=0.9, linestyle=(0, (2, 1.5)))
    else:
        (ax.hlines if lying else ax.vlines)(x, low, high, colors=colour, linewidth=1.2, zorder=2)
        if shape.recastci == "rcap":
            style = {"color": colour, "linestyle": "", "marker": "|" if lying else "_", "markersize": 7}
            for limit in (low, high):
                ax.plot(*((limit, x) if lying else (x, limit)), **style)


def _ticks(ax: Any, own: pd.DataFrame, numeric: bool, shape: Shape) -> None:
    """A tick at each place, unless these are more than `MOST_TICKS` numbers and not all are asked for."""
    places = own.drop_duplicates("x").sort_values("x")
    if numeric and len(places) > MOST_TICKS and not shape.allxlabels:
        return
    which = "y" if shape.horizontal else "x"
    ticks(ax, which, places["x"].tolist(), places["x_label"].tolist(), every=shape.allxlabels)
    if not numeric:
        low, high = places["x"].min() - 0.5, places["x"].max() + 0.5
        (ax.set_ylim if shape.horizontal else ax.set_xlim)(low, high)
        if shape.horizontal:
            ax.invert_yaxis()
