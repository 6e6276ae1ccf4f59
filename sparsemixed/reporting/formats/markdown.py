"""A document as tables and paragraphs of GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sparsemixed.reporting.document import (
    Equations,
    Grid,
    Header,
    Heading,
    Row,
    Table,
    Verbatim,
)
from sparsemixed.reporting.formats.renderer import Renderer

SPECIAL = re.compile(r"([\\`*|<>\[\]~$]|(?<!\w)_|_(?!\w))")
INDENT = "&emsp;"


def markdown_escape(text: str) -> str:
    """Text that Markdown shows as it stands.

    Examples
    --------
    >>> print(markdown_escape("P>|z|"), markdown_escape("_cons"), markdown_escape("n_g"))
    P\\>\\|z\\| \\_cons n_g
    """
    return SPECIAL.sub(r"\\\1", text)


class Markdown(Renderer):
    """Tables with their titles in rows, paragraphs between them."""

    def plain(self, text: str) -> str:
        return markdown_escape(text)

    def heading(self, block: Heading) -> str:
        return _bold(block.text)

    def verbatim(self, block: Verbatim) -> str:
        return f"```text\n{block.text}\n```"

    def equations(self, block: Equations) -> str:
        return "\\\n".join(markdown_escape(line.strip()) for line in block.lines)

    def header(self, block: Header) -> str:
        pairs = [(markdown_escape(label), markdown_escape(text)) for label, text in block.pairs]
        parts = [_bold(block.title), _lines(("", ""), pairs)]
        return "\n\n".join(parts if block.levels is None else [*parts, self.table(block.levels)])

    def table(self, block: Table) -> str:
        # Markdown has no cells that span columns: the first of them carries the title.
        heads = [cell for title, span in block.headings for cell in (markdown_escape(title), *[""] * (span - 1))]
        rows: list[list[str]] = []
        for section in block.sections:
            rows += [_title(section.title, len(block.columns) + 1)] if section.title else []
            rows += [_row(row, block, bool(section.title)) for row in section.rows]
        written = _lines([markdown_escape(block.stub), *heads], rows)
        return f"{markdown_escape(block.caption)}\n\n{written}" if block.caption else written

    def grid(self, block: Grid) -> str:
        """Further lines of heads are rows."""
        first, *others = [[*map(markdown_escape, head)] for head in block.heads]
        rows = list(others)
        for panel in block.panels:
            rows += [_title(panel.title, len(first))] if panel.title else []
            rows += [[_label(label, bool(panel.title)), *map(markdown_escape, texts)] for label, *texts in panel.rows]
        return _lines(first, rows)


def _bold(text: str) -> str:
    return f"**{markdown_escape(text)}**"


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of escaped texts: the first column to the left, the others to the right."""
    lines = [head, [":---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _title(text: str, columns: int) -> list[str]:
    return [_bold(text), *[""] * (columns - 1)]


def _row(row: Row, table: Table, indented: bool) -> list[str]:
    texts = [*table.texts(row), *([markdown_escape(row.remark)] if row.remark else [])]
    return [_label(row.label, indented), *texts, *[""] * (len(table.columns) - len(texts))]


def _label(text: str, indented: bool) -> str:
    return (INDENT if indented else "") + markdown_escape(text)
