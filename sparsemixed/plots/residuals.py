"""Residuals against fitted values, against normal quantiles, and their sizes: what is wrong with a model shows here first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.cloud import cloud
from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head, nothing
from sparsemixed.plots.loess import loess
from sparsemixed.plots.look import Look
from sparsemixed.plots.predicted_effects import needs_rows
from sparsemixed.plots.quantile_points import quantile_points, quartile_line
from sparsemixed.plots.subject import Subject

Panel = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""x and y of the points, x and y of the line or curve."""


@dataclass
class Points:
    """Fitted values and residuals, (n,) each, and what sorts the former, found once."""

    fitted: np.ndarray
    scaled: np.ndarray

    @cached_property
    def order(self) -> np.ndarray:
        """(n,)"""
        return np.argsort(self.fitted, kind="stable")


def _against_fitted(own: Points) -> Panel:
    return (own.fitted, own.scaled, *loess(own.fitted, own.scaled, order=own.order))


def _quantiles(own: Points) -> Panel:
    scaled = own.scaled
    places, quantiles = quantile_points(scaled)
    intercept, slope = quartile_line(scaled)
    ends = quantiles[[0, -1]] if len(quantiles) else np.empty(0)
    return quantiles, scaled[places], ends, intercept + slope * ends


def _sizes(own: Points) -> Panel:
    size = np.sqrt(np.abs(own.scaled))
    return (own.fitted, size, *loess(own.fitted, size, order=own.order))


PANELS: dict[str, tuple[Callable[[Points], Panel], str, str, str]] = {
    "fitted": (_against_fitted, "Residuals and fitted values", "Fitted value", "{residual}"),
    "qq": (_quantiles, "Normal quantiles", "Normal quantile", "{residual}"),
    "scale": (_sizes, "Scale and location", "Fitted value", "Root of |{residual}|"),
}
"""Panel -> what makes it, its title, and the names of its axes."""
NAMES = {
    "rstandard": "Standardized residual",
    "residuals": "Residual",
    "scaled": "Scaled residual",
    "studentized": "Studentized residual",
    "marginal": "Marginal residual",
}


def residuals_frame(subject: Subject, kind: str | None = None, what: str = "rstandard", level: str | None = None) -> pd.DataFrame:
    """Residuals against fitted values with a smooth curve, against normal quantiles, and the roots of their sizes.

    Parameters
    ----------
    kind : {"fitted", "qq", "scale"}, optional
        One of the three panels; by default all.
    what : {"rstandard", "residuals", "scaled", "studentized", "marginal"}
        Which residuals, as `predict` has them. With `marginal` and `scaled`, which the random effects are not taken off, fitted
        values are those of the fixed part.
    level : str, optional
        Fitted values and residuals with the random effects down to a level only.

    Returns
    -------
    DataFrame
        Columns panel, part (`points`; `curve` for the loess curve, or the line through the quartiles), x, y. A loess curve is the
        local linear one with tricube weights over two thirds of the points. The points of the quantiles are thinned between the
        tails if there are more than 5,000.
    """
    if kind is not None and kind not in PANELS:
        raise OptionError(f"plot.residuals: kind={kind!r} is not one of {', '.join(PANELS)}{suggestion(str(kind), PANELS)}")
    if what not in NAMES:
        raise OptionError(f"plot.residuals: what={what!r} is not one of {', '.join(NAMES)}{suggestion(str(what), NAMES)}")
    needs_rows(subject.fit, "residuals")
    options = {} if level is None else {"relevel": level}
    whole = what in ("marginal", "scaled")
    fitted = subject.results.predict(what="xb" if whole else "fitted", **({} if whole else options)).to_numpy()
    scaled = subject.results.predict(what=what, **({} if whole or what == "studentized" else options)).to_numpy()
    chosen = list(PANELS) if kind is None else [kind]
    points = Points(fitted, scaled)
    pieces = [(name, PANELS[name][0](points)) for name in chosen]
    return _long(pieces, NAMES[what])


def _long(pieces: list[tuple[str, Panel]], residual: str) -> pd.DataFrame:
    """All points and curves below each other; names as categories, which take a byte a row."""
    sizes = [(len(x), len(cx)) for _, (x, _, cx, _) in pieces]
    names = [name for name, _ in pieces]
    panel = pd.Categorical.from_codes(np.repeat(np.arange(len(names)), [sum(own) for own in sizes]).astype(np.int8), names)
    part = np.repeat(np.tile([0, 1], len(names)).astype(np.int8), np.ravel(sizes))
    x = np.concatenate([each for _, (x, _, cx, _) in pieces for each in (x, cx)])
    y = np.concatenate([each for _, (_, y, _, cy) in pieces for each in (y, cy)])
    columns = {"panel": panel, "part": pd.Categorical.from_codes(part, ["points", "curve"]), "x": x, "y": y}
    found = pd.DataFrame(columns, copy=False)
    found.attrs = {"residual": residual}
    return found


def draw_residuals(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """Points, or hexagons of more than 100,000 of them, and the curves."""
    residual = frame.attrs["residual"]
    for (panel, own), ax in zip(by_panel(frame), axes, strict=True):
        _, title, x, y = PANELS[panel]
        small = residual[0].lower() + residual[1:]
        head(ax, look, title, x, y.format(residual=residual if y.startswith("{") else small))
        curve = (own["part"] == "curve").to_numpy()
        xs, ys = own["x"].to_numpy(), own["y"].to_numpy()
        if not np.isfinite(ys[~curve]).any():
            nothing(ax, look)
            continue
        if panel == "fitted":
            ax.axhline(0.0, color=look.soft, linewidth=1.0, linestyle=(0, (4, 3)))
        cloud(ax, xs[~curve], ys[~curve], look)
        ax.plot(xs[curve], ys[curve], color=look.colour(1), linewidth=1.8)


KIND = Kind(residuals_frame, draw_residuals, panel=(4.2, 3.6), columns=3)
