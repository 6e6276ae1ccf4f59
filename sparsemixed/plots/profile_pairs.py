"""Two parameters at a time: contours of the likelihood, and the profile of each as a line in the plane of both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.inference.profile.curve import Curve
from sparsemixed.inference.profile.targets import coefficient_targets, named_targets, variance_targets
from sparsemixed.plots.contours import Scale, Trace, scale_of
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.lettering import head, shown
from sparsemixed.plots.look import Look
from sparsemixed.plots.planes import NAMED, PARTS, Plane, plane
from sparsemixed.plots.profile_curves import profile_result
from sparsemixed.plots.subject import Subject

LEVELS = (50.0, 80.0, 90.0, 95.0, 99.0)
MOST = 8
"""Parameters in one picture."""
SCALES = ("both", "values", "zeta")


def profile_pairs_frame(
    subject: Any,
    names: str | Sequence[str] | None = None,
    levels: Sequence[float] = LEVELS,
    stddeviations: bool = True,
    criterion: str | None = None,
    scale: str = "both",
) -> pd.DataFrame:
    """Contours of the likelihood in every two parameters, all others at their best, with the traces of both profiles.

    Parameters
    ----------
    names : list of str, optional
        As in `profile`, up to eight; by default all parameters, or where these are more the first eight variance parameters, but
        none that is estimated at the end of its range.
    levels : sequence of float
        Of the contours, in per cent: the deviance has risen by the quantile of chi-squared with two degrees of freedom.
    stddeviations : bool
        Without names, of standard deviations and correlations.
    criterion : {"ml", "reml"}, optional
        The likelihood, one for all; after REML the restricted one of variance parameters alone, that of ML with coefficients.
    scale : {"both", "values", "zeta"}
        A matrix with the parameters' values above its diagonal and zetas below it; or a panel for each pair on one of the scales.

    Returns
    -------
    DataFrame
        Columns panel, row, column (the parameters on the axes y and x), scale, part, level, x, y. Parts are `contour`, `along x`
        (y at its best for each x), `along y`, `estimate`, and `name` on the diagonal. Contours are interpolated between the
        places where the profiles cross them (Bates & Watts 1988, section 6.1.2), exact where the likelihood is normal; those
        that a profile ends before, at a variance of zero, are left out.
    """
    percents, found, curves = _checked(subject, names, levels, stddeviations, criterion, scale)
    radii = {level: float(np.sqrt(-2.0 * np.log1p(-level / 100.0))) for level in percents}
    along = {name: found.profile_of(name, max(radii.values())) for name in curves}
    if names is None and sum(len(one.zeta) > 1 for one in along.values()) >= 2:
        along = {name: one for name, one in along.items() if len(one.zeta) > 1}
    frame = _panels(*_profiled(found, along), list(along), scale, radii)
    frame.attrs = {"title": "", "x": "", "y": "", "names": list(along), **_layout(len(along), scale == "both")}
    return frame


def _panels(
    scales: dict[str, Scale], traces: dict[tuple[str, str], Trace], curves: list[str], scale: str, radii: dict[float, float]
) -> pd.DataFrame:
    """Every panel, below each other."""
    planes = {pair: plane(*pair, scales, traces, radii) for pair in combinations(curves, 2)}
    found, about = [], []
    for row, column, on in _places(curves, scale):
        own = NAMED if not on else planes[column, row] if (column, row) in planes else planes[row, column].turned()
        found.append(own.scaled(scales[column], scales[row]) if on == "values" else own)
        label = row if not on else f"{row} over {column}" + (" on the scale of ζ" if on == "zeta" and scale == "both" else "")
        about.append((label, row, column, on))
    columns = {}
    for name, values in zip(("panel", "row", "column", "scale"), zip(*about, strict=True), strict=True):
        codes, known = pd.factorize(np.array(values, dtype=object))
        columns[name] = pd.Categorical.from_codes(np.repeat(codes, [len(own.part) for own in found]), list(known))
    columns["part"] = pd.Categorical.from_codes(np.concatenate([own.part for own in found]), list(PARTS))
    numbers = {name: np.concatenate([getattr(own, name) for own in found]) for name in ("level", "x", "y")}
    return pd.DataFrame({**columns, **numbers})


def _layout(n: int, matrix: bool) -> dict[str, Any]:
    """How the panels stand."""
    size = ((2.4, 2.2) if n < 4 else (1.7, 1.55)) if matrix else (3.4, 3.2)
    return {"matrix": matrix, "panel": size, "share": "edges" if matrix else "", "columns": n if matrix else min(3, n - 1)}


def _checked(
    subject: Any, names: str | Sequence[str] | None, levels: Sequence[float], stddeviations: bool, criterion: Any, scale: str
) -> tuple[list[float], Any, list[str]]:
    """Levels from low to high, the profile, and the names that have one."""
    if scale not in SCALES:
        raise OptionError(
            f"plot.profile_pairs: scale={scale!r} is not one of {', '.join(SCALES)}{suggestion(str(scale), SCALES)}"
        )
    percents = sorted(float(level) for level in levels)
    if not percents or not all(0.0 < level < 100.0 for level in percents):
        raise OptionError("plot.profile_pairs: levels are one or more numbers between 0 and 100")
    wanted = [names] if isinstance(names, str) else names
    if isinstance(subject, Subject):
        wanted, criterion = _defaults(subject.fit, None if wanted is None else list(wanted), stddeviations, criterion)
    found, curves = profile_result(subject, wanted, None, stddeviations, criterion)
    if not 2 <= len(curves) <= MOST:
        raise OptionError(
            f"plot.profile_pairs: pairs are drawn of two to {MOST} parameters, and here are {len(curves)}; see names="
        )
    if len({method for target, method in zip(found.targets, found.methods, strict=True) if target.name in curves}) > 1:
        raise OptionError(
            "plot.profile_pairs: pairs are of one likelihood, and after REML coefficients go by ML, variance parameters by REML: "
            'profile(criterion="ml"), or name the one or the other alone'
        )
    return percents, found, curves


def _defaults(
    fit: Any, names: list[str] | None, stddeviations: bool, criterion: str | None
) -> tuple[list[str] | None, str | None]:
    """Names where too many would be drawn, and the criterion where one has to be chosen."""
    variances = variance_targets(fit, stddeviations)
    fixed = coefficient_targets(fit)
    if names is None and len(fixed) + len(variances) > MOST:
        names = [target.name for target in variances if not target.unknown][:MOST]
    asked = [*fixed, *variances] if names is None else named_targets(fit, names)
    mixed = any(target.fixed for target in asked) and not all(target.fixed for target in asked)
    return names, "ml" if criterion is None and mixed and fit.spec.estimation.method == "reml" else criterion


def _profiled(found: Any, curves: dict[str, Curve]) -> tuple[dict[str, Scale], dict[tuple[str, str], Trace]]:
    """Scale of each parameter, and along the profile of the first of two the zeta of the second."""
    scales = {name: scale_of(one.zeta, one.value, one.slope) for name, one in curves.items()}
    every = [target.name for target in found.targets]
    traces = {}
    for name, along in curves.items():
        values = found.traces_of(name, along)
        for other in curves:
            traces[name, other] = Trace(along.zeta, scales[other].zetas(values[:, every.index(other)]))
    return scales, traces


def _places(names: list[str], scale: str) -> list[tuple[str, str, str]]:
    """Parameter of y, of x, and the scale of each panel, in order."""
    if scale != "both":
        return [(second, first, scale) for first, second in combinations(names, 2)]
    return [
        (row, column, "" if i == j else "values" if i < j else "zeta")
        for i, row in enumerate(names)
        for j, column in enumerate(names)
    ]


def draw_profile_pairs(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """Contours, a full line along x and a broken one along y, a point at the estimates; names on the diagonal of a matrix."""
    n, panels = len(frame.attrs["names"]), _panels_of(frame)
    ranges = _ranges(panels) if frame.attrs["matrix"] else {}
    for place, (panel, ax) in enumerate(zip(panels, axes, strict=True)):
        if not panel.scale:
            _draw_name(ax, look, panel.row)
            continue
        ax.grid(visible=False)
        _draw_plane(ax, look, panel.plane)
        if frame.attrs["matrix"]:
            _set_sides(ax, look, *divmod(place, n), n)
            ax.set_xlim(ranges[panel.on(panel.column)])
            ax.set_ylim(ranges[panel.on(panel.row)])
        else:
            ax.autoscale_view()
            zeta = " (ζ)" if panel.scale == "zeta" else ""
            head(ax, look, "", panel.column + zeta, panel.row + zeta)


class _Panel(NamedTuple):
    """A panel and what is drawn in it, once more as arrays: frames of few rows are slow."""

    row: str
    column: str
    scale: str
    plane: Plane

    def on(self, name: str) -> str:
        """What an axis shows: a parameter, or zeta, which is empty."""
        return name if self.scale == "values" else ""


def _panels_of(frame: pd.DataFrame) -> list[_Panel]:
    """The panels of a frame, whose rows follow each other panel by panel."""
    codes = frame["panel"].cat.codes.to_numpy()
    first = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    about = frame[["row", "column", "scale"]].iloc[first].itertuples(index=False)
    part = frame["part"].cat.codes.to_numpy()
    level, x, y = (frame[name].to_numpy() for name in ("level", "x", "y"))
    pieces = [slice(*ends) for ends in zip(first, np.append(first[1:], len(codes)), strict=True)]
    planes = [Plane(part[own], level[own], x[own], y[own]) for own in pieces]
    return [_Panel(str(row), str(column), str(scale), plane) for (row, column, scale), plane in zip(about, planes, strict=True)]


def _draw_plane(ax: Any, look: Look, plane: Plane) -> None:
    from matplotlib.collections import LineCollection  # only who draws needs it
    from matplotlib.lines import Line2D

    part, xy = plane.part, np.column_stack([plane.x, plane.y])
    rings = [xy[(part == 0) & (plane.level == one)] for one in np.unique(plane.level[part == 0])]
    ax.add_collection(LineCollection(rings, colors=look.colour(0), linewidths=1.1))
    dashes: dict[int, Any] = {1: "-", 2: (0, (4, 2))}
    for i, dash in dashes.items():
        ax.add_line(Line2D(*xy[part == i].T, color=look.colour(i), linewidth=1.2, linestyle=dash))
    ax.add_line(Line2D(*xy[part == 3].T, color=look.ink, marker="o", markersize=3.0, linestyle="none", zorder=3))


def _draw_name(ax: Any, look: Look, name: str) -> None:
    ax.xaxis.set_visible(False)
    ax.yaxis.set_visible(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    level, bracket, rest = name.partition("]")
    text = f"{shown(level + bracket, 22)}\n{shown(rest, 22)}" if rest else shown(name, 22)
    about = {
        "ha": "center",
        "va": "center",
        "color": look.ink,
        "fontsize": "small" if len(text) < 12 else "x-small",
        "parse_math": False,
    }
    ax.text(0.5, 0.5, text, transform=ax.transAxes, **about)


def _set_sides(ax: Any, look: Look, i: int, j: int, n: int) -> None:
    """All four sides drawn; numbers only at the outer ones, those of values above and at the right."""
    for spine in ax.spines.values():
        spine.set(visible=True, color=look.soft, linewidth=0.8)
    values, zeta = i < j, i > j
    top, right, bottom, left = values and i == 0, values and j == n - 1, zeta and i == n - 1, zeta and j == 0
    for axis, first, second in ((ax.xaxis, bottom, top), (ax.yaxis, left, right)):
        if not (first or second):
            axis.set_visible(False)
            continue
        axis.get_major_locator().set_params(nbins=3, prune="both")
        sides = ("bottom", "top") if axis is ax.xaxis else ("left", "right")
        shown_here = dict(zip(sides, (first, second), strict=True))
        axis.set_tick_params(labelsize="x-small", **shown_here, **{f"label{side}": here for side, here in shown_here.items()})


def _ranges(panels: list[_Panel]) -> dict[str, tuple[float, float]]:
    """One range for each parameter, and one of zeta, which has no name."""
    ends: dict[str, list[float]] = {}
    for panel in panels:
        for name, numbers in ((panel.column, panel.plane.x), (panel.row, panel.plane.y)) if panel.scale else ():
            ends.setdefault(panel.on(name), []).extend([float(numbers.min()), float(numbers.max())])
    room = {name: 0.05 * (max(own) - min(own) or 1.0) for name, own in ends.items()}
    return {name: (min(own) - room[name], max(own) + room[name]) for name, own in ends.items()}


KIND = Kind(profile_pairs_frame, draw_profile_pairs, panel=(2.4, 2.2), columns=3)
