"""The analysis of variance of a fit as it is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.postestimation.term_tests import TermTests
from sparsemixed.reporting.document import Column, Document, Heading, Note, Row, Section, Table
from sparsemixed.reporting.shown import Shown
from sparsemixed.spec import degrees_methods

CHI2 = "No degrees of freedom, hence chi-squared tests: fit the model with dfmethod() for F tests."


@dataclass(frozen=True, repr=False)
class TermTable(TermTests, Shown):
    """Tests of the terms of the fixed part, one row each.

    The attributes are those of `TermTests`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it, and
    `frame` has its numbers.
    """

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each term: F, df, ddf, pvalue; without degrees of freedom chi2, df, pvalue."""
        tests = self.tests
        columns = {"F" if self.method else "chi2": [t.statistic for t in tests], "df": [t.df for t in tests]}
        if self.method:
            columns["ddf"] = [np.nan if t.ddf is None else t.ddf for t in tests]
        return pd.DataFrame({**columns, "pvalue": [t.pvalue for t in tests]}, index=list(self.names), dtype=float)

    def document(self) -> Document:
        """The table, and the method of degrees of freedom."""
        frame = self.frame
        f_tests = (Column("F", "number"), Column("df", "number"), Column("ddf", "number"), Column("P>F", "probability"))
        chi2 = (Column("chi2", "number"), Column("df", "number"), Column("P>chi2", "probability"))
        values = zip(self.names, frame.to_numpy(), strict=True)
        rows = tuple(Row(name, tuple(map(float, row))) for name, row in values)
        method = degrees_methods()[self.method].title if self.method else ""
        table = Table("fixed", "", f_tests if self.method else chi2, (Section("", rows, "variable"),))
        note = f"DF method: {method}" if self.method else CHI2
        return Document((Heading(f"Analysis of variance, type {self.type}"), table, Note(note)))

    def __repr__(self) -> str:
        return str(self)
