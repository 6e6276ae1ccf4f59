"""A report as tables of GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sparsemixed.errors import printable
from sparsemixed.reporting.formats.html import headings, one_line
from sparsemixed.reporting.tables.number_format import written
from sparsemixed.reporting.tables.table import Report, Row, Table

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


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of escaped texts: the first column to the left, the others to the right."""
    lines = [head, [":---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def render_markdown(report: Report) -> str:
    """Header, tables and notes."""
    parts = [f"```text\n{text}\n```" for text in report.preamble]
    if report.title:
        parts += [f"**{markdown_escape(report.title)}**", _header(report)]
    parts += [_table(report.groups)] if report.groups is not None else []
    parts += ["\\\n".join(markdown_escape(line.strip()) for line in report.numbered_constraints)] if report.constraints else []
    parts += [markdown_escape(report.adjusted_for)] if report.clusters is not None else []
    parts += [_table(table) for table in report.tables]
    if report.linear_test is not None:
        parts.append(markdown_escape(one_line(report.linear_test)))
    parts += [markdown_escape(note) for note in report.notes]
    return printable("\n\n".join(parts))


def _header(report: Report) -> str:
    texts = [("Group variable", report.group_variable)] if report.group_variable else []
    texts += [("DF method", report.dof_method)] if report.dof_method else []
    entries = [*report.entries, *report.group_entries, *report.dof_entries, *report.test_entries]
    entries += [report.criterion] if report.criterion is not None else []
    above = ""
    for e in entries:
        # A label without a number stands above the next three: Obs per group: min, avg, max.
        above = above if e.kind else f"{e.label} "
        lead = above if e.label in ("min", "avg", "max") and not e.lead else f"{e.lead} " if e.lead else ""
        texts += [(lead + e.label, written(e.value, e.kind))] if e.kind else []
    return markdown_table(("", ""), [(markdown_escape(label), markdown_escape(text)) for label, text in texts])


def _table(table: Table) -> str:
    # Markdown has no cells that span columns: the first of them carries the title.
    heads = [cell for title, span in headings(table) for cell in (markdown_escape(title), *[""] * (span - 1))]
    rows: list[list[str]] = []
    for section in table.sections:
        if section.title:
            rows.append([f"**{markdown_escape(section.title)}**", *[""] * len(table.columns)])
        rows += [_row(row, table, bool(section.title)) for row in section.rows]
    return markdown_table([markdown_escape(table.stub), *heads], rows)


def _row(row: Row, table: Table, indented: bool) -> list[str]:
    texts = [c.written(v) for v, c in zip(row.values, table.columns, strict=False)]
    texts += [markdown_escape(row.remark)] if row.remark else []
    return [(INDENT if indented else "") + markdown_escape(row.label), *texts, *[""] * (len(table.columns) - len(texts))]
