"""Growth curves: the data of single groups with the line of their group and that of the population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.plots.kind import Kind, by_panel
from sparsemixed.plots.lettering import head, legend, nothing
from sparsemixed.plots.look import Look
from sparsemixed.plots.predicted_effects import needs_rows, term_of
from sparsemixed.plots.subject import Subject, group_labels
from sparsemixed.postestimation.random_effects import effect_names

GRID = 40
"""Places of a line within the range of its group."""
LINES = ("population", "group")


def growth_frame(
    subject: Subject,
    x: str | None = None,
    group: str | None = None,
    sample: int = 16,
    groups: Sequence | None = None,
    level: float | None = None,
    bands: bool = True,
) -> pd.DataFrame:
    """The observations of some groups over a covariate, the line of each group and that of the population, with bands.

    For a pandas frame lines run over the range of the group, other variables as in its nearest row; else they join its rows.

    Parameters
    ----------
    x : str, optional
        The covariate; by default the first that has a random slope, else the first of the fixed part.
    group : str, optional
        The level whose groups have a panel each; by default that with the random slope, else the lowest.
    sample : int
        How many groups, taken evenly from all of them.
    groups : list, optional
        These groups, by their names, instead.
    level, bands : float, bool
        Limits of the means of group and population, in per cent, variance parameters taken as known; whether to have them.

    Returns
    -------
    DataFrame
        Columns panel (the group), part (`data`, `population`, `group`), x, y, low, high.
    """
    fit = subject.fit
    needs_rows(fit, "growth")
    name, t = _axis(fit, x, group)
    term = fit.design.random[t]
    chosen = _taken(term.n_groups, sample) if groups is None else _named(group_labels(fit, term.labels, term.n_groups), groups)
    labels = dict(zip(chosen, group_labels(fit, term.labels.iloc[chosen], len(chosen)), strict=True))
    rows = np.flatnonzero(np.isin(term.codes, chosen))
    values = subject.numbers(name)
    data = pd.DataFrame({"code": term.codes[rows], "part": "data", "x": values[rows], "y": _observed(fit)[rows]})
    pieces = [data, *_lines(subject, name, term.codes, rows, values, level, bands)]
    found = _ordered(pieces, chosen, labels)
    found.attrs = {"title": "", "x": name, "y": fit.spec.response, "group": ":".join(map(str, term.labels.columns)) or "_all"}
    found.attrs["panel"] = (2.3, 2.0) if len(chosen) > 1 else (5.6, 4.0)
    return found


def _observed(fit: Fit) -> np.ndarray:
    """(n,) responses, their offset included."""
    return fit.design.y + (0.0 if fit.design.offset is None else fit.design.offset)


def _ordered(pieces: list[pd.DataFrame], chosen: list[int], labels: dict[int, str]) -> pd.DataFrame:
    """The pieces group by group, each part along the axis."""
    found: Any = pd.concat(pieces, ignore_index=True)
    place = {code: i for i, code in enumerate(chosen)}
    order = np.lexsort((found["x"].to_numpy(), [_PARTS.index(p) for p in found["part"]], found["code"].map(place)))
    found = found.iloc[order].reset_index(drop=True)
    found.insert(0, "panel", [labels[code] for code in found["code"]])
    for limit in ("low", "high"):
        found[limit] = found.get(limit, np.nan)
    return found[["panel", "part", "x", "y", "low", "high"]]


_PARTS = ("data", "population", "group")


def _axis(fit: Fit, x: str | None, group: str | None) -> tuple[str, int]:
    """The covariate and the term of the level."""
    candidates = [
        column.name
        for column in fit.design.columns
        if column.status == "estimated" and column.term >= 0 and column.cell == (None,) and column.name not in _computed(fit)
    ]
    term_of(fit, group)
    for t, term in enumerate(fit.design.random):
        sloped = [name for name in ([x] if x else candidates) if term.members is None and name in effect_names(term)]
        if sloped and (group is None or term_of(fit, group) == t):
            return sloped[0], t
    if x is None and not candidates:
        raise OptionError("plot.growth: the fixed part has no covariate; name the variable of the axis: x=")
    names = [t for t, term in enumerate(fit.design.random) if term.members is None and len(term.labels.columns)]
    t = term_of(fit, group) if group is not None else names[-1] if names else 0
    return x or candidates[0], t


def _computed(fit: Fit) -> set[str]:
    return {name for one in fit.spec.computed for name in one.columns}


def _taken(n: int, sample: int) -> list[int]:
    """Numbers of some of n groups, evenly."""
    if sample < 1:
        raise OptionError(f"plot.growth: sample must be at least 1, not {sample}")
    return np.unique(np.linspace(0, n - 1, min(sample, n)).round().astype(int)).tolist()


def _named(labels: list[str], groups: Sequence) -> list[int]:
    """Numbers of the groups of these names."""
    place = {label: i for i, label in enumerate(labels)}
    for one in map(str, groups):
        if one not in place:
            raise OptionError(f"plot.growth: there is no group {one!r}{suggestion(one, list(place)[:1000])}")
    return [place[str(one)] for one in groups]


def _lines(
    subject: Subject, x: str, codes: np.ndarray, rows: np.ndarray, values: np.ndarray, level: float | None, bands: bool
) -> list[pd.DataFrame]:
    """Population and group lines of the groups of some rows."""
    source = subject.table()
    if source is None or subject.fit.spec.tsset is not None or x not in source:
        own, at, data = codes[rows], values[rows], None
    else:
        place, at = _grid(codes, rows, values)
        own, data = codes[place], source.iloc[place].copy()
        data[x] = at
    out = []
    for part, what in zip(LINES, ("xb", "fitted"), strict=True):
        options = {"se": True, "interval": "confidence", "level": level} if bands else {}
        found = subject.results.predict(data, what=what, **options)
        table = pd.DataFrame({"predicted": found}) if isinstance(found, pd.Series) else found
        table = table if data is not None else table.iloc[rows]
        line = pd.DataFrame({"code": own, "part": part, "x": at, "y": table["predicted"].to_numpy()})
        if bands:
            line["low"], line["high"] = table["low"].to_numpy(), table["high"].to_numpy()
        out.append(line)
    return out


def _grid(codes: np.ndarray, rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the sample, and places on the axis, each within the range of its row's group and nearest to that row."""
    places, at = [], []
    for code in np.unique(codes[rows]):
        own = rows[codes[rows] == code]
        own = own[np.argsort(values[own], kind="stable")]
        grid = np.unique(np.concatenate([np.linspace(values[own[0]], values[own[-1]], GRID), values[own]]))
        middle = 0.5 * (values[own][1:] + values[own][:-1])
        places.append(own[np.searchsorted(middle, grid, side="right")])
        at.append(grid)
    return np.concatenate(places), np.concatenate(at)


def _set_limits(frame: pd.DataFrame, axes: np.ndarray) -> None:
    """One range for all panels, once: each line that is added would look at all axes that are shared."""
    heights = frame[["y", "low", "high"]].to_numpy(dtype=float)
    ranges = [(np.nanmin(one), np.nanmax(one)) for one in (frame["x"].to_numpy(dtype=float), heights) if np.isfinite(one).any()]
    if len(axes) == 1 or len(ranges) < 2:
        return
    (left, right), (bottom, top) = ((low - 0.05 * (high - low or 1.0), high + 0.05 * (high - low or 1.0)) for low, high in ranges)
    for i, ax in enumerate(axes):
        ax.set_autoscale_on(False)
        if not i or not ax.get_shared_x_axes().joined(axes[0], ax):
            ax.set_xlim(left, right)
        if not i or not ax.get_shared_y_axes().joined(axes[0], ax):
            ax.set_ylim(bottom, top)


def draw_growth(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """Points, a full line for the group and a broken one for the population."""
    handles = []
    _set_limits(frame, axes)
    for k, ((panel, own), ax) in enumerate(zip(by_panel(frame), axes, strict=True)):
        many = len(axes) > 1
        group = frame.attrs["group"]
        # Only the outer panels name the axes, or the names would not fit; without numbers below there are no ticks either.
        lowest, leftmost = _outer(ax, k, len(axes))
        ax.xaxis.set_visible(bool(ax.xaxis.get_tick_params().get("labelbottom", True)))
        head(ax, look, str(panel) if many else f"{group} {panel}", frame.attrs["x"] * lowest, frame.attrs["y"] * leftmost)
        if not len(own):
            nothing(ax, look)
            continue
        if many:
            ax.locator_params(nbins=4)
        parts = {part: own[own["part"] == part] for part in _PARTS}
        for i, part in ((1, "population"), (0, "group")):
            line = parts[part]
            ax.fill_between(line["x"], line["low"], line["high"], color=look.colour(i), alpha=0.15, linewidth=0)
        broken = {"color": look.colour(1), "linestyle": (0, (5, 2)), "linewidth": 1.4}
        (population,) = ax.plot(parts["population"]["x"], parts["population"]["y"], **broken)
        (line,) = ax.plot(parts["group"]["x"], parts["group"]["y"], color=look.colour(0), linewidth=1.8)
        data = parts["data"]
        points = ax.scatter(data["x"], data["y"], s=10 if many else 22, color=look.ink, linewidths=0, zorder=3)
        if not k:
            handles = [points, line, population]
    if handles:
        labels = ["Observed", f"{frame.attrs['group']}, with effects", "Population"]
        first_row = [ax for ax in axes if ax.get_subplotspec() is None or ax.get_subplotspec().is_first_row()]
        legend(first_row[-1], look, handles, labels)


def _outer(ax: Any, place: int, n: int) -> tuple[bool, bool]:
    """Whether a panel of n, by its place among them, is the lowest and the first of those that stand in a grid."""
    spec = ax.get_subplotspec()
    if n == 1 or spec is None:
        return True, True
    return spec.is_last_row() or place + spec.get_gridspec().ncols >= n, spec.is_first_col()


KIND = Kind(growth_frame, draw_growth, panel=(2.3, 2.0), columns=4, share="xy")
