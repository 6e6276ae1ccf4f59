"""What is shown, as frozen blocks of numbers and texts with their meaning: a renderer of `formats/` gives them their places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparsemixed.reporting.number_format import formatted, written


@dataclass(frozen=True, kw_only=True)
class Block:
    """A part of a document.

    Attributes
    ----------
    joined : bool
        Whether it belongs to the block before: no blank line parts the two in text.
    """

    joined: bool = False


@dataclass(frozen=True)
class Document:
    """Blocks from top to bottom."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Heading(Block):
    """A line that says what follows."""

    text: str


@dataclass(frozen=True)
class Paragraph(Block):
    """A sentence after a short lead, under which text sets its further lines: `Assumption: a nested within b`."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class Note(Block):
    """What a reader must keep in mind, after everything else; further lines are set under its text after `Note: `."""

    text: str


@dataclass(frozen=True)
class Verbatim(Block):
    """Lines that keep their places: an iteration log."""

    text: str


@dataclass(frozen=True)
class Equations(Block):
    """Numbered equations: constraints of a model, rows of a hypothesis.

    Attributes
    ----------
    equations : tuple of str
    dropped : tuple of int
        Numbers, from 1, of those that play no part.
    nonlinear : bool
        Whether their numbers stand as `testnl` has them.
    """

    equations: tuple[str, ...]
    dropped: tuple[int, ...] = ()
    nonlinear: bool = False

    @property
    def leads(self) -> tuple[str, ...]:
        """What stands before each equation, seven places: ` ( 1)  `, `  (1)  `."""
        numbers = range(1, len(self.equations) + 1)
        return tuple(f"{f'({i})':>5}  " if self.nonlinear else f" ({i:>2})  " for i in numbers)

    @property
    def lines(self) -> tuple[str, ...]:
        """Every equation with its number, then which are dropped."""
        numbered = (lead + equation for lead, equation in zip(self.leads, self.equations, strict=True))
        return (*numbered, *(f"       Constraint {i} dropped" for i in self.dropped))


@dataclass(frozen=True)
class Entry:
    """A name with its value.

    Attributes
    ----------
    label : str
    value : float or str
    kind : str
        Of a number, a key of `number_format.FORMATS`; `text` for texts, `title` for those that text sets without their label;
        empty when the label stands alone, above others.
    full : str
        The label away from the entries around it, `DF: min`; only of those that text sets to the right.
    lead : str
        Stands in text before a label that is set to the right: `DF:     min`.
    aligned : str
        The label with its numbers set into columns, `F(  2, 247.99)`, where text has them.
    beside : Entry or None
        What text sets at the left margin of the same line.
    """

    label: str
    value: float | str = float("nan")
    kind: str = ""
    full: str = ""
    lead: str = ""
    aligned: str = ""
    beside: Entry | None = None

    @property
    def written(self) -> str:
        """The value as text."""
        return self.value if isinstance(self.value, str) else written(self.value, self.kind)


@dataclass(frozen=True)
class Header(Block):
    """The head of a fit: its title over names and values, with the table of its levels when there are several.

    Attributes
    ----------
    title : str
    entries : tuple of Entry
    levels : Table or None
        Stands in text below the first entry.
    """

    title: str
    entries: tuple[Entry, ...]
    levels: Table | None = None

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All labels and values in reading order: a text beside an entry heads those that follow, a number comes after."""
        found = []
        for entry in self.entries:
            one = [entry] if entry.kind else []
            if entry.beside is not None:
                one.insert(0 if entry.beside.kind in ("text", "title") else len(one), entry.beside)
            found += [(e.full or e.label, e.written) for e in one]
        return tuple(found)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """The same with those that share a lead in one: `Obs per group: min, avg, max` with its three numbers."""
        found: list[tuple[str, list[str], list[str]]] = []
        for label, text in self.pairs:
            lead, colon, word = label.rpartition(": ")
            if colon and found and found[-1][0] == lead:
                found[-1][1].append(word)
                found[-1][2].append(text)
            else:
                found.append((lead, [word], [text]))
        return tuple((f"{lead}: {', '.join(words)}" if lead else words[0], ", ".join(texts)) for lead, words, texts in found)


@dataclass(frozen=True)
class Entries(Block):
    """A statistic and its p-value.

    Attributes
    ----------
    entries : tuple of Entry
    title : str
    layout : {"line", "points", "signs"}
        How text sets them: in one line from margin to margin, or below each other with their points or their signs = aligned.
    """

    entries: tuple[Entry, ...]
    title: str = ""
    layout: Literal["line", "points", "signs"] = "line"

    @property
    def line(self) -> str:
        """All in one line."""
        listed = ", ".join(f"{entry.label} = {entry.written}" for entry in self.entries)
        return f"{self.title}: {listed}" if self.title else listed


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
class Table(Block):
    """Titled sections of numbers whose columns say what they mean.

    Attributes
    ----------
    name : {"groups", "fixed", "random"}
        Levels of a fit, single quantities by name, or variance parameters.
    stub : str
        Heads the labels.
    columns : tuple of Column
    sections : tuple of Section
    layout : Layout
    caption : str
        A line above, set to the right.
    """

    name: Literal["groups", "fixed", "random"]
    stub: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    layout: Layout = Layout()
    caption: str = ""

    @property
    def headings(self) -> tuple[tuple[str, int], ...]:
        """Column titles with the number of columns that each one spans: an untitled column belongs to the one before."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if column.title or not found:
                found.append((column.title, 1))
            else:
                found[-1] = (found[-1][0], found[-1][1] + 1)
        return tuple(found)

    def texts(self, row: Row) -> list[str]:
        """The numbers of a row as its columns write them."""
        return [column.written(value) for value, column in zip(row.values, self.columns, strict=False)]


@dataclass(frozen=True)
class Panel:
    """Rows of texts, each with its label first; an empty title is not written."""

    title: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Grid(Block):
    """Texts under column heads, in titled panels; `heads` are lines of texts over the columns, the stub's first."""

    heads: tuple[tuple[str, ...], ...]
    panels: tuple[Panel, ...]


def stars_apart(text: str) -> tuple[str, str]:
    """A number of a grid, and the stars after it.

    Examples
    --------
    >>> stars_apart("1.5**"), stars_apart("(.25)")
    (('1.5', '**'), ('(.25)', ''))
    """
    number = text.rstrip("*")
    return number, text[len(number) :]
