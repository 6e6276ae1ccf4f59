"""Joint tests of marginal means as they are shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.postestimation.emmeans.joint_tests import REDUCED, JointTests
from sparsemixed.reporting.document import Block, Column, Document, Heading, Note, Row, Section, Table
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.term_tests import CHI2
from sparsemixed.spec import degrees_methods


@dataclass(frozen=True, repr=False)
class JointTestsTable(JointTests, Shown):
    """Joint tests of marginal means, one row each.

    The attributes are those of `JointTests`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it, and
    `frame` has its numbers.
    """

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each test: F, df, ddf, pvalue; without degrees of freedom chi2, df, pvalue; index `by` and term."""
        keys = [(*cell, name) for cell, name in zip(self.cells, self.names, strict=True)]
        index = pd.MultiIndex.from_tuples(keys, names=[*self.by, "term"]) if self.by else pd.Index(self.names, name="term")
        columns = {"F" if self.method else "chi2": [t.statistic for t in self.tests], "df": [t.df for t in self.tests]}
        if self.method:
            columns["ddf"] = [np.nan if t.ddf is None else t.ddf for t in self.tests]
        return pd.DataFrame({**columns, "pvalue": [t.pvalue for t in self.tests]}, index=index, dtype=float)

    def document(self) -> Document:
        """A table with a section for each combination of `by`, the method of degrees of freedom, and notes."""
        small = bool(self.method)
        columns = [Column("F" if small else "chi2", "number"), Column("df", "number")]
        columns += [Column("ddf", "number")] if small else []
        columns.append(Column("P>F" if small else "P>chi2", "probability"))
        marks = ["*" if reduced else "" for reduced in self.reduced]
        shown = [
            (cell, Row(f"{name}{mark}", tuple(map(float, values))))
            for cell, name, mark, values in zip(self.cells, self.names, marks, self.frame.to_numpy(), strict=True)
        ]
        sections = []
        for key in dict.fromkeys(self.cells):
            title = " ".join(f"{level}.{name}" for level, name in zip(key, self.by, strict=True))
            sections.append(Section(title, tuple(row for cell, row in shown if cell == key), "factor" if title else "variable"))
        blocks: list[Block] = [Heading("Joint tests of marginal means"), Table("fixed", "", tuple(columns), tuple(sections))]
        blocks.append(Note(f"DF method: {degrees_methods()[self.method].title}" if small else CHI2))
        return Document((*blocks, *([Note(f"* {REDUCED}.", joined=True)] if any(self.reduced) else [])))

    def __repr__(self) -> str:
        return str(self)
