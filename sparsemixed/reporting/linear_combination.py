"""A linear combination of coefficients as it is shown."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sparsemixed.postestimation.linear_tests import LinearCombination
from sparsemixed.reporting.document import Document, Equations, Note, Row, Section, Table
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import quantity_columns


@dataclass(frozen=True)
class LincomResult(LinearCombination, Shown):
    """A linear combination of coefficients: `estimate`, `std_err`, `statistic`, `ddf`, `pvalue`, `low`, `high`.

    The attributes are those of `LinearCombination`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it,
    and `frame` has its numbers in one row.
    """

    def document(self) -> Document:
        """The combination, its table and notes."""
        frame = self.frame
        fixed = self.std_err == 0
        values = (self.estimate,) if fixed else tuple(map(float, frame.iloc[0]))
        columns = quantity_columns("Coefficient", "df" in frame, self.level)
        row = Row("(1)", values, "(constrained)" if fixed else "")
        table = Table("fixed", self.response, columns, (Section("", (row,), "variable"),))
        notes = (Note(f"Note: {self.note}"),) if self.note else ()
        return Document((Equations((self.equation,)), table, *notes))

    @property
    def r(self) -> dict[str, float]:
        """Stata's stored results by name: `estimate`, `se`, `z` or `t` with `df`, `p`, `lb`, `ub`, `level`."""
        test = {"z": self.statistic} if self.ddf is None else {"t": self.statistic, "df": self.ddf}
        found = {"estimate": self.estimate, "se": self.std_err, **test, "p": self.pvalue, "lb": self.low, "ub": self.high}
        return {**found, "level": self.level}

    @property
    def frame(self) -> pd.DataFrame:
        """One row: estimate, std_err, df (of t tests only), statistic, pvalue, low, high."""
        degrees = {} if self.ddf is None else {"df": self.ddf}
        row = {"estimate": self.estimate, "std_err": self.std_err, **degrees, "statistic": self.statistic, "pvalue": self.pvalue}
        return pd.DataFrame({**row, "low": self.low, "high": self.high}, index=[self.equation], dtype=float)
