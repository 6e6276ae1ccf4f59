"""Comparisons of margins as they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Self

import numpy as np
import pandas as pd

from sparsemixed.postestimation.contrasts import Comparisons
from sparsemixed.postestimation.margins.asked import Asked, Shape
from sparsemixed.postestimation.margins.values import Margins
from sparsemixed.reporting.comparisons import ContrastResult, joint_table, margins_table
from sparsemixed.reporting.document import Block, Column, Document, Note, Row, Section, Table
from sparsemixed.reporting.tables.columns import limit_columns
from sparsemixed.spec import DisplayOptions

ADJUSTMENTS = {
    "noadjust": "Unadjusted",
    "bonferroni": "Bonferroni",
    "sidak": "Sidak",
    "scheffe": "Scheffe",
    "tukey": "Tukey",
}
"""What stands above adjusted columns."""


@dataclass(frozen=True)
class MarginComparisonResult(ContrastResult):
    """Contrasts or pairwise comparisons of margins; the attributes are those of `ContrastResult`.

    Attributes
    ----------
    head : tuple of Block
        What stands above: title, expression, values of at(), and the margins where they are listed.
    shape : Shape
        What the text has of each comparison.
    std_errs : str
        What the standard errors are called.
    """

    head: tuple[Block, ...] = ()
    shape: Shape = field(default_factory=Shape)
    std_errs: str = "Delta-method"

    @classmethod
    def shaped(cls, compared: Comparisons, found: Margins, asked: Asked, head: tuple[Block, ...]) -> Self:
        """The result of comparing margins, to be shown as asked for."""
        own = {one.name: getattr(compared, one.name) for one in fields(compared)}
        if asked.shape.sort:
            terms = compared.effects.groupby(level="term", sort=False)
            own["effects"] = pd.concat([part.sort_values("estimate", kind="stable") for _, part in terms])
        kind = "Unconditional" if found.request.unconditional else "Delta-method"
        return cls(**own, head=head, shape=asked.shape, std_errs=kind)

    def document(self) -> Document:
        """Title and expression, joint tests of contrasts, numbers of comparisons where they are adjusted for, each comparison."""
        blocks: list[Block] = list(self.head)
        if len(self.tests) and self.shape.wald:
            blocks.append(joint_table(self))
        if self.margins is not None:
            blocks.append(margins_table(self, self.margins))
            shared = (
                f"Margins sharing a letter in the group label are not significantly different at the {100 - self.level:g}% level."
            )
            blocks.append(Note(f"Note: {shared}"))
        elif self.shape.effects:
            blocks += [] if self.mcompare == "noadjust" else [_counts(self)]
            blocks.append(_effects(self))
        return Document((*blocks, *([Note(f"Note: {self.note}")] if self.note else [])))


def _counts(result: MarginComparisonResult) -> Table:
    """The number of comparisons of each term."""
    counts = result.effects.groupby(level="term", sort=False).size()
    rows = tuple(Row(str(term), (float(count),)) for term, count in zip(counts.index, counts.to_numpy(), strict=True))
    return Table("fixed", "", (Column("Number of comparisons", "count"),), (Section("", rows, "variable"),))


def _effects(result: MarginComparisonResult) -> Table:
    """One section for each term, one row for each comparison, with the columns asked for."""
    frame, kind = result.frame, ADJUSTMENTS.get(result.mcompare, result.mcompare.capitalize())
    name = "t" if "df" in frame else "z"
    low, high = limit_columns(DisplayOptions(level=result.level))
    columns, shown = [Column("Contrast", "estimate"), Column(f"{result.std_errs} std. err.", "std_err")], ["estimate", "std_err"]
    if "df" in frame:
        columns.append(Column("DF", "df"))
        shown.append("df")
    if "statistic" in result.shape.effects:
        columns += [Column(name, "statistic"), Column(f"{kind} P>|{name}|", "pvalue")]
        shown += ["statistic", "pvalue"]
    if "limits" in result.shape.effects:
        columns += [replace(low, title=f"{kind} {low.title}"), high]
        shown += ["low", "high"]
    sections = []
    for term, part in frame.groupby(level="term", sort=False):
        labels = list(map(str, part.index.get_level_values("contrast")))
        alone = labels == [""]  # one comparison without a label: that of a slope, say
        values = part[shown].to_numpy(dtype=float)
        rows = tuple(_row(str(term) if alone else label, own) for label, own in zip(labels, values, strict=True))
        sections.append(Section("", rows, "variable") if alone else Section(str(term), rows, "factor"))
    return Table("fixed", "", tuple(columns), tuple(sections))


def _row(label: str, values: np.ndarray) -> Row:
    if np.isnan(values[0]):
        return Row(label, (), "(not estimable)")
    return Row(label, (float(values[0]),), "(constrained)") if values[1] == 0 else Row(label, tuple(map(float, values)))
