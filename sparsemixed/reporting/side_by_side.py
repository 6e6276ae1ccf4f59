"""A table with several fits in its columns, as numbers and as a document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.reporting.document import Document, Grid, Note, Panel
from sparsemixed.reporting.number_format import general, written
from sparsemixed.reporting.shown import Shown

CUTS = (0.001, 0.01, 0.05)
STATISTICS = "Statistics"


@dataclass(frozen=True)
class Line:
    """One parameter or statistic: a number for each fit, NaN where a fit does not have it.

    `pvalues` are None for what has no test of its own.
    """

    part: str
    label: str
    estimates: tuple[float, ...]
    std_errs: tuple[float, ...] | None = None
    pvalues: tuple[float, ...] | None = None
    present: tuple[bool, ...] = ()


@dataclass(frozen=True, repr=False)
class SideBySide(Shown):
    """Fits in columns; see `sparsemixed.compare`.

    Attributes
    ----------
    names, responses : tuple of str
        Of the fits.
    lines : tuple of Line
    se, stars : bool
        Whether standard errors and stars are shown.
    notes : tuple of str
    """

    names: tuple[str, ...]
    responses: tuple[str, ...]
    lines: tuple[Line, ...]
    se: bool = True
    stars: bool = False
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers: index (part, name, what), a column for each fit; `what` is estimate, std_err or statistic."""
        rows, keys = [], []
        for line in self.lines:
            keys.append((line.part or "fixed", line.label, "statistic" if line.part == STATISTICS else "estimate"))
            rows.append(line.estimates)
            if self.se and line.std_errs is not None:
                keys.append((line.part or "fixed", line.label, "std_err"))
                rows.append(line.std_errs)
        index = pd.MultiIndex.from_tuples(keys, names=["part", "name", "what"])
        return pd.DataFrame(rows, index=index, columns=list(self.names), dtype=float)

    def __repr__(self) -> str:
        return str(self)

    def document(self) -> Document:
        """The grid of all lines by part, and notes."""
        parts = dict.fromkeys(line.part for line in self.lines)
        panels = [
            Panel(part, tuple(row for line in self.lines if line.part == part for row in self._rows(line))) for part in parts
        ]
        notes = ["Standard errors in parentheses."] if self.se else []
        notes += ["* p < 0.05, ** p < 0.01, *** p < 0.001."] if self.stars else []
        grid = Grid((("", *self.names), ("", *self.responses)), tuple(panels))
        return Document((grid, *(Note(text, joined=True) for text in (*notes, *self.notes))))

    def _rows(self, line: Line) -> list[tuple[str, ...]]:
        """The line of estimates, and that of standard errors."""
        kind = "estimate" if line.part != STATISTICS else "count" if line.label in ("N", "df") else "criterion"
        pvalues = line.pvalues if self.stars and line.pvalues is not None else [np.nan] * len(self.names)
        cells = [
            written(x, kind) + "*" * sum(p < cut for cut in CUTS) if there else ""
            for x, p, there in zip(line.estimates, pvalues, line.present, strict=True)
        ]
        rows = [(line.label, *cells)]
        if self.se and line.std_errs is not None:
            texts = [f"({general(s)})" if there else "" for s, there in zip(line.std_errs, line.present, strict=True)]
            rows.append(("", *texts))
        return rows
