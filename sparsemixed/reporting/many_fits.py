"""Fits of one model to many responses as they are shown."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sparsemixed.reporting.document import Column, Document, Entries, Entry, Heading, Note, Row, Section, Table
from sparsemixed.reporting.shown import Shown

SHOWN = 20
"""Responses in the text; the frames have all of them."""


@dataclass(frozen=True, repr=False)
class ManyFits(Shown):
    """Estimates of one model for many responses, a row for each; rows of fits that failed are missing.

    Attributes
    ----------
    params, bse : DataFrame
        Coefficients and their standard errors, a column for each.
    random_params : DataFrame
        Variance parameters, columns (equation, parameter) as printed.
    llf, converged : Series
    boundary, message : Series
        Texts: the components on the boundary; why a fit failed or has not converged.
    """

    params: pd.DataFrame
    bse: pd.DataFrame
    random_params: pd.DataFrame
    llf: pd.Series
    converged: pd.Series
    boundary: pd.Series
    message: pd.Series

    @property
    def frame(self) -> pd.DataFrame:
        """All of it side by side: coefficients, `se(x)`, `id: var(_cons)`, llf, converged, boundary, message."""
        rest = [self.llf, self.converged, self.boundary, self.message]
        return pd.concat([self.params, self.bse.add_prefix("se(").add_suffix(")"), self._variances(), *rest], axis=1)

    def document(self) -> Document:
        """How many fits there are, and the estimates of the first responses."""
        failed = self.llf.isna()
        numbers = pd.concat([self.params, self._variances(), self.llf], axis=1).head(SHOWN)
        rows = [
            Row(str(label), tuple(map(float, values))) if not lost else Row(str(label), (), "(failed)")
            for label, values, lost in zip(numbers.index, numbers.to_numpy(float), failed, strict=False)
        ]
        columns = [*(Column(str(name), "estimate") for name in numbers.columns[:-1]), Column("llf", "criterion")]
        counts = {"Fits": len(self), "Converged": int(self.converged.sum()), "Failed": int(failed.sum())}
        blocks = [
            Heading("Fits of one model to many responses"),
            Entries(tuple(Entry(name, value, "count") for name, value in counts.items()), layout="signs"),
            Table("fixed", "Response", tuple(columns), (Section("", tuple(rows), "variable"),)),
        ]
        if len(self) > SHOWN:
            blocks.append(Note(f"Note: the first {SHOWN} responses; frame has all of them."))
        return Document(tuple(blocks))

    def _variances(self) -> pd.DataFrame:
        variances = self.random_params.copy()
        variances.columns = [f"{level.partition(':')[0]}: {name}" if level else name for level, name in variances.columns]
        return variances

    def __len__(self) -> int:
        return len(self.llf)

    def __repr__(self) -> str:
        failed = int(self.llf.isna().sum())
        return f"<{len(self):,} fits of one model: {int(self.converged.sum()):,} converged, {failed:,} failed>"
