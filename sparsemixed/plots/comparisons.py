"""Contrasts and pairwise comparisons with their limits, beside zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head, nothing, ticks
from sparsemixed.plots.look import Look


def comparisons_frame(found: Any, unique: bool = True, csort: bool = False) -> pd.DataFrame:
    """Contrasts or pairwise comparisons in order, one panel for each term.

    Parameters
    ----------
    unique : bool
        Each pair once; False adds its mirror image.
    csort : bool
        Sort pairs by what is compared with, not by what is compared.

    Returns
    -------
    DataFrame
        Columns panel, label, estimate, std_err, low, high, and y, the place from above.
    """
    effects = found.frame
    frame: Any = pd.DataFrame(
        {
            "panel": [str(term) for term in effects.index.get_level_values(0)],
            "label": [str(label) for label in effects.index.get_level_values(-1)],
            **{name: effects[name].to_numpy(dtype=float) for name in ("estimate", "std_err", "low", "high")},
        }
    )
    frame["label"] = frame["label"].where(frame["label"] != "", frame["panel"])
    pairs = frame["label"].str.contains(" vs ")
    if not unique and pairs.any():
        mirrored = frame[pairs].copy()
        mirrored[["estimate", "low", "high"]] = -mirrored[["estimate", "high", "low"]].to_numpy()
        mirrored["label"] = [" vs ".join(reversed(label.split(" vs "))) for label in mirrored["label"]]
        frame = pd.concat([frame, mirrored], ignore_index=True)
    if csort:
        key = frame["label"].str.partition(" vs ")[2]
        term = pd.factorize(frame["panel"])[0]
        frame = frame.iloc[np.lexsort((np.arange(len(frame)), key.to_numpy(dtype=str), term))]
    frame["y"] = frame.groupby("panel", sort=False).cumcount().astype(float)
    frame = frame.reset_index(drop=True)
    longest = 0 if not len(frame) else int(frame["y"].max()) + 1
    title = getattr(found, "title", "") or ("Contrasts" if len(found.tests) else "Pairwise comparisons")
    frame.attrs = {"title": f"{title} with {found.level:g}% CIs", "panel": (6.0, min(max(2.2, 0.32 * longest + 1.1), 12.0))}
    return frame


def draw_comparisons(frame: pd.DataFrame, axes: np.ndarray, look: Look, noci: bool = False) -> None:
    """A point and its limits for each; zero as a broken line."""
    for (panel, own), ax in zip(by_panel(frame), axes, strict=True):
        head(ax, look, frame.attrs["title"] if len(axes) == 1 else str(panel), "Contrast", "")
        ax.grid(visible=False)
        ax.grid(visible=True, axis="x", color=look.grid, linewidth=0.8)
        if not own["estimate"].notna().any():
            nothing(ax, look, "not estimable")
            continue
        ax.axvline(0.0, color=look.soft, linewidth=1.0, linestyle=(0, (4, 3)))
        if not noci:
            ax.hlines(own["y"], own["low"], own["high"], colors=look.colour(0), linewidth=1.4)
        ax.scatter(own["estimate"], own["y"], s=26, color=look.colour(0), zorder=3)
        ticks(ax, "y", own["y"].tolist(), own["label"].tolist())
        ax.set_ylim(len(own) - 0.4, -0.6)


KIND = Kind(comparisons_frame, draw_comparisons, columns=2)
