"""Predicted random effects against normal quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head, nothing
from sparsemixed.plots.look import Look
from sparsemixed.plots.predicted_effects import chosen_effects, effects_frame
from sparsemixed.plots.quantile_points import quantile_points, quartile_line
from sparsemixed.plots.subject import Subject


def effects_qq_frame(subject: Subject, effect: str | Sequence[str] | None = None, level: float | None = None) -> pd.DataFrame:
    """Predicted random effects against the quantiles of a normal distribution, one panel for each effect.

    Parameters
    ----------
    effect : str or list of str, optional
        A level (`"id"`), an effect (`"time"`), or both (`"id: time"`); by default all.
    level : float, optional
        Of the limits, in per cent.

    Returns
    -------
    DataFrame
        Columns panel, part (`points`; `line` for the two ends of the line through the quartiles), group, quantile, estimate,
        low, high. Of more than 5,000 groups the tails are whole and the middle is thinned.
    """
    percent = subject.level if level is None else level
    whole = effects_frame(subject.fit, chosen_effects(subject.fit, effect), percent)
    parts = []
    for panel, own in whole.groupby("panel", sort=False):
        values = own["estimate"].to_numpy()
        places, quantiles = quantile_points(values)
        points = own.iloc[places][["group", "estimate", "low", "high"]]
        parts.append(points.assign(panel=panel, part="points", quantile=quantiles))
        intercept, slope = quartile_line(values)
        ends = np.array([quantiles.min(), quantiles.max()]) if len(quantiles) else np.array([np.nan, np.nan])
        line = pd.DataFrame({"panel": panel, "part": "line", "group": "", "quantile": ends, "estimate": intercept + slope * ends})
        parts.append(line)
    columns = ["panel", "part", "group", "quantile", "estimate", "low", "high"]
    found: Any = pd.concat(parts, ignore_index=True)[columns]
    found.attrs = {"title": "", "x": "Normal quantile", "y": f"Predicted effect, {percent:g}% limits"}
    return found


def draw_effects_qq(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """Points with limits, and the line."""
    for (panel, own), ax in zip(by_panel(frame), axes, strict=True):
        head(ax, look, panel, frame.attrs["x"], frame.attrs["y"])
        points, line = own[own["part"] == "points"], own[own["part"] == "line"]
        if not points["estimate"].notna().any():
            nothing(ax, look)
            continue
        many = len(points) > 500
        limits = (points["quantile"], points["low"], points["high"])
        if many:
            ax.fill_between(*limits, color=look.soft, alpha=0.35, linewidth=0)
        else:
            ax.vlines(*limits, colors=look.soft, linewidth=0.8)
        ax.plot(line["quantile"], line["estimate"], color=look.colour(1), linewidth=1.4)
        ax.scatter(points["quantile"], points["estimate"], s=4 if many else 16, color=look.colour(0), zorder=3, rasterized=many)


KIND = Kind(effects_qq_frame, draw_effects_qq, panel=(4.2, 3.8), columns=3)
