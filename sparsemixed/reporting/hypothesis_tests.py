"""Tests of hypotheses as they are shown, by themselves and under a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from sparsemixed.inference.hypotheses.wald import HypothesisTest
from sparsemixed.reporting.document import (
    Block,
    Column,
    Document,
    Entries,
    Entry,
    Equations,
    Heading,
    Note,
    Paragraph,
    Row,
    Section,
    Table,
)
from sparsemixed.reporting.shown import Shown

TAILS = {"chi2": "Prob > chi2", "chibar2": "Prob >= chibar2", "F": "Prob > F", "RLRT": "Prob >= RLRT", "LRT": "Prob >= LRT"}
"""Kind of a test -> what its p-value is called; other kinds are two-sided."""


@dataclass(frozen=True)
class TestResult(HypothesisTest, Shown):
    """A test of a hypothesis: `statistic`, `df`, `ddf`, `pvalue`, `note`.

    The attributes are those of `HypothesisTest`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it, and
    `frame` has its numbers in one row.
    """

    __test__: ClassVar[bool] = False  # pytest would collect a class of this name

    def document(self) -> Document:
        """The hypotheses, statistic and p-value, and notes; with `mtest` a table of single tests."""
        tested = _one_by_one(self) if self.singles else [_statistic(self)]
        return Document((*_hypothesis(self), *tested, *_notes(self)))

    @property
    def frame(self) -> pd.DataFrame:
        """One row: df, ddf (missing for chi-squared and z), statistic, pvalue, and mixture_pvalue where it is known."""
        row = {"df": self.df, "ddf": np.nan if self.ddf is None else self.ddf, "statistic": self.statistic, "pvalue": self.pvalue}
        row |= {} if self.mixture_pvalue is None else {"mixture_pvalue": self.mixture_pvalue}
        return pd.DataFrame(row, index=[self.title or "Wald test"], dtype=float)

    @property
    def r(self) -> dict[str, Any]:
        """Stata's stored results by name: `chi2` or `F` with `df_r`, `df`, `p`, `drop`; with mtest `mtmethod` and `mtest`."""
        kind = "F" if self.kind == "F" else "chi2"
        found: dict[str, Any] = {"df": self.df, kind: self.statistic, "p": self.pvalue, "drop": int(bool(self.dropped))}
        found |= {"df_r": self.ddf} if self.kind == "F" else {}
        if self.singles:
            rows = [(one.statistic, one.df, one.pvalue) for one in self.singles]
            index = range(1, len(rows) + 1)
            found |= {"mtmethod": self.mtest, "mtest": pd.DataFrame(rows, index=index, columns=[kind, "df", "p"], dtype=float)}
        return found


def statistic_name(test: HypothesisTest) -> str:
    """The statistic's name: `chi2(2)`, `F(3, 12.00)`, `chibar2(01)`, `z`, `t`."""
    if test.kind == "F":
        return f"F({test.df:g}, {'.' if test.ddf is None or np.isnan(test.ddf) else f'{test.ddf:,.2f}'})"
    return {"chi2": f"chi2({test.df:g})", "chibar2": "chibar2(01)"}.get(test.kind, test.kind)


def statistic_entries(test: HypothesisTest, lead: str = "") -> tuple[Entry, Entry]:
    """Statistic and p-value; `lead` stands before the name of any statistic but F."""
    name = statistic_name(test)
    aligned = name
    if test.kind in ("chi2", "F"):
        below = "" if test.kind == "chi2" else f", {_degrees(test.ddf):>5}"
        aligned = f"{test.kind}({test.df:3g}{below})"
    label = name if test.kind == "F" else lead + name
    tail = TAILS.get(test.kind, f"P>|{test.kind}|")
    return Entry(label, test.statistic, "chi2", aligned=aligned), Entry(tail, test.pvalue, "probability")


def one_line(test: HypothesisTest, joined: bool) -> Entries:
    """A test on a line of its own under the tables of a fit; `joined` to the table above."""
    return Entries(statistic_entries(test), test.title, joined=joined)


def _degrees(df: float | None) -> str:
    """Two decimals, but none of whole degrees of freedom; a dot where there are none."""
    if df is None or np.isnan(df):
        return "."
    return f"{df:.{0 if np.isinf(df) or float(df).is_integer() else 2}f}"


def _hypothesis(test: HypothesisTest) -> list[Block]:
    """What is tested."""
    found: list[Block] = [Heading(test.title)] if test.title else []
    if test.assumption:
        found.append(Paragraph(test.assumption, "Assumption: ", joined=True))
    return [*found, Equations(test.equations, test.dropped, test.nonlinear)] if test.equations else found


def _statistic(test: HypothesisTest) -> Entries:
    if test.kind in ("RLRT", "LRT"):
        return Entries(statistic_entries(test), layout="signs")
    if test.kind == "chibar2" or test.assumption:
        return Entries(statistic_entries(test, "LR "), layout="signs")
    return Entries(statistic_entries(test), layout="points")


def _one_by_one(test: HypothesisTest) -> list[Block]:
    """A row for each equation, one for all of them, and how p-values are adjusted."""
    small = test.kind == "F"
    columns = (Column("F" if small else "chi2", "chi2"), Column("df", "number"))
    columns += (Column("ddf", "ddf"),) if small else ()
    columns += (Column("p > F" if small else "p > chi2", "probability"),)

    def row(label: str, one: HypothesisTest) -> Row:
        degrees = (float("nan") if one.ddf is None else one.ddf,) if small else ()
        return Row(label, (one.statistic, float(one.df), *degrees, one.pvalue))

    each = tuple(row(f"({i})", one) for i, one in enumerate(test.singles, start=1))
    table = Table("fixed", "", columns, (Section("", each, "variable"), Section("", (row("All", test),), "variable")))
    how = "p-values are not adjusted" if test.mtest == "noadjust" else f"{test.mtest.capitalize()}-adjusted p-values"
    return [table, Note(f"{how}.", joined=True)]


def _notes(test: HypothesisTest) -> list[Note]:
    return [Note(text, joined=i > 0) for i, text in enumerate(filter(None, test.note.split("\n")))]
