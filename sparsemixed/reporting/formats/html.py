"""A report as HTML for notebooks: no colours of its own, so that it reads on light and dark pages."""

from __future__ import annotations

from html import escape

from sparsemixed.inference.hypotheses.wald import TestResult
from sparsemixed.reporting.tables.number_format import fixed, written
from sparsemixed.reporting.tables.table import Entry, Report, Row, Section, Table

RIGHT = ' style="text-align:right"'


def render_html(report: Report) -> str:
    """Header, tables and notes."""
    parts = [f"<pre>{escape(text)}</pre>" for text in report.preamble]
    if report.title:
        parts.append(_header(report))
    parts += [_table(report.groups)] if report.groups is not None else []
    parts += ["<p>" + "<br>".join(map(escape, report.numbered_constraints)) + "</p>"] if report.constraints else []
    parts += [f"<p>{escape(report.adjusted_for)}</p>"] if report.clusters is not None else []
    parts += [_table(table) for table in report.tables]
    if report.linear_test is not None:
        parts.append(f"<p>{escape(one_line(report.linear_test))}</p>")
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    return '<div class="sparsemixed">' + "\n".join(parts) + "</div>"


def one_line(test: TestResult) -> str:
    """A test in one line."""
    return f"{test.title}: {test.label} = {fixed(test.statistic, 2)}, {test.tail} = {fixed(test.pvalue, 4)}"


def _header(report: Report) -> str:
    group = [("Group variable", report.group_variable)] if report.group_variable else []
    entries: tuple[Entry | None, ...] = (
        *(*report.entries, *report.group_entries, *report.dof_entries, *report.test_entries),
        report.criterion,
    )
    if report.dof_method:
        group.append(("DF method", report.dof_method))
    numbers = [(f"{e.lead} {e.label}".strip(), written(e.value, e.kind)) for e in entries if e is not None and e.kind]
    rows = "".join(f"<tr><th{RIGHT}>{escape(label)}</th><td{RIGHT}>{escape(text)}</td></tr>" for label, text in group + numbers)
    return f"<table><caption>{escape(report.title)}</caption><tbody>{rows}</tbody></table>"


def _table(table: Table) -> str:
    heads = "".join(f'<th colspan="{span}"{RIGHT}>{escape(title)}</th>' for title, span in headings(table))
    head = f"<thead><tr><th{RIGHT}>{escape(table.stub)}</th>{heads}</tr></thead>"
    return f"<table>{head}<tbody>{''.join(_section(s, table) for s in table.sections)}</tbody></table>"


def headings(table: Table) -> list[tuple[str, int]]:
    """Column titles with the number of columns that each one spans: an untitled column belongs to the one before."""
    found: list[tuple[str, int]] = []
    for column in table.columns:
        if column.title or not found:
            found.append((column.title, 1))
        else:
            found[-1] = (found[-1][0], found[-1][1] + 1)
    return found


def _section(section: Section, table: Table) -> str:
    title = f'<tr><th colspan="{len(table.columns) + 1}" style="text-align:left">{escape(section.title)}</th></tr>'
    return (title if section.title else "") + "".join(_row(row, table) for row in section.rows)


def _row(row: Row, table: Table) -> str:
    texts = [c.written(v) for v, c in zip(row.values, table.columns, strict=False)]
    cells = "".join(f"<td{RIGHT}>{escape(text)}</td>" for text in texts)
    rest = len(table.columns) - len(texts)
    if rest:
        cells += f'<td colspan="{rest}">{escape(row.remark)}</td>'
    return f"<tr><th{RIGHT}>{escape(row.label)}</th>{cells}</tr>"
