"""What a report holds: titled sections of numbers whose columns say what they mean, and no layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparsemixed.inference.wald import TestResult


@dataclass(frozen=True)
class Column:
    """A column's heading and the kind of its numbers (a key of `number_format.FORMATS`)."""

    title: str
    kind: str


@dataclass(frozen=True)
class Row:
    """A label and its numbers; `remark` stands in place of the numbers that are not there: `(omitted)`."""

    label: str
    values: tuple[float, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Section:
    """Rows that belong together.

    Attributes
    ----------
    title : str
        The factor's name or the equation; empty for a single variable.
    rows : tuple of Row
    kind : {"variable", "factor", "interaction", "equation"}
        Says what is listed; renderers space the sections by it.
    """

    title: str
    rows: tuple[Row, ...]
    kind: Literal["variable", "factor", "interaction", "equation"]


@dataclass(frozen=True)
class Table:
    """One table: `stub` heads the labels."""

    name: Literal["groups", "fixed", "random"]
    stub: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]


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
