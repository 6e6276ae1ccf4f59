"""HTML for notebooks and pages: no colours of its own, so that it reads on light and dark ones."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from sparsemixed.reporting.document import (
    Document,
    Equations,
    Grid,
    Header,
    Heading,
    Panel,
    Row,
    Section,
    Table,
    Verbatim,
)
from sparsemixed.reporting.formats.renderer import Renderer

RULE = ' style="border-top:1px solid currentColor"'
"""Above a panel of a grid, in the colour of the text."""
FACTS = 2
"""Names with their values that stand side by side in a header."""


class Html(Renderer):
    """All blocks in one element."""

    between = "\n"

    def render(self, document: Document) -> str:
        return f'<div class="sparsemixed">{super().render(document)}</div>'

    def plain(self, text: str) -> str:
        return f"<p>{escape(text)}</p>"

    def heading(self, block: Heading) -> str:
        return f"<p><b>{escape(block.text)}</b></p>"

    def verbatim(self, block: Verbatim) -> str:
        return f"<pre>{escape(block.text)}</pre>"

    def equations(self, block: Equations) -> str:
        return "<p>" + "<br>".join(map(escape, block.lines)) + "</p>"

    def header(self, block: Header) -> str:
        cells = [_cell("th", label) + _cell("td", text) for label, text in block.facts]
        rows = "".join(_line(cells[i : i + FACTS]) for i in range(0, len(cells), FACTS))
        table = f"<table><caption>{escape(block.title)}</caption><tbody>{rows}</tbody></table>"
        return table if block.levels is None else f"{table}\n{self.table(block.levels)}"

    def table(self, block: Table) -> str:
        heads = _line((_cell("th", block.stub), *(_cell("th", title, span=span) for title, span in block.headings)))
        caption = f'<caption style="text-align:right">{escape(block.caption)}</caption>' if block.caption else ""
        body = "".join(_section(section, block) for section in block.sections)
        return f"<table>{caption}<thead>{heads}</thead><tbody>{body}</tbody></table>"

    def grid(self, block: Grid) -> str:
        heads = "".join(_line(_cell("th", text, "right" if i else "left") for i, text in enumerate(head)) for head in block.heads)
        bodies = "".join(_panel(panel, len(block.heads[0])) for panel in block.panels)
        return f"<table><thead>{heads}</thead>{bodies}</table>"


def _cell(tag: str, text: str, side: str = "right", span: int = 1) -> str:
    columns = f' colspan="{span}"' if span > 1 else ""
    return f'<{tag}{columns} style="text-align:{side}">{escape(text)}</{tag}>'


def _line(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


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


def _panel(panel: Panel, width: int) -> str:
    title = _line((_cell("th", panel.title, "left", width),)) if panel.title else ""
    rows = "".join(_line((_cell("th", label, "left"), *(_cell("td", text) for text in texts))) for label, *texts in panel.rows)
    return f"<tbody{RULE}>{title}{rows}</tbody>"
