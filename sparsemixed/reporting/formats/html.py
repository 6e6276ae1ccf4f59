"""HTML for notebooks and pages: no colours of its own, so that it reads on light and dark ones."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from sparsemixed.reporting.document import (
    Block,
    Document,
    Entries,
    Equations,
    Grid,
    Header,
    Heading,
    Note,
    Panel,
    Paragraph,
    Row,
    Section,
    Table,
    Verbatim,
)

RULE = ' style="border-top:1px solid currentColor"'
"""Above a panel of a grid, in the colour of the text."""


def render_html(document: Document) -> str:
    """All blocks in one element."""
    return '<div class="sparsemixed">' + "\n".join(map(_block, document.blocks)) + "</div>"


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"<p><b>{escape(block.text)}</b></p>"
        case Paragraph():
            return f"<p>{escape(block.lead + block.text)}</p>"
        case Note():
            return f"<p>{escape(block.text)}</p>"
        case Verbatim():
            return f"<pre>{escape(block.text)}</pre>"
        case Equations():
            return "<p>" + "<br>".join(map(escape, block.lines)) + "</p>"
        case Entries():
            return f"<p>{escape(block.line)}</p>"
        case Header():
            return _header(block)
        case Table():
            return _table(block)
        case Grid():
            return _grid(block)
    raise TypeError(f"no HTML for {type(block).__name__}")


def _cell(tag: str, text: str, side: str = "right", span: int = 1) -> str:
    columns = f' colspan="{span}"' if span > 1 else ""
    return f'<{tag}{columns} style="text-align:{side}">{escape(text)}</{tag}>'


def _line(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def _header(header: Header) -> str:
    rows = "".join(_line((_cell("th", label), _cell("td", text))) for label, text in header.pairs)
    table = f"<table><caption>{escape(header.title)}</caption><tbody>{rows}</tbody></table>"
    return table if header.levels is None else f"{table}\n{_table(header.levels)}"


def _table(table: Table) -> str:
    heads = _line((_cell("th", table.stub), *(_cell("th", title, span=span) for title, span in table.headings)))
    caption = f'<caption style="text-align:right">{escape(table.caption)}</caption>' if table.caption else ""
    body = "".join(_section(section, table) for section in table.sections)
    return f"<table>{caption}<thead>{heads}</thead><tbody>{body}</tbody></table>"


def _section(section: Section, table: Table) -> str:
    title = _line((_cell("th", section.title, "left", len(table.columns) + 1),)) if section.title else ""
    return title + "".join(_row(row, table) for row in section.rows)


def _row(row: Row, table: Table) -> str:
    texts = table.texts(row)
    cells = [_cell("th", row.label), *(_cell("td", text) for text in texts)]
    rest = len(table.columns) - len(texts)
    if rest:
        cells.append(f'<td colspan="{rest}">{escape(row.remark)}</td>')
    return _line(cells)


def _grid(grid: Grid) -> str:
    heads = "".join(_line(_cell("th", text, "right" if i else "left") for i, text in enumerate(head)) for head in grid.heads)
    bodies = "".join(_panel(panel, len(grid.heads[0])) for panel in grid.panels)
    return f"<table><thead>{heads}</thead>{bodies}</table>"


def _panel(panel: Panel, width: int) -> str:
    title = _line((_cell("th", panel.title, "left", width),)) if panel.title else ""
    rows = "".join(_line((_cell("th", label, "left"), *(_cell("td", text) for text in texts))) for label, *texts in panel.rows)
    return f"<tbody{RULE}>{title}{rows}</tbody>"
