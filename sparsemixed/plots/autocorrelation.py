"""Autocorrelations of residuals within groups, beside those of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.lettering import head, legend, nothing
from sparsemixed.plots.look import Look
from sparsemixed.plots.pairs_in_groups import Series
from sparsemixed.plots.residual_series import NO_PAIRS, WHAT, expected, means_in, scaled_residuals, series_for
from sparsemixed.plots.subject import Subject


def autocorrelation_frame(
    subject: Subject,
    group: str | None = None,
    lags: int | None = None,
    what: str = "conditional",
    time: str | None = None,
    level: float | None = None,
) -> pd.DataFrame:
    """Correlations of residuals a number of rows apart in their group, and what the model expects.

    Parameters
    ----------
    group : str, optional
        The level; by default the groups of correlated errors, else the lowest level.
    lags : int, optional
        The longest lag, by default 10 log10 of the mean size of groups, and 1 at least.
    what : {"conditional", "marginal", "rstandard"}
        Residuals with the predicted random effects taken off; of the fixed part alone; or standardized, without the correlations
        of the errors.
    time : str, optional
        The variable that orders the rows; by default t() of the model, else the order of the data.
    level : float, optional
        Of the limits within which independent residuals lie, in per cent.

    Returns
    -------
    DataFrame
        Columns lag, pairs, correlation (mean product of residuals `lag` rows apart over their mean square, residuals over the
        standard deviations that the model gives what they stand for), model, low, high (-+ z / sqrt(pairs)). The model's are
        those of residuals, which are not those of the errors: with S the covariance of a group's errors and V of its responses,
        Var(y - Xb - Zu) = S inv(V) S, b taken as known; means over at most 200 groups.
    """
    values = scaled_residuals(subject, what, "autocorrelation")
    series = series_for(subject, group, time)
    frame: Any = _correlations(series, values[series.rows], lags)
    n = int(frame["lag"].max())
    model = expected(subject, series, what)
    own, _ = means_in(model.lags, model.covariances, n + 1)
    own = own / model.square
    own[0] = 1.0
    half = z_critical(subject.level if level is None else level) / np.sqrt(np.maximum(frame["pairs"], 1))
    frame = frame.assign(model=own, low=-half, high=half)
    frame.attrs = {"title": WHAT[what], "x": f"Lag in rows of {series.name}", "y": "Autocorrelation"}
    return frame


def _correlations(series: Series, ordered: np.ndarray, lags: int | None) -> pd.DataFrame:
    """Lags from zero on, numbers of pairs, and mean products over the mean square."""
    sizes = np.diff(series.starts)
    longest = int(sizes.max()) - 1
    asked = max(1, int(10 * np.log10(max(sizes.mean(), 1.3)))) if lags is None else lags
    square, found = float(np.mean(ordered**2)), []
    for lag in range((max(1, min(asked, longest)) if longest else 0) + 1):
        pair = series.codes[lag:] == series.codes[: len(series.codes) - lag]
        products = (ordered[lag:] * ordered[: len(ordered) - lag])[pair]
        found.append((lag, int(pair.sum()), float(np.mean(products)) / square if len(products) else np.nan))
    return pd.DataFrame(found, columns=["lag", "pairs", "correlation"])


def draw_autocorrelation(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """A line up to each correlation, the model's as points joined by a line, the limits of independence as a band."""
    ax = axes[0]
    head(ax, look, frame.attrs["title"], frame.attrs["x"], frame.attrs["y"])
    own: Any = frame[frame["lag"] > 0]
    if not own["correlation"].notna().any():
        nothing(ax, look, NO_PAIRS)
        return
    ax.fill_between(own["lag"], own["low"], own["high"], color=look.soft, alpha=0.18, linewidth=0)
    ax.axhline(0.0, color=look.soft, linewidth=0.8)
    bars = ax.vlines(frame["lag"], 0.0, frame["correlation"], colors=look.colour(0), linewidth=2.2)
    ax.scatter(frame["lag"], frame["correlation"], s=18, color=look.colour(0), zorder=3)
    (model,) = ax.plot(frame["lag"], frame["model"], color=look.colour(1), marker="s", markersize=4, linestyle=(0, (5, 2)))
    ax.xaxis.get_major_locator().set_params(integer=True)
    legend(ax, look, [bars, model], ["Residuals", "Model"], inside=True)


KIND = Kind(autocorrelation_frame, draw_autocorrelation, panel=(6.0, 3.6), empty=NO_PAIRS)
