"""Predicted random effects of one level against each other, with the ellipse of their estimated covariance."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.plots.ellipse import ellipse
from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head
from sparsemixed.plots.look import Look
from sparsemixed.plots.predicted_effects import term_of
from sparsemixed.plots.subject import Subject, group_labels
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.postestimation.random_effects import effect_names, term_name


def random_pairs_frame(subject: Subject, group: str | None = None, level: float | None = None) -> pd.DataFrame:
    """Pairs of predicted random effects of one level, and the ellipse that holds `level` per cent of the groups by the model.

    Parameters
    ----------
    group : str
        The level, by default the first with at least two effects.
    level : float, optional
        Of the ellipse, in per cent. Predictions are shrunken, so that more of them lie inside.

    Returns
    -------
    DataFrame
        Columns panel (the pair), part (`groups` or `ellipse`), group, x, y, x_name, y_name.
    """
    fit = subject.fit
    t = term_of(fit, group, 2)
    term, u, G = fit.design.random[t], fit.u[t], term_covariances(fit)[t]
    percent, names = subject.level if level is None else level, effect_names(term)
    labels, parts = group_labels(fit, term.labels, term.n_groups), []
    for i, j in combinations(range(term.k), 2):
        about = {"panel": f"{names[j]} and {names[i]}", "x_name": names[i], "y_name": names[j]}
        curve = ellipse(G[np.ix_([i, j], [i, j])], percent)
        parts.append(pd.DataFrame({"part": "groups", "group": labels, "x": u[:, i], "y": u[:, j], **about}))
        parts.append(pd.DataFrame({"part": "ellipse", "group": "", "x": curve[:, 0], "y": curve[:, 1], **about}))
    found: Any = pd.concat(parts, ignore_index=True)[["panel", "part", "group", "x", "y", "x_name", "y_name"]]
    found.attrs = {"title": f"Random effects of {term_name(term)}, {percent:g}% ellipse"}
    return found


def draw_random_pairs(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """A point for each group, lines through zero, and the ellipse."""
    for i, ((_, own), ax) in enumerate(zip(by_panel(frame), axes, strict=True)):
        groups, curve = own[own["part"] == "groups"], own[own["part"] == "ellipse"]
        head(ax, look, "" if i else frame.attrs["title"], own["x_name"].iloc[0], own["y_name"].iloc[0])
        ax.grid(visible=False)
        ax.axhline(0.0, color=look.grid, linewidth=1.0)
        ax.axvline(0.0, color=look.grid, linewidth=1.0)
        many = len(groups) > 500
        ax.scatter(
            *(groups["x"], groups["y"]),
            s=5 if many else 18,
            color=look.colour(0),
            alpha=0.35 if many else 0.85,
            linewidths=0,
            rasterized=many,
        )
        ax.plot(curve["x"], curve["y"], color=look.colour(1), linewidth=1.4)


KIND = Kind(random_pairs_frame, draw_random_pairs, panel=(4.4, 4.0))
