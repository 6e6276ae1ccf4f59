"""The variogram of residuals within groups, beside that of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.plots.kind import Kind
from sparsemixed.plots.lettering import head, legend, nothing
from sparsemixed.plots.look import Look
from sparsemixed.plots.pairs_in_groups import all_pairs
from sparsemixed.plots.residual_series import NO_PAIRS, WHAT, axis_name, expected, means_in, scaled_residuals, series_for
from sparsemixed.plots.subject import Subject

MOST_BINS = 20


def variogram_frame(
    subject: Subject, group: str | None = None, time: str | None = None, what: str = "conditional", bins: int = MOST_BINS
) -> pd.DataFrame:
    """Half the mean squared difference of two residuals of a group, by the distance of their times, and what the model expects.

    Residuals are over the standard deviations that the model gives what they stand for, errors or responses.

    Parameters
    ----------
    group : str, optional
        The level; by default the groups of correlated errors, else the lowest level.
    time : str, optional
        The variable of distances; by default t() of the model, else the rank in the group.
    what : {"conditional", "marginal", "rstandard"}
        As in `autocorrelation`.
    bins : int
        Distances that are different count one by one if they are no more than this; else as many groups of as many pairs.

    Returns
    -------
    DataFrame
        Columns distance (the mean in its group), pairs, semivariance, model (as in `autocorrelation`). Of more than half a
        million pairs some groups are left out, evenly.
    """
    values = scaled_residuals(subject, what, "variogram")
    series = series_for(subject, group, time)
    ordered = values[series.rows]
    i, j = all_pairs(series)
    distances = np.abs(series.times[j] - series.times[i])
    edges = _edges(distances, bins)
    n = max(len(edges) - 1, 0)
    place = np.searchsorted(edges, distances, side="right") - 1
    where, _ = means_in(place, distances, n)
    half, count = means_in(place, 0.5 * (ordered[j] - ordered[i]) ** 2, n)
    model = expected(subject, series, what)
    own, _ = means_in(np.searchsorted(edges, model.distances, side="right") - 1, model.variances - model.covariances, n)
    frame: Any = pd.DataFrame({"distance": where, "pairs": count.astype(np.int64), "semivariance": half, "model": own})
    frame = frame[frame["pairs"] > 0].reset_index(drop=True)
    frame.attrs = {"title": WHAT[what], "x": axis_name(series, time, subject, lag=False), "y": "Semivariogram"}
    return frame


def _edges(distances: np.ndarray, bins: int) -> np.ndarray:
    """Edges of the groups of distances, the last one beyond the largest."""
    if not len(distances):
        return np.empty(0)
    distinct = np.unique(distances)
    if len(distinct) > bins:
        distinct = np.unique(np.quantile(distances, np.linspace(0.0, 1.0, bins + 1)))[:-1]
    return np.append(distinct, np.inf)


def draw_variogram(frame: Any, axes: np.ndarray, look: Look) -> None:
    """Points as large as their pairs are many, and the model's line."""
    ax = axes[0]
    head(ax, look, frame.attrs["title"], frame.attrs["x"], frame.attrs["y"])
    if not frame["semivariance"].notna().any():
        nothing(ax, look, NO_PAIRS)
        return
    sizes = 12 + 48 * np.sqrt(frame["pairs"] / frame["pairs"].max())
    style = {"s": sizes, "color": look.colour(0), "alpha": 0.85, "linewidths": 0, "zorder": 3}
    points = ax.scatter(frame["distance"], frame["semivariance"], **style)
    (model,) = ax.plot(frame["distance"], frame["model"], color=look.colour(1), linewidth=1.6)
    if (frame["distance"] % 1.0 == 0.0).all():
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_ylim(0.0, 1.15 * max(frame["semivariance"].max(), frame["model"].max()))
    legend(ax, look, [points, model], ["Residuals", "Model"], inside=True)


KIND = Kind(variogram_frame, draw_variogram, panel=(6.0, 3.6), empty=NO_PAIRS)
