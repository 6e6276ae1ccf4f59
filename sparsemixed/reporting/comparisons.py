"""Contrasts and pairwise comparisons as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sparsemixed.postestimation.contrasts import Comparisons
from sparsemixed.reporting.document import Block, Column, Document, Heading, Note, Row, Section, Table, Verbatim
from sparsemixed.reporting.number_format import percent
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import limit_columns, quantity_columns
from sparsemixed.spec import DisplayOptions

if TYPE_CHECKING:
    from sparsemixed.plots.picture import Picture


@dataclass(frozen=True)
class ContrastResult(Comparisons, Shown):
    """Contrasts or pairwise comparisons: the data frames `tests` and `effects`, and the joint test of everything.

    The attributes are those of `Comparisons`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it, and
    `frame` has the single comparisons.
    """

    def document(self) -> Document:
        """Joint tests of the terms, the comparisons of each, and notes."""
        what = "Contrasts" if len(self.tests) else "Pairwise comparisons"
        blocks: list[Block] = [Heading(self.title or f"{what} of marginal linear predictions")]
        if not self.title:
            blocks.append(Verbatim(f"Margins: {'asobserved' if self.observed else 'asbalanced'}"))
        if len(self.tests) and "wald" not in self.hidden:
            blocks.append(joint_table(self))
        if self.margins is not None:
            blocks.append(margins_table(self, self.margins))
        elif "effects" not in self.hidden:
            blocks.append(_single(self))
        if self.mcompare != "noadjust":
            adjusted = (
                f"p-values and {percent(self.level)}% limits are adjusted for the comparisons of each term: {self.mcompare}."
            )
            blocks.append(Note(f"Note: {adjusted}"))
        if self.margins is not None and self.groups:
            shared = (
                f"Margins sharing a letter in the group label are not significantly different at the {100 - self.level:g}% level."
            )
            blocks.append(Note(f"Note: {shared}"))
        return Document((*blocks, *([Note(f"Note: {self.note}")] if self.note else [])))

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each comparison, index (term, contrast).

        Columns estimate, std_err, df (of t tests only), statistic, pvalue, low, high.
        """
        found = self.effects.rename(columns={"ddf": "df"})
        return found.drop(columns="df") if np.all(np.isnan(found["df"].to_numpy())) else found

    @property
    def plot(self) -> Picture:
        """Every comparison with its limits beside zero; `plot.frame()` has the numbers; see `Picture`."""
        from sparsemixed.plots.comparisons import KIND  # delayed, with what it needs, for a quick start
        from sparsemixed.plots.picture import Picture

        return Picture("comparisons", KIND, self)


def joint_table(result: ContrastResult) -> Table:
    """Rows for each term, the tests of its parts before that of all; chi-squared, or F with denominator degrees of freedom."""
    tests = result.tests
    small = ~np.isnan(tests["ddf"].to_numpy())
    name, tail = ("F", "P>F") if np.all(small) else ("F or chi2", "P") if np.any(small) else ("chi2", "P>chi2")
    columns = [Column("df", "number"), Column(name, "chi2"), Column(tail, "probability")]
    shown = ["df", "statistic", "pvalue"]
    if np.any(small):
        columns.insert(1, Column("ddf", "ddf"))
        shown.insert(1, "ddf")
    known = set() if result.parts is None else set(result.parts.index.get_level_values("term"))
    sections, plain = [], []
    for term, row in zip(tests.index, tests[shown].to_numpy(), strict=True):
        if term not in known:
            plain.append(Row(str(term), tuple(map(float, row))))
            continue
        assert result.parts is not None
        own = result.parts.loc[[term], shown]
        rows = [Row(str(part), tuple(map(float, values))) for (_, part), values in zip(own.index, own.to_numpy(), strict=True)]
        sections += [Section("", tuple(plain), "variable")] if plain else []
        sections.append(Section(str(term), (*rows, Row("Joint", tuple(map(float, row)))), "factor"))
        plain = []
    sections += [Section("", tuple(plain), "variable")] if plain else []
    return Table("fixed", "", tuple(columns), tuple(sections))


def margins_table(result: ContrastResult, margins: pd.DataFrame) -> Table:
    """The margins of each term, with letters or with limits."""
    groups = result.groups
    columns = [Column("Margin", "estimate"), Column("Std. err.", "std_err")]
    columns += [Column("Group", "legend")] if groups else limit_columns(DisplayOptions(level=result.level))
    sections = []
    for term, part in margins.groupby(level="term", sort=False):
        rows = []
        numbers = part[["estimate", "std_err"] if groups else ["estimate", "std_err", "low", "high"]].to_numpy(float)
        letters = [str(letter) for letter in part["group"]] if groups else [""] * len(part)
        for label, values, letter in zip(part.index.get_level_values(1), numbers, letters, strict=True):
            if np.isnan(values[0]):
                rows.append(Row(str(label), (float("nan"),), "(not estimable)"))
            else:
                rows.append(Row(str(label), tuple(map(float, values)), letter))
        sections.append(Section(str(term), tuple(rows), "interaction" if "#" in str(term) else "factor"))
    return Table("fixed", "", tuple(columns), tuple(sections))


def _single(result: ContrastResult) -> Table:
    """One section for each term, one row for each comparison."""
    frame = result.frame
    sections = []
    for term, part in frame.groupby(level="term", sort=False):
        labels, values = list(map(str, part.index.get_level_values("contrast"))), part.to_numpy(dtype=float)
        # The slope of a covariate alone is a comparison without a label.
        alone = labels == [""]
        rows = tuple(_row(str(term) if alone else label, own) for label, own in zip(labels, values, strict=True))
        sections.append(Section("", rows, "variable") if alone else Section(str(term), rows, "factor"))
    return Table("fixed", "", quantity_columns("Contrast", "df" in frame, result.level), tuple(sections))


def _row(label: str, values: np.ndarray) -> Row:
    if np.isnan(values[0]):
        return Row(label, (float("nan"),), "(not estimable)")
    return Row(label, (float(values[0]),), "(constrained)") if values[1] == 0 else Row(label, tuple(map(float, values)))
