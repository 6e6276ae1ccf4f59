"""How much the estimates rest on each row or group, as lines over their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.envelope import BINS, envelope
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.lettering import head, nothing, shown
from sparsemixed.plots.look import Look
from sparsemixed.plots.subject import Subject

NAMES = {"cooks": "Cook's distance", "mdffits": "MDFFITS", "covratio": "COVRATIO", "covtrace": "COVTRACE"}


def influence_frame(
    subject: Subject, by: str | Sequence[str] | None = None, measure: str = "cooks", method: str = "fixed", top: int = 5
) -> pd.DataFrame:
    """A measure of influence for every row, or every group, and where it is conventionally called large.

    Parameters
    ----------
    by : str or list of str, optional
        As in `influence`: a level of the model or columns of the data; single rows by default.
    measure : str
        cooks, mdffits, covratio, covtrace, `dfbetas[NAME]`, `rvc[NAME]`, or the name of a coefficient, which is its dfbetas.
    method : {"fixed", "onestep", "exact"}
        As in `influence`.
    top : int
        How many of the farthest are named.

    Returns
    -------
    DataFrame
        Columns label, place, value, named (bool), cutoff: 4/m of Cook's distance and MDFFITS, 2/sqrt(m) in size of dfbetas, and
        missing of others; m is the number of deletions (Belsley, Kuh & Welsch 1980).
    """
    names = list(subject.fit.design.names)
    column = f"dfbetas[{measure}]" if measure in names else measure
    what = column.partition("[")[0]
    found = subject.results.influence(by, method, what=what)
    if column not in found:
        known = [*found.columns, *names]
        raise OptionError(f"plot.influence: there is no measure {measure!r}{suggestion(measure, known)}")
    values, m = found[column].to_numpy(dtype=float), len(found)
    cutoff = 4.0 / m if what in ("cooks", "mdffits") else 2.0 / np.sqrt(m) if what == "dfbetas" else float("nan")
    away = np.abs(values - (1.0 if what == "covratio" else 0.0))
    named = _farthest(np.where(np.isnan(away), -1.0, away), top) & np.isfinite(values)
    frame = pd.DataFrame(
        {"label": _labels(found.index), "place": np.arange(1, m + 1), "value": values, "named": named, "cutoff": cutoff}
    )
    where = "row" if by is None else by if isinstance(by, str) else ":".join(by)
    frame.attrs = {"title": "Influence", "x": f"Number of the {'row' if by is None else 'group'}", "y": NAMES.get(column, column)}
    frame.attrs["title"] = f"Without each {where}"
    return frame


def _labels(index: pd.Index) -> Any:
    """(m,) texts, of several names joined by colons."""
    if isinstance(index, pd.MultiIndex):
        return [":".join(map(str, key)) for key in index]
    return index.astype(str) if index.dtype.kind in "iu" else [str(key) for key in index]


def _farthest(away: np.ndarray, top: int) -> np.ndarray:
    """(m,) whether a distance is one of the largest; of equal ones the last."""
    named = np.zeros(len(away), dtype=bool)
    if min(top, len(away)) > 0:
        among = np.flatnonzero(away >= np.partition(away, -min(top, len(away)))[-min(top, len(away))])
        named[among[np.argsort(away[among], kind="stable")[::-1][:top]]] = True
    return named


def draw_influence(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """A line up to each value, the convention as a broken one, and the names of the farthest."""
    ax = axes[0]
    head(ax, look, frame.attrs["title"], frame.attrs["x"], frame.attrs["y"])
    known: Any = frame[np.isfinite(frame["value"])]
    if not len(known):
        nothing(ax, look)
        return
    base = 1.0 if frame.attrs["y"] == "COVRATIO" else 0.0
    away = known["value"].to_numpy() - base
    if len(known) > BINS:  # lower stems of neighbours hide behind the highest
        places, lowest, _, highest = envelope(known["place"].to_numpy(dtype=float), away, away, away)
        ax.vlines(places, base + np.minimum(lowest, 0.0), base + np.maximum(highest, 0.0), colors=look.colour(0), linewidth=0.5)
    else:
        ax.vlines(known["place"], base, known["value"], colors=look.colour(0), linewidth=0.5 if len(known) > 300 else 1.2)
    if len(known) <= 300:
        ax.scatter(known["place"], known["value"], s=9, color=look.colour(0), zorder=3)
    ax.axhline(base, color=look.soft, linewidth=0.8)
    cutoff = float(frame["cutoff"].iloc[0])
    for line in () if np.isnan(cutoff) else (cutoff, -cutoff) if (known["value"] < 0).any() else (cutoff,):
        ax.axhline(line, color=look.colour(1), linewidth=1.0, linestyle=(0, (4, 3)))
    for label, place, value in known.loc[known["named"], ["label", "place", "value"]].itertuples(index=False):
        side = "bottom" if value >= base else "top"
        ax.annotate(
            shown(label, 20),
            (place, value),
            xytext=(0, 3 if side == "bottom" else -3),
            textcoords="offset points",
            color=look.ink,
            fontsize="x-small",
            ha="center",
            va=side,
            parse_math=False,
        )
    ax.margins(y=0.16)
    if not base and not (known["value"] < 0).any():
        ax.set_ylim(bottom=0.0)


KIND = Kind(influence_frame, draw_influence, panel=(7.0, 3.6))
