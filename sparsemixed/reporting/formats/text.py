"""A document as plain text, in Stata's layout of 78 columns."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from sparsemixed.reporting.document import (
    Document,
    Entries,
    Entry,
    Equations,
    Grid,
    Header,
    Note,
    Paragraph,
    Table,
    Verbatim,
)
from sparsemixed.reporting.formats.renderer import Renderer
from sparsemixed.reporting.formats.text_tables import estimates_text, grid_text, groups_lines

WIDTH, NARROWEST_NOTE = 78, 60
"""Characters in a line; and in a line of a note under a grid, at least."""
NAMES, PLACES = 20, {"chi2": 8, "probability": 10}
"""Width of the names of a test whose points are aligned, and widths of its numbers, by their kind."""


@dataclass(frozen=True)
class Text(Renderer):
    """Blocks as lines.

    Attributes
    ----------
    note_width : int
        Characters in a line of a note, at most.
    """

    note_width: int = WIDTH

    def render(self, document: Document) -> str:
        """All blocks, a blank line between them unless they belong together; notes are as wide as the grid above them."""
        text, renderer = "", self
        for block in document.blocks:
            piece = renderer.block(block)
            if isinstance(block, Grid):
                renderer = Text(note_width=max(len(piece.partition("\n")[0]), NARROWEST_NOTE))
            text += ("" if not text else "\n" if block.joined else self.between) + piece
        return text

    def plain(self, text: str) -> str:
        return text

    def paragraph(self, block: Paragraph) -> str:
        return _hanging(block.lead, block.text)

    def note(self, block: Note) -> str:
        return textwrap.fill(block.text, self.note_width, subsequent_indent=" " * len("Note: "))

    def verbatim(self, block: Verbatim) -> str:
        return "\n".join(map(_filled, block.text.split("\n")))

    def equations(self, block: Equations) -> str:
        lines = [_hanging(lead, text) for lead, text in zip(block.leads, block.equations, strict=True)]
        return "\n".join([*lines, *block.lines[len(lines) :]])

    def entries(self, block: Entries) -> str:
        """A test as Stata sets it: under a fit in one line, by `test` with aligned points, by `lrtest` with aligned signs."""
        if block.layout == "points":
            return "\n".join(f"{e.aligned or e.label:>{NAMES}} ={e.written:>{PLACES[e.kind]}}" for e in block.entries)
        if block.layout == "signs":
            left, right = (max(map(len, texts)) for texts in zip(*((e.label, e.written) for e in block.entries), strict=True))
            return "\n".join(f"{e.label:>{left}} = {e.written:>{right}}" for e in block.entries)
        first, last = (f"{e.label} = {e.written}" for e in block.entries)
        return _both_ends(f"{block.title}: {first}", last)

    def header(self, block: Header) -> str:
        """Title and numbers, label = value in two aligned columns that end at the right margin."""
        texts = [entry.written for entry in block.entries if entry.kind]
        label_width, value_width = max(len(entry.label) for entry in block.entries), max(map(len, texts))

        def right(entry: Entry) -> str:
            if not entry.kind:
                return f"{entry.label:<{label_width + 3 + value_width}}"
            side = ">" if entry.full else "<"
            return f"{entry.lead}{entry.label:{side}{label_width - len(entry.lead)}} = {entry.written:>{value_width}}"

        lefts = [block.title, *(_left(entry.beside) for entry in block.entries[1:])]
        lines = [_both_ends(left, right(entry)) for left, entry in zip(lefts, block.entries, strict=True)]
        if block.levels is not None:
            lines[1:1] = ["", *groups_lines(block.levels), ""]
        return "\n".join(lines)

    def table(self, block: Table) -> str:
        return "\n".join(groups_lines(block)) if block.name == "groups" else estimates_text(block)

    def grid(self, block: Grid) -> str:
        return grid_text(block)


def _filled(line: str) -> str:
    """A line as it stands, a note in lines of the usual width."""
    return textwrap.fill(line, WIDTH, subsequent_indent=" " * len("Note: ")) if line.startswith("Note: ") else line


def _hanging(lead: str, text: str) -> str:
    """Further lines stand under the text after its lead."""
    indent = " " * len(lead)
    return textwrap.fill(lead + text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _left(entry: Entry | None) -> str:
    """What stands at the left margin: a name and its text, or a number in ten places."""
    if entry is None:
        return ""
    if entry.kind == "title":
        return entry.written
    if entry.aligned:
        return entry.aligned
    return f"{entry.label}: {entry.written}" if entry.kind == "text" else f"{entry.label} = {entry.written:>10}"


def _both_ends(left: str, right: str) -> str:
    """Text at the left margin and text at the right one, at least two blanks apart."""
    return (left + " " * max(WIDTH - len(left) - len(right), 2) + right).rstrip()
