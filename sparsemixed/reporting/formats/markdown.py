"""A document as tables and paragraphs of GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    Row,
    Table,
    Verbatim,
)

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


def render_markdown(document: Document) -> str:
    """All blocks, a blank line between them."""
    return "\n\n".join(map(_block, document.blocks))


def _block(block: Block) -> str:
    match block:
        case Heading():
            return _bold(block.text)
        case Paragraph():
            return markdown_escape(block.lead + block.text)
        case Note():
            return markdown_escape(block.text)
        case Verbatim():
            return f"```text\n{block.text}\n```"
        case Equations():
            return "\\\n".join(markdown_escape(line.strip()) for line in block.lines)
        case Entries():
            return markdown_escape(block.line)
        case Header():
            return _header(block)
        case Table():
            return _table(block)
        case Grid():
            return _grid(block)
    raise TypeError(f"no Markdown for {type(block).__name__}")


def _bold(text: str) -> str:
    return f"**{markdown_escape(text)}**"


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of escaped texts: the first column to the left, the others to the right."""
    lines = [head, [":---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _title(text: str, columns: int) -> list[str]:
    return [_bold(text), *[""] * (columns - 1)]


def _header(header: Header) -> str:
    pairs = [(markdown_escape(label), markdown_escape(text)) for label, text in header.pairs]
    parts = [_bold(header.title), _lines(("", ""), pairs)]
    return "\n\n".join(parts if header.levels is None else [*parts, _table(header.levels)])


def _table(table: Table) -> str:
    # Markdown has no cells that span columns: the first of them carries the title.
    heads = [cell for title, span in table.headings for cell in (markdown_escape(title), *[""] * (span - 1))]
    rows: list[list[str]] = []
    for section in table.sections:
        rows += [_title(section.title, len(table.columns) + 1)] if section.title else []
        rows += [_row(row, table, bool(section.title)) for row in section.rows]
    found = _lines([markdown_escape(table.stub), *heads], rows)
    return f"{markdown_escape(table.caption)}\n\n{found}" if table.caption else found


def _row(row: Row, table: Table, indented: bool) -> list[str]:
    texts = [*table.texts(row), *([markdown_escape(row.remark)] if row.remark else [])]
    return [_label(row.label, indented), *texts, *[""] * (len(table.columns) - len(texts))]


def _label(text: str, indented: bool) -> str:
    return (INDENT if indented else "") + markdown_escape(text)


def _grid(grid: Grid) -> str:
    """Further lines of heads are rows."""
    first, *others = [[*map(markdown_escape, head)] for head in grid.heads]
    rows = list(others)
    for panel in grid.panels:
        rows += [_title(panel.title, len(first))] if panel.title else []
        rows += [[_label(label, bool(panel.title)), *map(markdown_escape, texts)] for label, *texts in panel.rows]
    return _lines(first, rows)
