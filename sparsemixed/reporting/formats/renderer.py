"""The walk over a document, which all formats share: a format says how each kind of block looks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from sparsemixed.reporting.document import (
    Block,
    Document,
    Entries,
    Equations,
    Grid,
    Header,
    Heading,
    Note,
    Paragraph,
    Table,
    Verbatim,
)


class Renderer(ABC):
    """A format: a method for each kind of block, which gives its text; an empty one leaves the block out.

    A block of running text comes to `plain` unless the format has a method for its kind.

    Attributes
    ----------
    between : str
        Parts two blocks.
    """

    between: ClassVar[str] = "\n\n"

    def render(self, document: Document) -> str:
        """All blocks from top to bottom."""
        return self.between.join(filter(None, map(self.block, document.blocks)))

    def block(self, block: Block) -> str:
        """Any block, by the method of its kind."""
        match block:
            case Heading():
                return self.heading(block)
            case Paragraph():
                return self.paragraph(block)
            case Note():
                return self.note(block)
            case Verbatim():
                return self.verbatim(block)
            case Equations():
                return self.equations(block)
            case Entries():
                return self.entries(block)
            case Header():
                return self.header(block)
            case Table():
                return self.table(block)
            case Grid():
                return self.grid(block)
        raise TypeError(f"no format knows how to write {type(block).__name__}")

    @abstractmethod
    def plain(self, text: str) -> str:
        """Running text, with what is special to the format escaped."""

    def heading(self, block: Heading) -> str:
        """A line that says what follows."""
        return self.plain(block.text)

    def paragraph(self, block: Paragraph) -> str:
        """A sentence after a short lead."""
        return self.plain(block.lead + block.text)

    def note(self, block: Note) -> str:
        """What a reader must keep in mind."""
        return self.plain(block.text)

    def entries(self, block: Entries) -> str:
        """A statistic and its p-value."""
        return self.plain(block.line)

    @abstractmethod
    def verbatim(self, block: Verbatim) -> str:
        """Lines that keep their places."""

    @abstractmethod
    def equations(self, block: Equations) -> str:
        """Numbered equations."""

    @abstractmethod
    def header(self, block: Header) -> str:
        """The head of a fit, with the table of its levels."""

    @abstractmethod
    def table(self, block: Table) -> str:
        """Titled sections of numbers."""

    @abstractmethod
    def grid(self, block: Grid) -> str:
        """Texts under column heads, in titled panels."""
