"""Pictures as SVG inside of a page: texts as texts, colours as variables of its style, so that one serves light and dark."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.plots.canvas import MISSING
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.look import LIGHT
from sparsemixed.plots.picture import drawn

VARIABLES = {
    LIGHT.ink: "var(--ink)",
    LIGHT.soft: "var(--soft)",
    LIGHT.grid: "var(--grid)",
    **{colour: f"var(--line{i})" for i, colour in enumerate(LIGHT.cycle)},
}
"""Colour of the light look -> the variable that stands for it."""
LEAST = 0.7
"""Of its width, to which a picture shrinks on a narrow screen before it scrolls: letters stay readable."""
IDENTIFIER = re.compile(r'(\bid="|xlink:href="#|\bhref="#|url\(#)')


def inline_svg(kind: Kind, data: pd.DataFrame, name: str, says: str, columns: int | None = None) -> str:
    """An `<svg>` element with a frame's picture.

    Parameters
    ----------
    kind : Kind
    data : DataFrame
    name : str
        Stands before every identifier in it, so that several pictures can be in one page.
    says : str
        What it shows, for those who cannot see it.
    columns : int, optional
        Panels side by side, at most; by default as the kind has it.

    Raises
    ------
    OptionError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # an optional package, only of who draws
    except ImportError:
        raise OptionError(MISSING) from None
    chosen = kind if columns is None else replace(kind, columns=columns)
    axes = np.ravel(np.asarray(drawn(chosen, data, None, LIGHT, {}, Figure), dtype=object))
    return embedded_figure(axes[0].figure, name, says)


def embedded_figure(figure: Any, name: str, says: str) -> str:
    """The same of a figure that was drawn in the light style."""
    from matplotlib import rc_context  # an optional package, only of who draws

    stream = StringIO()
    # Only while the file is written, and put back: texts stay texts, and identifiers are the same every time.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "sparsemixed"}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _embedded(stream.getvalue(), name, says)


def _embedded(svg: str, name: str, says: str) -> str:
    """The element alone, as wide as the page lets it be."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<!--.*?-->", "", element, flags=re.DOTALL)
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = IDENTIFIER.sub(lambda found: f"{found[1]}{name}-", element)
    for colour, variable in VARIABLES.items():
        element = element.replace(colour, variable)
    head, _, rest = element.partition(">")
    width = re.search(r'\bwidth="([\d.]+)pt"', head)
    head = re.sub(r'\s(width|height)="[\d.]+pt"', "", head)
    most = float(width[1]) * 4 / 3 if width else 600.0
    size = f"width:100%;max-width:{most:.0f}px;min-width:{LEAST * most:.0f}px;height:auto"
    return f'{head} role="img" aria-label="{escape(says)}" style="{size}">{rest}'.strip()
