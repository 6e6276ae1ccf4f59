"""How far the predictions of random effects are drawn in from what each group says by itself."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head, legend, nothing, tall, ticks
from sparsemixed.plots.look import Look
from sparsemixed.plots.predicted_effects import needs_rows, term_of
from sparsemixed.plots.subject import Subject, group_labels
from sparsemixed.postestimation.prediction.sample_values import marginal_residuals, random_part
from sparsemixed.postestimation.random_effects import effect_names, term_name

DETERMINED = 1e-8
"""Smallest eigenvalue of a group's Z'WZ, scaled to a unit diagonal, from which its own estimate counts as known."""


def shrinkage_frame(subject: Subject, group: str | None = None, most: int = 2000) -> pd.DataFrame:
    """The effects of each group by its rows alone, and as predicted: what the model's distribution of effects does to them.

    A group's own effects are the least-squares coefficients of y - X beta_hat, less the effects of other levels, on its columns
    of the random part, weighted as the model is.

    Parameters
    ----------
    group : str
        The level, by default the first with two effects, or the first.
    most : int
        Of more groups this many are taken, evenly.

    Returns
    -------
    DataFrame
        With one effect columns group, alone, predicted, y (the place from below); with several, one row for each pair, columns
        panel, group, x_alone, y_alone, x_predicted, y_predicted, x_name, y_name. Missing where the rows of a group do not
        determine its effects.
    """
    fit = subject.fit
    needs_rows(fit, "shrinkage")
    several = any(term.k > 1 and term.members is None for term in fit.design.random)
    t = term_of(fit, group, 2 if several and group is None else 1)
    term, u = fit.design.random[t], fit.u[t]
    taken = np.unique(np.linspace(0, term.n_groups - 1, min(most, term.n_groups)).round().astype(int))
    own, u, names = alone(fit, t)[taken], u[taken], effect_names(term)
    labels = group_labels(fit, term.labels.iloc[taken], len(taken))
    if term.k == 1:
        order = np.argsort(u[:, 0], kind="stable")
        places = np.arange(len(order), dtype=float)
        found = pd.DataFrame({"group": labels, "alone": own[:, 0], "predicted": u[:, 0]}).iloc[order].assign(y=places)
        found = found.reset_index(drop=True)
        found.attrs = {"title": f"{term_name(term)}: {names[0]}", "x": "Effect", "y": "", "panel": (5.6, tall(len(found)))}
        return found
    parts = []
    for i, j in combinations(range(term.k), 2):
        about = {"panel": f"{names[j]} and {names[i]}", "group": labels, "x_name": names[i], "y_name": names[j]}
        pair = {"x_alone": own[:, i], "y_alone": own[:, j], "x_predicted": u[:, i], "y_predicted": u[:, j]}
        parts.append(pd.DataFrame({**about, **pair}))
    found = pd.concat(parts, ignore_index=True)
    found.attrs = {"title": f"Shrinkage of the effects of {term_name(term)}"}
    return found


def alone(fit: Fit, t: int) -> np.ndarray:
    """(J, k) weighted least-squares effects of each group of a term by its rows alone; NaN where these do not determine them."""
    term, weights = fit.design.random[t], fit.design.weights
    others = tuple(i for i in range(len(fit.design.random)) if i != t)
    rest = marginal_residuals(fit) - (random_part(fit, others) if others else 0.0)
    w = np.ones(len(rest)) if weights is None else weights.rows
    A, b = np.zeros((term.n_groups, term.k, term.k)), np.zeros((term.n_groups, term.k))
    for i in range(term.k):
        weighted = w * term.columns[:, i]
        b[:, i] = np.bincount(term.codes, weighted * rest, minlength=term.n_groups)
        for j in range(i + 1):
            A[:, i, j] = A[:, j, i] = np.bincount(term.codes, weighted * term.columns[:, j], minlength=term.n_groups)
    size = np.sqrt(np.einsum("jii->ji", A))
    scaled = A / np.where(size > 0, size, 1.0)[:, :, None] / np.where(size > 0, size, 1.0)[:, None, :]
    known = np.linalg.eigvalsh(scaled)[:, 0] > DETERMINED
    found = np.full_like(b, np.nan)
    found[known] = np.linalg.solve(A[known], b[known][..., None])[..., 0]
    return found


def draw_shrinkage(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """An arrow, or with one effect a line, from a group's own estimate to its prediction."""
    if "alone" in frame:
        _lines(frame, axes[0], look)
        return
    for i, ((_, own), ax) in enumerate(zip(by_panel(frame), axes, strict=True)):
        head(ax, look, "" if i else frame.attrs["title"], own["x_name"].iloc[0], own["y_name"].iloc[0])
        known = own.dropna(subset=["x_alone", "y_alone"])
        many = len(own) > 300
        dx, dy = known["x_predicted"] - known["x_alone"], known["y_predicted"] - known["y_alone"]
        ax.quiver(
            *(known["x_alone"], known["y_alone"], dx, dy),
            angles="xy",
            scale_units="xy",
            scale=1.0,
            color=look.soft,
            alpha=0.35 if many else 0.8,
            width=0.0015 if many else 0.003,
            rasterized=many,
        )
        size, alpha = (4, 0.4) if many else (18, 0.9)
        style = {"s": size, "alpha": alpha, "linewidths": 0, "rasterized": many}
        first = ax.scatter(known["x_alone"], known["y_alone"], color=look.colour(1), marker="s", **style)
        second = ax.scatter(own["x_predicted"], own["y_predicted"], color=look.colour(0), zorder=3, **style)
        if i == len(axes) - 1:
            legend(ax, look, [first, second], ["Group alone", "Predicted"], inside=True)


def _lines(frame: pd.DataFrame, ax, look: Look) -> None:
    head(ax, look, frame.attrs["title"], frame.attrs["x"], "")
    ax.grid(visible=False)
    if not len(frame):
        nothing(ax, look)
        return
    many = len(frame) > 200
    ax.axvline(0.0, color=look.soft, linewidth=1.0, linestyle=(0, (4, 3)))
    ax.hlines(
        *(frame["y"], frame["alone"], frame["predicted"]), colors=look.soft, linewidth=0.4 if many else 1.2, rasterized=many
    )
    size = 3 if many else 18
    first = ax.scatter(frame["alone"], frame["y"], s=size, color=look.colour(1), marker="s", linewidths=0, rasterized=many)
    second = ax.scatter(frame["predicted"], frame["y"], s=size, color=look.colour(0), linewidths=0, zorder=3, rasterized=many)
    ticks(ax, "y", frame["y"].to_numpy(), frame["group"].tolist())
    legend(ax, look, [first, second], ["Group alone", "Predicted"], inside=True)


KIND = Kind(shrinkage_frame, draw_shrinkage, panel=(5.0, 4.4), columns=2)
