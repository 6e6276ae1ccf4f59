"""Margins as Stata's `marginsplot` draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.comparisons import comparisons_frame, draw_comparisons
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.look import Look
from sparsemixed.plots.margin_axes import draw_margins
from sparsemixed.plots.margin_dimensions import DERIVATIVE, TERM, at_variables, dimensions
from sparsemixed.plots.subject import Subject
from sparsemixed.postestimation.contrasts import Comparisons

SIGNS = {"dydx": "dy/dx", "dyex": "dy/ex", "eydx": "ey/dx", "eyex": "ey/ex"}
ROLES = ("xdimension", "plotdimension", "bydimension", "graphdimension")
Dimension = str | Sequence[str]


def margins_frame(
    found: Any,
    xdimension: Dimension | None = None,
    plotdimension: Dimension | None = None,
    bydimension: Dimension | None = None,
    graphdimension: Dimension | None = None,
    allsimplelabels: bool = False,
    nosimplelabels: bool = False,
    nolabels: bool = False,
    separator: str = ", ",
    derivlabels: bool = False,
) -> pd.DataFrame:
    """Margins over an axis, the dimensions that are left as lines.

    Parameters
    ----------
    xdimension : str or list of str
        By default the first variable of at() with several values, else the first factor listed, else that of over().
    plotdimension : str or list of str
        What lines are drawn for; by default all dimensions that are neither on the axis nor panels.
    bydimension : str or list of str
        What panels are made for; by default the terms of the list of margins, where there are several.
    graphdimension : str or list of str
        What a figure each is made for.
    allsimplelabels, nosimplelabels : bool
        Labels are values alone, or all are shown as `sex=1`; by default levels without a label are.
    nolabels : bool
        Values of levels in place of their labels.
    separator : str
        Between the values of several dimensions in one label.
    derivlabels : bool
        Derivatives are named by what is differentiated, `dy/dx of age`, not by the variable alone.

    Returns
    -------
    DataFrame
        Columns graph, panel, line, x (places), x_label, estimate, std_err, low, high, and the dimensions themselves; graph and
        panel where there are several. Margins that are not estimable are missing.
    """
    labelling = Labelling.asked(found, allsimplelabels, nosimplelabels, nolabels, separator)
    table = dimensions(found, labelling.labels)
    if derivlabels and DERIVATIVE in table:
        table[DERIVATIVE] = [f"{SIGNS[found.request.derivative.kind]} of {name}" for name in table[DERIVATIVE]]
    asked = zip(ROLES, (xdimension, plotdimension, bydimension, graphdimension), strict=True)
    return _framed(found, table, _roles(found, table, *(_asked(table, wanted, option) for option, wanted in asked)), labelling)


class Roles(NamedTuple):
    """The dimensions of the axis, of lines, of panels and of figures."""

    x: list[str]
    lines: list[str]
    panels: list[str]
    graphs: list[str]


class Labelling(NamedTuple):
    """How levels are named: labels by variable and level, whether by values alone or always as `variable=value`, what joins."""

    labels: Mapping[str, Mapping[Any, str]]
    simple: bool
    full: bool
    separator: str

    @classmethod
    def asked(cls, found: Any, simple: bool, full: bool, nolabels: bool, separator: str) -> Labelling:
        """By the options of the frame."""
        if simple and full:
            raise OptionError("plot: allsimplelabels and nosimplelabels exclude each other")
        return cls({} if nolabels else found.labels, simple, full, separator)


def _framed(found: Any, table: pd.DataFrame, roles: Roles, labelling: Labelling) -> pd.DataFrame:
    """The frame, once each dimension has its role."""
    separate, x = TERM in roles.panels, roles.x
    alone = labelling._replace(simple=not labelling.full and (labelling.simple or separate))
    places, labels = _places(table, x, alone)
    above = {"graph": roles.graphs, "panel": roles.panels}
    columns = {name: _joined(table, own, labelling) for name, own in above.items() if own}
    frame = pd.DataFrame({**columns, "line": _joined(table, roles.lines, labelling), "x": places, "x_label": labels})
    for name in ("estimate", "std_err", "low", "high"):
        frame[name] = np.where(found.estimable, getattr(found, name), np.nan)
    frame = pd.concat([frame, table], axis=1)
    along = "" if separate or x == [DERIVATIVE] else ", ".join(x)
    frame.attrs = {"title": _title(found), "x": along, "y": _meaning(found), "share": "y"}
    frame.attrs |= {"lines": ", ".join(roles.lines), "numeric": _numeric(table, x)}
    return frame


def _asked(table: pd.DataFrame, wanted: Dimension | None, option: str) -> list[str] | None:
    """The dimensions that an option names."""
    if wanted is None:
        return None
    names = wanted.split() if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in table:
            known = f"there are {', '.join(table.columns)}" if len(table.columns) else "there is a single margin"
            raise OptionError(f"plot: {option}: there is no dimension {name!r}{suggestion(name, table.columns)}; {known}")
    return names


def _roles(
    found: Any,
    table: pd.DataFrame,
    x: list[str] | None,
    lines: list[str] | None,
    panels: list[str] | None,
    graphs: list[str] | None,
) -> Roles:
    """Which dimensions are on the axis, which are lines, which panels, and which figures.

    Raises
    ------
    OptionError
        A dimension has two roles, or none.
    """
    every, taken = list(table.columns), [*(x or []), *(lines or []), *(panels or []), *(graphs or [])]
    twice = next((name for name in taken if taken.count(name) > 1), None)
    if twice is not None:
        raise OptionError(f"plot: the dimension {twice!r} can only be one of {', '.join(ROLES[:-1])} and {ROLES[-1]}")
    if panels is None:
        panels = [TERM] if TERM in every and TERM not in taken else []
    left = [name for name in every if name not in (*taken, *panels)]
    if x is None:
        x = _first(found, left, separate=TERM in panels)
        left = [name for name in left if name not in x]
    if lines is None:
        lines, left = left, []
    if left:
        raise OptionError(f"plot: the dimension {left[0]!r} is not drawn; name it in {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    return Roles(x, lines, panels, graphs or [])


def _first(found: Any, left: list[str], separate: bool) -> list[str]:
    """The dimension for the axis: of at(), of the list of margins, of over(), of derivatives.

    Where each term has a panel, its factors that no other term has are the axis together.
    """
    listed = [name for block in found.blocks for name in block.factors]
    order = [*at_variables(found), *dict.fromkeys(listed), *found.request.by, DERIVATIVE]
    ranked = [name for name in order if name in left]
    if separate and not any(name in left for name in at_variables(found)):
        return [name for name in ranked if name in listed]
    return ranked[:1]


def _numeric(table: pd.DataFrame, x: list[str]) -> bool:
    return len(x) == 1 and all(isinstance(value, float) for value in table[x[0]])


def _places(table: pd.DataFrame, x: list[str], labelling: Labelling) -> tuple[np.ndarray, list[str]]:
    """Places along the axis and their labels: numbers where they stand, anything else one beside the other."""
    if not x:
        return np.zeros(len(table)), [""] * len(table)
    if _numeric(table, x):
        values = table[x[0]].astype(float).to_numpy()
        return values, [f"{value:g}" for value in values]
    # The axis has the name of a single variable.
    labels = _joined(table, x, labelling._replace(simple=labelling.simple or (len(x) == 1 and not labelling.full)))
    order = {label: float(i) for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([order[label] for label in labels]), labels


def _joined(table: pd.DataFrame, names: list[str], labelling: Labelling) -> list[str]:
    """Labels of combinations: of levels their labels, else `variable=value`."""
    columns = []
    for name in names:
        labelled = bool(labelling.labels.get(name)) and not labelling.full
        bare = labelling.simple or name in (TERM, DERIVATIVE) or labelled
        texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in table[name]]
        columns.append([text if bare or not text else f"{name}={text}" for text in texts])
    return [labelling.separator.join(filter(None, row)) for row in zip(*columns, strict=True)] if columns else [""] * len(table)


def _title(found: Any) -> str:
    """As Stata heads it: `Predictive margins of drug#sex with 95% CIs`."""
    derivative = found.request.derivative.kind
    terms = [block.variable for block in found.blocks] if derivative else ["#".join(block.factors) for block in found.blocks]
    what = " ".join(dict.fromkeys(filter(None, terms)))
    return f"{found.title}{f' of {what}' if what else ''} with {found.request.level:g}% CIs"


def _meaning(found: Any) -> str:
    return "Effects on linear prediction" if found.request.derivative.kind else "Linear prediction, fixed portion"


def fit_margins_frame(subject: Subject, terms: str = "", **options: Any) -> pd.DataFrame:
    """Margins, or their comparisons, over an axis: `fit.margins(...).plot(...)` in one call.

    Parameters
    ----------
    terms : str
        As in `margins`; Stata's whole command is taken, too.
    **options
        Those of `margins` (at, over, dydx, pwcompare, ...) and of the frame: xdimension, plotdimension, bydimension,
        graphdimension, allsimplelabels, nosimplelabels, nolabels, separator, derivlabels, and of comparisons unique and csort.

    Returns
    -------
    DataFrame
        Of margins columns panel, line, x, x_label, estimate, std_err, low, high, and the dimensions; of comparisons panel, label,
        estimate, std_err, low, high, y.
    """
    own = {name: options.pop(name) for name in (*_DIMENSIONS, *_OF_PAIRS) if name in options}
    found = subject.results.margins(terms, **options)
    known = _OF_PAIRS if isinstance(found, Comparisons) else _DIMENSIONS
    for name in own:
        if name not in known:
            raise OptionError(f"plot.margins: {name} is for {'margins' if name in _DIMENSIONS else 'comparisons'}")
    return (comparisons_frame if isinstance(found, Comparisons) else margins_frame)(found, **own)


_DIMENSIONS = (*ROLES, "allsimplelabels", "nosimplelabels", "nolabels", "separator", "derivlabels")
_OF_PAIRS = ("unique", "csort")


def draw_fit_margins(
    frame: pd.DataFrame,
    axes: np.ndarray,
    look: Look,
    recast: str = "connected",
    recastci: str = "rcap",
    noci: bool = False,
    horizontal: bool = False,
    allxlabels: bool = False,
    title: str | None = None,
) -> None:
    """Margins as `draw_margins` does, comparisons as `draw_comparisons`."""
    if "line" in frame:
        draw_margins(frame, axes, look, recast, recastci, noci, horizontal, allxlabels, title)
    else:
        draw_comparisons(frame, axes, look, noci)


RESULT = Kind(margins_frame, draw_margins, panel=(6.0, 4.0))
"""Of a result of `margins`."""
KIND = Kind(fit_margins_frame, draw_fit_margins, panel=(6.0, 4.0))
