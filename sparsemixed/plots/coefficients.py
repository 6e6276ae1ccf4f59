"""Coefficients of one fit or of several, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.hypotheses.wald import coefficients
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.lettering import head, legend, ticks
from sparsemixed.plots.look import Look
from sparsemixed.plots.subject import Subject, value_label

CONSTANT = "_cons"


def coefficients_frame(
    subject: Subject,
    *others: Any,
    names: Sequence[str] | None = None,
    terms: Sequence[str] | None = None,
    constant: bool = False,
    level: float | None = None,
) -> pd.DataFrame:
    """Coefficients with their confidence limits, of this fit and of others.

    Parameters
    ----------
    *others : Results
        Fits to stand beside this one.
    names : list of str, optional
        One for each fit; by default (1), (2), ...
    terms : list of str, optional
        Only these coefficients, in this order, by Stata's names.
    constant : bool
        Whether to show `_cons`, which is mostly on another scale.
    level : float, optional
        In per cent; by default each fit's own.

    Returns
    -------
    DataFrame
        Columns fit, term, label (with the labels of the data), estimate, std_err, low, high, y (the place from above).
    """
    fits = [subject.fit, *(getattr(one, "fit", one) for one in others)]
    called = list(names) if names is not None else [f"({i})" for i in range(1, len(fits) + 1)]
    if len(called) != len(fits) or len(set(called)) != len(called):
        raise OptionError(f"plot.coefficients: names must be {len(fits)} different names, one for each fit, not {called}")
    found: Any = pd.concat([_of_fit(fit, name, level) for fit, name in zip(fits, called, strict=True)], ignore_index=True)
    known = list(dict.fromkeys(found["term"]))
    wanted = [term for term in known if constant or term != CONSTANT] if terms is None else list(terms)
    for term in wanted:
        if term not in known:
            raise OptionError(f"plot.coefficients: there is no coefficient {term!r}{suggestion(term, known)}")
    found = found[found["term"].isin(wanted)]
    found = _placed(found, wanted, called)
    percent = subject.level if level is None else level
    found.attrs = {"title": "", "x": f"Coefficient, {percent:g}% limits", "panel": (6.0, max(2.2, 0.34 * len(wanted) + 1.2))}
    found.attrs["fits"] = called
    return found


def _placed(found: Any, terms: Sequence[str], fits: Sequence[str]) -> pd.DataFrame:
    """With the place of each coefficient from above, those of different fits a little apart."""
    place = {term: float(i) for i, term in enumerate(terms)}
    apart = min(0.18, 0.7 / len(fits))
    shift = {name: apart * (i - 0.5 * (len(fits) - 1)) for i, name in enumerate(fits)}
    found = found.assign(y=found["term"].map(place) + found["fit"].map(shift))
    return found.sort_values("y", kind="stable").reset_index(drop=True)


def _of_fit(fit: Fit, name: str, level: float | None) -> pd.DataFrame:
    c = coefficients(fit, fit.spec.display.level if level is None else level)
    labels = [column_label(fit, column) for column in fit.design.columns if column.status == "estimated"]
    numbers = {"estimate": c.estimate, "std_err": c.std_err, "low": c.low, "high": c.high}
    return pd.DataFrame({"fit": name, "term": list(fit.design.names), "label": labels, **numbers})


def column_label(fit: Fit, column: Any) -> str:
    """`sex: female # age` where the data label the levels; else the name of the column."""
    if column.term < 0 or column.term >= len(fit.spec.fixed):
        return column.name
    factors, parts, labelled = fit.spec.fixed[column.term].factors, [], False
    if len(factors) != len(column.cell):
        return column.name
    for factor, value in zip(factors, column.cell, strict=True):
        label = None if value is None else value_label(fit, factor.variable, value)
        labelled |= label is not None
        parts.append(factor.variable if value is None else f"{factor.variable}: {label or level_text(value)}")
    return " # ".join(parts) if labelled else column.name


def draw_coefficients(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """A point with its limits for each coefficient, fits in colours of their own."""
    ax = axes[0]
    head(ax, look, frame.attrs["title"], frame.attrs["x"], "")
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x", color=look.grid, linewidth=0.8)
    ax.axvline(0.0, color=look.soft, linewidth=1.0, linestyle=(0, (4, 3)))
    handles = []
    for i, name in enumerate(frame.attrs["fits"]):
        own = frame[frame["fit"] == name]
        ax.hlines(own["y"], own["low"], own["high"], colors=look.colour(i), linewidth=1.4)
        style = {"s": 28, "color": look.colour(i), "marker": look.marker(i), "zorder": 3}
        handles.append(ax.scatter(own["estimate"], own["y"], **style))
    middle = frame.assign(place=frame["y"].round()).drop_duplicates("place")
    ticks(ax, "y", middle["place"].tolist(), middle["label"].tolist())
    ax.set_ylim(frame["y"].max() + 0.6, frame["y"].min() - 0.6)
    if len(handles) > 1:
        legend(ax, look, handles, frame.attrs["fits"])


KIND = Kind(coefficients_frame, draw_coefficients, empty="no coefficients but the constant")
