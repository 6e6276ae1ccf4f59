"""What a report holds: titled sections of numbers whose columns say what they mean, and no layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparsemixed.design.values import Clusters
from sparsemixed.inference.hypotheses.wald import TestResult
from sparsemixed.reporting.tables.number_format import count, formatted, written


@dataclass(frozen=True)
class Column:
    """A column's heading and the kind of its numbers: a key of `number_format.FORMATS`, or `legend` for texts.

    `format` is one of Stata's, `%8.2f`, in place of the kind's own.
    """

    title: str
    kind: str
    format: str | None = None

    def written(self, value: float) -> str:
        """A number of the column."""
        return written(value, self.kind) if self.format is None else formatted(value, self.format)


@dataclass(frozen=True)
class Row:
    """A label and its numbers; `remark` stands in place of those that are not there: `(omitted)`, `(constrained)`, a legend."""

    label: str
    values: tuple[float, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Section:
    """Rows that belong together.

    Attributes
    ----------
    title : str
        The name of the factor, or of the variable before its lags and differences, or the equation; empty for a single variable.
    rows : tuple of Row
        Without any, the title heads the sections that follow.
    kind : {"variable", "factor", "lags", "interaction", "equation"}
        Says what is listed; renderers space the sections by it.
    """

    title: str
    rows: tuple[Row, ...]
    kind: Literal["variable", "factor", "lags", "interaction", "equation"]


@dataclass(frozen=True)
class Layout:
    """What concerns text alone.

    Attributes
    ----------
    squish : bool
        No blank lines between sections.
    stretch : bool
        The column of names widens for long ones, which are otherwise abbreviated.
    wrap : int
        Lines at most for a long value label; with one it widens the column or is cut.
    by_word : bool
        Whether value labels are broken between words.
    """

    squish: bool = False
    stretch: bool = True
    wrap: int = 1
    by_word: bool = True


@dataclass(frozen=True)
class Table:
    """One table: `stub` heads the labels."""

    name: Literal["groups", "fixed", "random"]
    stub: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    layout: Layout = Layout()


@dataclass(frozen=True)
class Entry:
    """One line of the header: a label with a number; without a `kind` the label stands alone.

    `lead` stands before a label that is set to the right: `DF:     min`.
    """

    label: str
    value: float = float("nan")
    kind: str = ""
    lead: str = ""


@dataclass(frozen=True)
class Report:
    """Everything that a fit prints.

    Attributes
    ----------
    preamble : tuple of str
        Iteration log, then notes about the data: before everything else.
    title : str
        Empty when there is no header.
    group_variable : str
        Named in the header when there is one level.
    entries, group_entries, test_entries : tuple of Entry
        The header: observations; the only level's groups; the model's test.
    criterion : Entry or None
        The log likelihood.
    groups : Table or None
        The levels, when there are several.
    tables : tuple of Table
        Fixed and random part, as wanted.
    linear_test : TestResult or None
    notes : tuple of str
        After everything else.
    level : float
        Of the confidence limits, in per cent.
    dof_method : str
        Title of the method of degrees of freedom; empty for large-sample inference.
    dof_entries : tuple of Entry
        Smallest, average and largest degrees of freedom.
    clusters : Clusters or None
        What the standard errors are adjusted for, where that is independent clusters of rows with a name.
    constraints : tuple of str
        Equations that the coefficients satisfy, above the tables.
    """

    preamble: tuple[str, ...]
    title: str
    group_variable: str
    entries: tuple[Entry, ...]
    group_entries: tuple[Entry, ...]
    test_entries: tuple[Entry, ...]
    criterion: Entry | None
    groups: Table | None
    tables: tuple[Table, ...]
    linear_test: TestResult | None
    notes: tuple[str, ...]
    level: float
    dof_method: str = ""
    dof_entries: tuple[Entry, ...] = ()
    constraints: tuple[str, ...] = ()
    clusters: Clusters | None = None

    @property
    def adjusted_for(self) -> str:
        """`(Std. err. adjusted for 148 clusters in id_school)`, or nothing."""
        if self.clusters is None:
            return ""
        return f"(Std. err. adjusted for {count(self.clusters.number)} clusters in {self.clusters.name})"

    @property
    def numbered_constraints(self) -> tuple[str, ...]:
        """One line for each constraint: ` ( 1)  [y]x1 - [y]x2 = 0`."""
        return tuple(f" ({i:>2})  {text}" for i, text in enumerate(self.constraints, start=1))
