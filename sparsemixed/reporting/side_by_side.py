"""A table with several fits in its columns, as numbers and as a document."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sparsemixed.reporting.compare_lines import STATISTICS, Line, Shape
from sparsemixed.reporting.document import Document, Grid, Note, Panel
from sparsemixed.reporting.shown import Shown


@dataclass(frozen=True, repr=False)
class SideBySide(Shown):
    """Fits in columns; see `sparsemixed.compare`.

    Attributes
    ----------
    names, responses : tuple of str
        Of the fits.
    lines : tuple of Line
    shape : Shape
    notes : tuple of str
    """

    names: tuple[str, ...]
    responses: tuple[str, ...]
    lines: tuple[Line, ...]
    shape: Shape = field(default_factory=Shape)
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers: index (part, name, what), a column for each fit; `what` is estimate, std_err, t, pvalue or statistic."""
        rows, keys = [], []
        for line in self.lines:
            for what, values in self._numbers(line):
                keys.append((line.part or "fixed", line.label, what))
                rows.append(values)
        index = pd.MultiIndex.from_tuples(keys, names=["part", "name", "what"])
        return pd.DataFrame(rows, index=index, columns=list(self.names), dtype=float)

    def _numbers(self, line: Line) -> list[tuple[str, tuple[float, ...]]]:
        """What is shown of a line, by the names in `frame`."""
        if line.part == STATISTICS:
            return [("statistic", line.estimates)]
        found = [("estimate", line.estimates)] if self.shape.b else []
        if self.shape.se and line.std_errs is not None:
            found.append(("std_err", line.std_errs))
        if line.pvalues is not None and line.std_errs is not None:
            ratios = tuple(b / s if s else np.nan for b, s in zip(line.estimates, line.std_errs, strict=True))
            found += [("t", ratios)] if self.shape.t else []
            found += [("pvalue", line.pvalues)] if self.shape.p else []
        return found

    def __repr__(self) -> str:
        return str(self)

    def document(self) -> Document:
        """The grid of all lines by part, and notes."""
        parts = dict.fromkeys(line.part for line in self.lines)
        panels = [
            Panel(part, tuple(row for line in self.lines if line.part == part for row in self._rows(line))) for part in parts
        ]
        below = {"Standard errors in parentheses": self.shape.se, "statistics in brackets": self.shape.t}
        below |= {"p-values in braces": self.shape.p}
        words = [word for word, shown in below.items() if shown]
        notes = [f"{', '.join(words).capitalize()}."] if words else []
        marks = [f"{'*' * i} p < {cut:g}" for i, cut in enumerate(reversed(self.shape.cuts), start=1)]
        notes += [f"{', '.join(marks)}."] if marks else []
        grid = Grid((("", *self.names), ("", *self.responses)), tuple(panels))
        return Document((grid, *(Note(text, joined=True) for text in (*notes, *self.notes))))

    def _rows(self, line: Line) -> list[tuple[str, ...]]:
        """The line of estimates, and those of standard errors, statistics and p-values below it."""
        if line.part == STATISTICS:
            kind = "count" if line.label in ("N", "df") else "criterion"
            texts = [
                self.shape.written(x, "stats", kind) if there else ""
                for x, there in zip(line.estimates, line.present, strict=True)
            ]
            return [(line.label, *texts)]
        forms = {"estimate": ("b", "estimate", "{}"), "std_err": ("se", "std_err", "({})"), "t": ("t", "statistic", "[{}]")}
        forms |= {"pvalue": ("p", "pvalue", "{{{}}}")}
        rows = []
        for what, values in self._numbers(line):
            name, kind, around = forms[what]
            marks = line.pvalues if what == "estimate" and line.pvalues is not None else [np.nan] * len(self.names)
            cells = [
                around.format(self.shape.written(x, name, kind)) + "*" * sum(p < cut for cut in self.shape.cuts) if there else ""
                for x, p, there in zip(values, marks, line.present, strict=True)
            ]
            rows.append(("" if rows else line.label, *cells))
        return rows
