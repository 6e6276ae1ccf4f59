"""Profiles of parameters: the signed root of the rise of the deviance, straight where the likelihood is normal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head, nothing
from sparsemixed.plots.look import Look
from sparsemixed.plots.profile_curves import AT_END, between, profile_result


def profile_frame(
    subject: Any,
    names: str | Sequence[str] | None = None,
    level: float | None = None,
    stddeviations: bool = True,
    absolute: bool = False,
) -> pd.DataFrame:
    """The profile zeta of every parameter over its value, with its limits: `fit.profile(...)` drawn.

    Parameters
    ----------
    names : str or list of str, optional
        As in `profile`; by default all parameters.
    level : float, optional
        Of the limits, in per cent.
    stddeviations : bool
        Without names, of standard deviations and correlations, whose profiles are straighter than those of variances.
    absolute : bool
        The size of zeta, a V where the likelihood is normal.

    Returns
    -------
    DataFrame
        Columns panel (the parameter), part (`curve`, `estimate`, `low`, `high`), value, zeta. Between its places a profile is the
        cubic with the exact slopes there.
    """
    found, curves = profile_result(subject, names, level, stddeviations)
    half, parts = z_critical(found.level), []
    for name in curves:
        value, zeta, _ = between(found.curve(name))
        parts.append(pd.DataFrame({"panel": name, "part": "curve", "value": value, "zeta": zeta}))
        limits = found.limits.loc[name]
        # A limit at the boundary lies where the curve ends, before it has risen so far.
        marks = [("estimate", 0.0), ("low", max(-half, zeta[0])), ("high", min(half, zeta[-1]))]
        parts.append(
            pd.DataFrame(
                [(name, part, float(limits[part]), z) for part, z in marks if np.isfinite(limits[part])],
                columns=["panel", "part", "value", "zeta"],
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    frame["zeta"] = frame["zeta"].abs() if absolute else frame["zeta"]
    frame.attrs = {"title": "", "x": "", "y": "|ζ|" if absolute else "ζ", "level": found.level}
    return frame


def draw_profile(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """The curve; a point at the estimate, and lines down to the limits."""
    for i, ((panel, own), ax) in enumerate(zip(by_panel(frame), axes, strict=True)):
        head(ax, look, str(panel), "", "" if i else f"{frame.attrs['y']}, {frame.attrs['level']:g}% limits")
        curve, marks = own[own["part"] == "curve"], own[own["part"] != "curve"]
        if len(curve) < 2:
            nothing(ax, look, AT_END)
            continue
        ax.axhline(0.0, color=look.soft, linewidth=0.8)
        for part, value, zeta in marks[["part", "value", "zeta"]].itertuples(index=False):
            if part != "estimate":
                ax.plot([value, value], [0.0, zeta], color=look.colour(1), linewidth=1.2, linestyle=(0, (4, 3)))
        ax.plot(curve["value"], curve["zeta"], color=look.colour(0), linewidth=1.7)
        point = marks[marks["part"] == "estimate"]
        ax.scatter(point["value"], point["zeta"], s=22, color=look.colour(0), zorder=3)
        ax.locator_params(axis="x", nbins=5)


KIND = Kind(profile_frame, draw_profile, panel=(3.2, 2.6), columns=3, share="apart")
