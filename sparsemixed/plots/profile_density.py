"""Densities that profiles stand for: how sure one is of a parameter, and how lopsided that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.plots.densities import bare, curve_with_area
from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import nothing
from sparsemixed.plots.look import Look
from sparsemixed.plots.profile_curves import AT_END, between, profile_result

ROOT_2PI = np.sqrt(2.0 * np.pi)


def profile_density_frame(
    subject: Any, names: str | Sequence[str] | None = None, level: float | None = None, stddeviations: bool = True
) -> pd.DataFrame:
    """The density under which zeta is standard normal, phi(zeta) dzeta/dvalue, of every parameter.

    Parameters
    ----------
    names, level, stddeviations
        As in `plot.profile`.

    Returns
    -------
    DataFrame
        Columns panel (the parameter), part (`density`, `estimate`, `low`, `high`), value, density.
    """
    found, curves = profile_result(subject, names, level, stddeviations)
    parts = []
    for name in curves:
        value, zeta, slope = between(found.curve(name))
        density = np.exp(-0.5 * zeta**2) / ROOT_2PI * np.clip(slope, 0.0, None)
        parts.append(pd.DataFrame({"panel": name, "part": "density", "value": value, "density": density}))
        known = [(part, float(found.limits.loc[name, part])) for part in ("estimate", "low", "high")]
        marks = pd.DataFrame([one for one in known if np.isfinite(one[1])], columns=["part", "value"])
        parts.append(marks.assign(panel=name, density=np.interp(marks["value"], value, density)))
    frame: Any = pd.concat(parts, ignore_index=True)[["panel", "part", "value", "density"]]
    frame.attrs = {"title": "", "x": "", "y": ""}
    return frame


def draw_profile_density(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """The curve, its area between the limits, and the estimate."""
    for (panel, own), ax in zip(by_panel(frame), axes, strict=True):
        bare(ax, look, str(panel))
        curve = own[own["part"] == "density"]
        if len(curve) < 2:
            nothing(ax, look, AT_END)
            continue
        marks = own[own["part"] != "density"].set_index("part")["value"]
        low, high = marks.get("low", -np.inf), marks.get("high", np.inf)
        curve_with_area(ax, look, curve["value"], curve["density"], low, high)
        ax.axvline(marks["estimate"], color=look.colour(1), linewidth=1.4)
        ax.locator_params(axis="x", nbins=5)


KIND = Kind(profile_density_frame, draw_profile_density, panel=(3.2, 2.2), columns=3, share="bare")
