"""Densities of draws: replicates of a bootstrap, or of a posterior distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head, nothing
from sparsemixed.plots.look import Look

PLACES = 200
BINS = 2000
"""Into which many draws are counted before they are smoothed."""
ROOT_2PI = np.sqrt(2.0 * np.pi)


def densities_frame(
    subject: Any, draws: Any = None, *, names: str | Sequence[str] | None = None, level: float | None = None
) -> pd.DataFrame:
    """The density of every quantity's draws, with the middle of them and limits that leave out as many on either side.

    Parameters
    ----------
    draws : DataFrame, or a result with `replicates` or `draws`
        A column for each quantity; `result.plot` of such a result draws its own.
    names : str or list of str, optional
        Some of the columns.
    level : float, optional
        Of the limits, in per cent; 95 by default.

    Returns
    -------
    DataFrame
        Columns panel (the quantity), part (`density`, `median`, `low`, `high`), x, density: a normal kernel of Silverman's (1986)
        width, 0.9 min(sd, IQR/1.349) m^(-1/5) for m draws. Missing draws are left out; a quantity that does not vary is a line.
    """
    draws = subject if draws is None else draws
    table = draws if isinstance(draws, pd.DataFrame) else getattr(draws, "replicates", getattr(draws, "draws", None))
    if not isinstance(table, pd.DataFrame):
        raise OptionError("plot.densities needs a data frame of draws, or a result with `replicates` or `draws`")
    flat = {_flat(column): table[column] for column in table.columns}
    wanted = list(flat) if names is None else [names] if isinstance(names, str) else list(names)
    percent, parts = 95.0 if level is None else level, []
    for name in wanted:
        if name not in flat:
            raise OptionError(f"plot.densities: there are no draws of {name!r}{suggestion(name, flat)}")
        parts.append(_of_one(name, flat[name].to_numpy(dtype=float), percent))
    if not parts:
        raise OptionError("plot.densities: there are no draws")
    found = pd.concat(parts, ignore_index=True)
    found.attrs = {"title": "", "x": "", "y": "Density"}
    return found


def _flat(column: Any) -> str:
    """The name of a column; levels of a name are joined."""
    return ": ".join(filter(None, map(str, column))) if isinstance(column, tuple) else str(column)


def _of_one(name: str, values: np.ndarray, percent: float) -> pd.DataFrame:
    known = values[np.isfinite(values)]
    tail = (100.0 - percent) / 200.0
    marks = np.quantile(known, [0.5, tail, 1.0 - tail]) if len(known) else np.full(3, np.nan)
    x, density = kernel_density(known)
    heights = np.interp(marks, x, density) if len(x) else np.full(3, np.nan)
    rows = {"part": ["density"] * len(x) + ["median", "low", "high"], "x": [*x, *marks], "density": [*density, *heights]}
    return pd.DataFrame({"panel": name, **rows})


def kernel_density(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (m,) and densities (m,); none where the values do not differ."""
    if len(values) < 2:
        return np.empty(0), np.empty(0)
    low, high = np.quantile(values, [0.25, 0.75])
    spread = min(filter(None, (float(np.std(values, ddof=1)), float(high - low) / 1.349)), default=0.0)
    width = 0.9 * spread * len(values) ** -0.2
    if not width > 1e-12 * np.abs(values).max():
        return np.empty(0), np.empty(0)
    counts, edges = np.histogram(values, bins=min(BINS, max(200, len(values))))
    centres = 0.5 * (edges[1:] + edges[:-1])
    x = np.linspace(values.min() - 3.0 * width, values.max() + 3.0 * width, PLACES)
    return x, np.exp(-0.5 * ((x[:, None] - centres) / width) ** 2) @ counts / (len(values) * width * ROOT_2PI)


def bare(ax: Any, look: Look, title: str) -> None:
    """Axes for a density, whose height has no meaning of its own."""
    head(ax, look, title, "", "")
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def curve_with_area(ax: Any, look: Look, x: pd.Series, density: pd.Series, low: float, high: float) -> None:
    """A density (m,) over x (m,), with its area from low to high."""
    ax.plot(x, density, color=look.colour(0), linewidth=1.6)
    inside = (x >= low) & (x <= high)
    ax.fill_between(x[inside], density[inside], color=look.colour(0), alpha=0.2, linewidth=0)
    ax.set_ylim(0.0, None)


def draw_densities(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """The curve, its area between the limits, and the median."""
    for (panel, own), ax in zip(by_panel(frame), axes, strict=True):
        bare(ax, look, str(panel))
        curve = own[own["part"] == "density"]
        middle, low, high = (float(own.loc[own["part"] == part, "x"].iloc[0]) for part in ("median", "low", "high"))
        if np.isnan(middle):
            nothing(ax, look)
            continue
        if len(curve):
            curve_with_area(ax, look, curve["x"], curve["density"], low, high)
        ax.axvline(middle, color=look.colour(1), linewidth=1.4)
        for limit in (low, high):
            ax.axvline(limit, color=look.soft, linewidth=1.0, linestyle=(0, (4, 3)))


KIND = Kind(densities_frame, draw_densities, panel=(3.6, 2.4), columns=3, share="bare")
