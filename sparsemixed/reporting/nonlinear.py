"""Functions of estimates as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.postestimation.nonlinear import NonlinearCombinations
from sparsemixed.reporting.document import Document, Note, Row, Section, Table, Verbatim
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import quantity_columns

LABEL = 12
"""Places in which labels end before the functions, as in the table below them."""


@dataclass(frozen=True)
class NlcomResult(NonlinearCombinations, Shown):
    """Functions of estimates: arrays `estimate`, `std_err`, `statistic`, `pvalue`, `low`, `high`, `covariance`, and `labels`.

    The attributes are those of `NonlinearCombinations`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show
    it, `frame` has its numbers, `r` Stata's stored results.
    """

    def document(self) -> Document:
        """The functions, their table and notes."""
        lines = [f"{label:>{LABEL}}:  {text}" for label, text in zip(self.labels, self.expressions, strict=True)]
        rows = []
        for label, values in zip(self.labels, self.frame.to_numpy(), strict=True):
            fixed = values[1] == 0
            rows.append(Row(label, (float(values[0]),) if fixed else tuple(map(float, values)), "(constrained)" if fixed else ""))
        columns = quantity_columns("Coefficient", self.df is not None, self.level)
        table = Table("fixed", self.response, columns, (Section("", tuple(rows), "variable"),))
        notes = [Note(f"Note: {text}", joined=i > 0) for i, text in enumerate(filter(None, self.note.split("\n")))]
        return Document((Verbatim("\n".join(lines)), table, *notes))

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each function: estimate, std_err, df (of t tests only), statistic, pvalue, low, high."""
        found = {"estimate": self.estimate, "std_err": self.std_err, "df": self.df, "statistic": self.statistic}
        found |= {"pvalue": self.pvalue, "low": self.low, "high": self.high}
        return pd.DataFrame({k: v for k, v in found.items() if v is not None}, index=list(self.labels), dtype=float)

    @property
    def r(self) -> dict[str, Any]:
        """Stata's stored results by name: `b`, `V`, `level`, and `df_r` of t tests."""
        names = list(self.labels)
        found = {"b": pd.Series(self.estimate.copy(), index=names), "V": pd.DataFrame(self.covariance.copy(), names, names)}
        return {**found, "level": self.level} | ({} if self.df is None else {"df_r": np.array(self.df)})
