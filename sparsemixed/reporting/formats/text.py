"""A report as plain text, in Stata's layout of 78 columns."""

from __future__ import annotations

import textwrap

from sparsemixed.errors import printable
from sparsemixed.inference.hypotheses.wald import TestResult
from sparsemixed.reporting.tables.number_format import fixed, written
from sparsemixed.reporting.tables.stub import abbreviated, equation_lines, label_lines, stub_width, title_lines
from sparsemixed.reporting.tables.table import Entry, Report, Row, Section, Table

WIDTH = 78
STD_ERR = "std. err."
LAYOUTS = {
    "estimate std_err statistic pvalue limit limit": ((11, 11, 9, 8, 13, 12), "{1}  Std. err.      {0}    P>|{0}|"),
    "estimate std_err df statistic pvalue": ((11, 11, 13, 9, 8), "{1}  Std. err.           DF       {0}    P>|{0}|"),
    "estimate std_err df limit limit": ((11, 11, 13, 17, 12), "{1}  Std. err.           DF"),
    "estimate std_err df": ((11, 11, 13), "{1}  Std. err.           DF"),
    "estimate std_err statistic pvalue": ((11, 11, 9, 8), "{1}  Std. err.      {0}    P>|{0}|"),
    "estimate std_err limit limit": ((11, 11, 14, 12), "{1}  Std. err."),
    "estimate std_err": ((11, 11), "{1}  Std. err."),
    "estimate legend": ((11, 53), "{1}  Legend"),
}
"""Kinds of the columns -> widths of their cells, and the heading but the limits'; {0} is the statistic's, {1} the estimate's."""
ESTIMATES = {"Coefficient": " Coefficient", "Estimate": "   Estimate "}


def render_text(report: Report) -> str:
    """All blocks, a blank line between them."""
    blocks = ["\n".join(map(_filled, block.split("\n"))) for block in report.preamble]
    if report.title:
        blocks.append(_header(report))
    blocks += [_table(table) for table in report.tables]
    if report.clusters is not None and report.tables:
        first = len(blocks) - len(report.tables)
        width = len(blocks[first].partition("\n")[0])
        blocks[first] = f"{report.adjusted_for:>{width}}\n{blocks[first]}"
    if report.constraints:
        lines = "\n".join(textwrap.fill(line, WIDTH, subsequent_indent=" " * 7) for line in report.numbered_constraints)
        first = len(blocks) - len(report.tables)
        # Directly above the rule of the table that they are about; without that table a block of their own.
        attached = bool(report.tables) and report.tables[0].name == "fixed"
        blocks[first : first + attached] = [lines + "\n" + blocks[first] if attached else lines]
    if report.linear_test is not None:
        line = _linear_test(report.linear_test)
        if any(table.name == "random" or any(s.kind == "equation" for s in table.sections) for table in report.tables):
            blocks[-1] += "\n" + line  # directly under the rule of the table it belongs to
        else:
            blocks.append(line)
    blocks += [textwrap.fill(note, WIDTH, subsequent_indent="      ") for note in report.notes]
    return printable("\n\n".join(blocks))


def _filled(line: str) -> str:
    """A line of the preamble, a note in lines of the usual width."""
    return textwrap.fill(line, WIDTH, subsequent_indent="      ") if line.startswith("Note: ") else line


def _header(report: Report) -> str:
    """Title and numbers, label = value in two aligned columns that end at the right margin."""
    entries = (*report.entries, *report.group_entries, *report.dof_entries, *report.test_entries)
    texts = [written(e.value, e.kind) for e in entries if e.kind]
    label_width, value_width = max(len(e.label) for e in entries), max(map(len, texts))

    def right(entry: Entry) -> str:
        if not entry.kind:
            return f"{entry.label:<{label_width + 3 + value_width}}"
        small = entry.label in ("min", "avg", "max")
        label = f"{entry.label:>{label_width - len(entry.lead)}}" if small else f"{entry.label:<{label_width}}"
        label = entry.lead + label
        return f"{label} = {written(entry.value, entry.kind):>{value_width}}"

    lefts = [report.title, *[""] * (len(entries) - 1)]
    if report.group_variable:
        lefts[len(report.entries)] = f"Group variable: {report.group_variable}"
    if report.dof_method:
        lefts[len(report.entries) + len(report.group_entries)] = f"DF method: {report.dof_method}"
    criterion = report.criterion
    if criterion is not None:
        lefts[-1] = f"{criterion.label} = {written(criterion.value, criterion.kind):>10}"
    lines = [_both_ends(left, right(entry)) for left, entry in zip(lefts, entries, strict=True)]
    if report.groups is not None:
        lines[1:1] = ["", *_groups(report.groups), ""]
    return "\n".join(lines)


def _both_ends(left: str, right: str) -> str:
    """Text at the left margin and text at the right one, at least two blanks apart."""
    return (left + " " * max(WIDTH - len(left) - len(right), 2) + right).rstrip()


def _groups(table: Table) -> list[str]:
    """The levels, indented by eight."""
    members = table.sections[0].rows
    cells = [[c.written(v) for v, c in zip(row.values, table.columns, strict=True)] for row in members]
    width, cell = max(15, *(len(row.label) for row in members)), max(11, *(len(text) + 1 for row in cells for text in row))
    rule = "-" * (width + 2 + 4 * cell)
    heads = "".join(f"{head:>{cell}}" for head in ("groups", "Minimum", "Average", "Maximum"))
    lines = [
        "Grouping information",
        rule,
        f"{'':>{width}} |{'No. of':>{cell}}{'Observations per group':>{3 * cell - 4}}",
        f"{table.stub:>{width}} |{heads}",
        "-" * (width + 1) + "+" + "-" * (4 * cell),
    ]
    for row, texts in zip(members, cells, strict=True):
        lines.append(f"{row.label:>{width}} |" + "".join(f"{text:>{cell}}" for text in texts))
    return [" " * 8 + line for line in (*lines, rule)]


def _table(table: Table) -> str:
    """A table of estimates between rules."""
    cells, heading = _layout(table)
    stub = stub_width(table)
    body = sum(cells)
    rule, middle = "-" * (stub + 2 + body), "-" * (stub + 1) + "+" + "-" * body
    if table.columns[-1].kind == "limit":
        heading += f"{table.columns[-2].title:>{body - len(heading)}}"
    head = table.stub if table.layout.stretch else abbreviated(table.stub, stub)
    label = f"{head:>{stub}} " if table.name == "fixed" else f"  {table.stub:<{stub - 1}}"
    lines = [rule, *_above(table, stub), f"{label}|{heading}", middle]
    for i, section in enumerate(table.sections):
        if i and section.kind == "equation":
            lines.append(middle)
        elif i and not table.layout.squish and _apart(table.sections[i - 1], section):
            lines.append(" " * (stub + 1) + "|")
        lines += _section_lines(section, table, stub)
    return "\n".join([*lines, rule])


def _layout(table: Table) -> tuple[tuple[int, ...], str]:
    """Widths of the cells and the heading without the limits'."""
    cells, heading = LAYOUTS[" ".join(column.kind for column in table.columns)]
    if _qualifier(table):
        heading = heading.replace("Std. err.", "std. err.")
    statistic = next((c.title for c in table.columns if c.kind == "statistic"), "")
    return cells, heading.format(statistic, ESTIMATES[table.columns[0].title])


def _qualifier(table: Table) -> str:
    """What kind of standard errors a table has, `Robust`; empty for ordinary ones."""
    return next((c.title for c in table.columns if c.kind == "std_err"), STD_ERR)[: -len(STD_ERR)].rstrip()


def _above(table: Table, stub: int) -> list[str]:
    """The kind of standard errors on a line of its own, centred above their heading."""
    kind, place = _qualifier(table), _layout(table)[1].lower().find(STD_ERR)
    return [f"{'':{stub + 1}}|{'':{place}}{kind:^{len(STD_ERR)}}".rstrip()] if kind else []


def _apart(before: Section, after: Section) -> bool:
    """Whether a blank line parts two sections of coefficients.

    One stands before every factor, around every interaction and the lags of a variable, and after a factor that shows several
    levels.
    """
    if after.kind != "variable" or before.kind in ("interaction", "lags"):
        return True
    return before.kind == "factor" and len(before.rows) > 1


def _section_lines(section: Section, table: Table, stub: int) -> list[str]:
    lines = []
    if section.title and section.kind == "equation":
        lines += [f"{line:<{stub + 1}}|" for line in equation_lines(section.title)]
    elif section.title:
        lines += _names(title_lines(section.title, stub, table), stub)
    level = bool(section.title) and section.kind not in ("equation", "lags")
    for row in section.rows:
        labels = label_lines(row.label, level, stub, table)
        labels = [f"{label:>{stub - 1}}  |" for label in labels] if level else _names(labels, stub)
        lines += [*labels[:-1], labels[-1] + _row_cells(row, table)]
    return lines


def _names(labels: list[str], stub: int) -> list[str]:
    """Names before the bar; lines that the next one continues reach it."""
    return [*(f"{label:>{stub + 1}}|" for label in labels[:-1]), f"{labels[-1]:>{stub}} |"]


def _row_cells(row: Row, table: Table) -> str:
    cells = _layout(table)[0]
    texts = [c.written(v) for v, c in zip(row.values, table.columns, strict=False)]
    return "".join(f"{t:>{w}}" for t, w in zip(texts, cells, strict=False)) + (f"  {row.remark}" if row.remark else "")


def _linear_test(test: TestResult) -> str:
    left = f"{test.title}: {test.label} = {fixed(test.statistic, 2)}"
    return _both_ends(left, f"{test.tail} = {fixed(test.pvalue, 4)}")
