"""Predicted random effects in order, each with its limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.plots.envelope import BINS, envelope
from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head, nothing, tall, ticks
from sparsemixed.plots.look import Look
from sparsemixed.plots.predicted_effects import chosen_effects, effects_frame
from sparsemixed.plots.subject import Subject


def caterpillar_frame(
    subject: Subject,
    effect: str | Sequence[str] | None = None,
    level: float | None = None,
    sort: str = "estimate",
    top: int | None = None,
) -> pd.DataFrame:
    """Predicted random effects with their limits, in order: one panel for each effect, one line for each group.

    Parameters
    ----------
    effect : str or list of str, optional
        A level (`"id"`), an effect (`"time"`), or both (`"id: time"`); by default all.
    level : float, optional
        Of the limits, in per cent; they are estimate -+ z times the standard error of prediction (`random_effects_se`).
    sort : {"estimate", "group"}
        From the smallest to the largest effect, or as the data have the groups.
    top : int, optional
        Only the groups whose effects are farthest from zero.

    Returns
    -------
    DataFrame
        Columns panel, group, estimate, std_err, low, high, and y, the place from below.
    """
    if sort not in ("estimate", "group"):
        raise OptionError(f"plot.caterpillar: sort={sort!r} is neither of estimate and group")
    percent = subject.level if level is None else level
    frame = effects_frame(subject.fit, chosen_effects(subject.fit, effect), percent)
    parts = []
    for _, part in frame.groupby("panel", sort=False):
        own: Any = part
        if top is not None:
            own = own.loc[own["estimate"].abs().sort_values(ascending=False, kind="stable").index[:top].sort_values()]
        if sort == "estimate":
            own = own.sort_values("estimate", kind="stable")
        parts.append(own.assign(y=np.arange(len(own), dtype=float)))
    found: Any = pd.concat(parts, ignore_index=True)
    longest = int(found.groupby("panel")["y"].max().max()) + 1
    found.attrs = {"title": "", "x": f"Predicted effect, {percent:g}% limits", "y": "", "panel": (4.2, tall(longest))}
    return found


def draw_caterpillar(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """Limits as lines, those that leave out zero in the strong colour, and a point at each prediction; very many as an area."""
    for (panel, part), ax in zip(by_panel(frame), axes, strict=True):
        head(ax, look, panel, frame.attrs["x"], frame.attrs["y"])
        ax.grid(visible=False)
        if not part["estimate"].notna().any():
            nothing(ax, look)
            continue
        ax.axvline(0.0, color=look.soft, linewidth=1.0, linestyle=(0, (4, 3)))
        if len(part) > BINS:
            _band(part, ax, look)
            continue
        apart = ((part["low"] > 0) | (part["high"] < 0)).to_numpy()
        colours, many = np.where(apart, look.colour(0), look.soft), len(part) > 200
        ax.hlines(part["y"], part["low"], part["high"], colors=colours, linewidth=0.4 if many else 1.2)
        ax.scatter(part["estimate"], part["y"], s=2 if many else 14, c=colours, zorder=3)
        ticks(ax, "y", part["y"].to_numpy(), part["group"].tolist())
        ax.set_ylim(-0.8, len(part) - 0.2)


def _band(part: pd.DataFrame, ax: Any, look: Look) -> None:
    """The limits of very many groups as an area, their predictions as a line."""
    y, low, middle, high = envelope(*(part[name].to_numpy() for name in ("y", "low", "estimate", "high")))
    ax.fill_betweenx(y, low, high, color=look.soft, alpha=0.35, linewidth=0)
    ax.plot(middle, y, color=look.colour(0), linewidth=1.6)
    ticks(ax, "y", part["y"].to_numpy(), part["group"])


KIND = Kind(caterpillar_frame, draw_caterpillar, columns=3)
