"""The scores of a cross-validation as they are shown."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sparsemixed.postestimation.held_out import CrossValidated
from sparsemixed.reporting.document import Block, Column, Document, Heading, Note, Paragraph, Row, Section, Table
from sparsemixed.reporting.shown import Shown

COLUMNS = (Column("groups", "number"), Column("rows", "number"), Column("RMSE", "number"), Column("log score", "criterion"))


@dataclass(frozen=True, repr=False)
class CrossValidation(CrossValidated, Shown):
    """Scores of held-out groups, fold by fold.

    The attributes are those of `CrossValidated`, with `log_score` and `rmse` over all folds; `str()`, `to_html()`, `to_latex()`,
    `to_markdown()` and notebooks show it, and `frame` has the folds.
    """

    @property
    def frame(self) -> pd.DataFrame:
        """A copy of `folds`."""
        return self.folds.copy()

    def document(self) -> Document:
        """The model, the folds, and their total."""
        rows = [
            Row(str(fold), (float(row.groups), float(row.rows), row.rmse, row.log_score))
            for fold, row in zip(self.folds.index, self.folds.itertuples(index=False), strict=True)
        ]
        total = Row("all", (float(len(self.groups)), float(len(self.predictions)), self.rmse, self.log_score))
        blocks: list[Block] = [
            Heading(f"Cross-validation by {self.by}"),
            Paragraph(self.model, "Model: "),
            Table("fixed", "fold", COLUMNS, (Section("", tuple(rows), "variable"), Section("", (total,), "variable"))),
        ]
        failed = ", ".join(str(fold) for fold in self.folds.index[~self.folds["converged"].to_numpy(dtype=bool)])
        if failed:
            blocks.append(Note(f"Not converged: fold {failed}."))
        return Document(tuple(blocks))

    def __repr__(self) -> str:
        return str(self)
