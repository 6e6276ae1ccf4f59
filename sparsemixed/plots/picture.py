"""A picture that waits to be drawn: called it draws, and `frame` has the numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.canvas import axes_for, pyplot
from sparsemixed.plots.kind import Kind, panels_of
from sparsemixed.plots.lettering import nothing
from sparsemixed.plots.look import Look, dress, look_of


class Picture:
    """A picture of one fit or result.

    Call it to draw, with the options that its documentation lists, and

    - `ax`: axes to draw on, or as many of them as there are panels; by default a new figure;
    - `style`: `"light"` or `"dark"`; by default as the paper is.

    It returns matplotlib's Axes, an array of them where there are several panels. `frame`, with the same options, returns the
    tidy data frame that is drawn, and needs no matplotlib.
    """

    def __init__(self, name: str, kind: Kind, subject: Any):
        self._name, self._kind, self._subject = name, kind, subject
        drawing = ", ".join([*self._drawing, "ax", "style"])
        self.__doc__ = f"{inspect.getdoc(kind.data) or ''}\n\nOptions of drawing: {drawing}."

    @property
    def _drawing(self) -> list[str]:
        """Options of the drawing alone."""
        return list(inspect.signature(self._kind.draw).parameters)[3:]

    def __call__(self, *given: Any, ax: Any = None, style: str | Look | None = None, **options: Any) -> Any:
        """Draw, and return the Axes."""
        pyplot()  # says that it is missing before anything is computed
        own = {name: options.pop(name) for name in self._drawing if name in options}
        self._check(options)
        data = self._kind.data(self._subject, *given, **options)
        return drawn(self._kind, data, ax, style, own)

    def frame(self, *given: Any, **options: Any) -> pd.DataFrame:
        """The tidy frame that is drawn."""
        for name in self._drawing:
            options.pop(name, None)
        self._check(options)
        return self._kind.data(self._subject, *given, **options)

    def _check(self, options: Mapping[str, Any]) -> None:
        known = inspect.signature(self._kind.data).parameters
        if any(one.kind is one.VAR_KEYWORD for one in known.values()):
            return
        names = [*list(known)[1:], *self._drawing, "ax", "style"]
        for name in options:
            if name not in names:
                told = f"it takes {', '.join(names)}"
                raise OptionError(f"plot.{self._name}: there is no option {name!r}{suggestion(name, names)}; {told}")

    def __repr__(self) -> str:
        return f"<picture {self._name}: call it to draw, .frame() for the numbers>"


def drawn(
    kind: Kind,
    data: pd.DataFrame,
    ax: Any,
    style: str | Look | None,
    options: Mapping[str, Any],
    figure_of: Callable[..., Any] | None = None,
) -> Any:
    """Draw a frame; Axes, or an array of them where there are several panels. A column `graph` has a figure for each value."""
    if "graph" in data:
        if ax is not None:
            raise OptionError("plot: with graphdimension there are several figures, each new; leave ax out")
        figures = [drawn(kind, one, None, style, options, figure_of) for one in _graphs(data)]
        return np.concatenate([np.ravel(np.asarray(axes, dtype=object)) for axes in figures])
    panel, share = data.attrs.get("panel", kind.panel), data.attrs.get("share", kind.share)
    axes = axes_for(len(panels_of(data)), ax, panel, data.attrs.get("columns", kind.columns), share, figure_of)
    look = look_of(style, axes[0])
    for one in axes:
        dress(one, look, paper=style is not None)
    if len(data):
        kind.draw(data, axes, look, **options)
    else:
        nothing(axes[0], look, kind.empty)
    return axes[0] if len(axes) == 1 else axes


def _graphs(data: pd.DataFrame) -> list[pd.DataFrame]:
    """A frame for each value of `graph`, which stands in its title."""
    found = []
    for graph, own in data.groupby("graph", sort=False):
        one = own.drop(columns="graph")
        one.attrs = data.attrs | {"title": f"{data.attrs['title']}, {graph}"}
        found.append(one)
    return found
