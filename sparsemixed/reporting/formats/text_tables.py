"""Tables and grids as text: columns of fixed width between rules."""

from __future__ import annotations

from sparsemixed.reporting.document import Column, Grid, Panel, Row, Section, Table, stars_apart
from sparsemixed.reporting.tables.stub import abbreviated, equation_lines, label_lines, stub_width, title_lines

STD_ERR, COEFFICIENT = "std. err.", "coefficient"
BELOW = (COEFFICIENT, "estimate")
"""How titles of estimates end that begin on a line above."""
LAYOUTS = {
    "estimate std_err statistic pvalue limit limit": ((11, 11, 9, 8, 13, 12), "{1}  Std. err.      {0}    P>|{0}|"),
    "estimate std_err df statistic pvalue limit limit": (
        (11, 11, 8, 9, 8, 13, 12),
        "{1}  Std. err.      DF      {0}    P>|{0}|",
    ),
    "estimate std_err df statistic pvalue": ((11, 11, 13, 9, 8), "{1}  Std. err.           DF       {0}    P>|{0}|"),
    "estimate std_err df limit limit": ((11, 11, 13, 17, 12), "{1}  Std. err.           DF"),
    "estimate std_err df": ((11, 11, 13), "{1}  Std. err.           DF"),
    "estimate std_err statistic pvalue": ((11, 11, 9, 8), "{1}  Std. err.      {0}    P>|{0}|"),
    "estimate std_err limit limit": ((11, 11, 14, 12), "{1}  Std. err."),
    "estimate std_err": ((11, 11), "{1}  Std. err."),
    "estimate limit limit": ((11, 14, 12), "{1}"),
    "estimate std_err std_err estimate limit limit": ((11, 11, 11, 11, 13, 12), "{1}  Std. dev.       MCSE     Median"),
    "estimate number limit limit": ((11, 11, 14, 12), "{1}  Std. dev."),
    "estimate legend": ((11, 53), "{1}  Legend"),
    "once once once limit limit": ((11, 11, 12, 12, 11), "{1}       Bias   std. err."),
}
"""Kinds of the columns -> widths of their cells, and the heading but the limits'; {0} is the statistic's, {1} the estimate's.

Columns of other kinds are as wide as they need, headed to the right.
"""
ESTIMATES = {
    "Coefficient": " Coefficient",
    "Observed coefficient": " coefficient",
    "Observed estimate": "   estimate ",
    "Estimate": "   Estimate ",
    "Contrast": "   Contrast ",
    "Margin": "     Margin ",
    "ICC": "        ICC ",
    "Mean": "       Mean",
    **{name: f"      {name} " for name in ("dy/dx", "dy/ex", "ey/dx", "ey/ex")},
}
NARROWEST = 11
"""Least width of a cell that has no place in `LAYOUTS`."""


def groups_lines(table: Table) -> list[str]:
    """The levels of a fit, indented by eight."""
    members = table.sections[0].rows
    cells = [table.texts(row) for row in members]
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


def estimates_text(table: Table) -> str:
    """A table of numbers between rules, its labels before a bar."""
    cells, heading = _layout(table)
    stub = stub_width(table)
    body = sum(cells)
    rule, middle = "-" * (stub + 2 + body), "-" * (stub + 1) + "+" + "-" * body
    if table.columns[-1].kind == "limit":
        heading += f"{_parted(table.columns[-2])[1]:>{body - len(heading)}}"
    head = table.stub if table.layout.stretch else abbreviated(table.stub, stub)
    label = f"{head:>{stub}} " if table.name == "fixed" else f"  {table.stub:<{stub - 1}}"
    lines = [rule, *_above(table, stub), f"{label}|{heading}", middle]
    for i, section in enumerate(table.sections):
        if i and section.kind == "equation":
            lines.append(middle)
        elif i and not table.layout.squish and _apart(table.sections[i - 1], section):
            lines.append(" " * (stub + 1) + "|")
        lines += _section_lines(section, table, stub, cells)
    return "\n".join([*([f"{table.caption:>{len(rule)}}"] if table.caption else []), *lines, rule])


def _layout(table: Table) -> tuple[tuple[int, ...], str]:
    """Widths of the cells and the heading without the limits'."""
    kinds = " ".join(column.kind for column in table.columns)
    if kinds not in LAYOUTS:
        return _needed(table)
    cells, heading = LAYOUTS[kinds]
    if _qualifier(table):
        heading = heading.replace("Std. err.", "std. err.")
    statistic = next((c.title for c in table.columns if c.kind == "statistic"), "")
    return cells, heading.format(statistic, ESTIMATES[table.columns[0].title])


def _needed(table: Table) -> tuple[tuple[int, ...], str]:
    """The same for columns without places of their own."""
    titles = [_parted(column)[1] for column in table.columns]
    texts = [titles, *(table.texts(row) for s in table.sections for row in s.rows)]
    widths = [max(len(line[i]) for line in texts if i < len(line)) for i in range(len(table.columns))]
    cells = tuple(max(NARROWEST, width + 2) for width in widths)
    head = [f"{title:>{cell}}" for title, cell in zip(titles, cells, strict=True)]
    return cells, "".join(text for text, column in zip(head, table.columns, strict=True) if column.kind != "limit")


def _qualifier(table: Table) -> str:
    """What kind of standard errors a table has, `Robust`; empty for ordinary ones."""
    return next((_parted(c)[0] for c in table.columns if c.kind == "std_err"), "")


PARTED = {"std_err": STD_ERR, "pvalue": "P>|", "limit": "[", "count": "comparisons"}
"""Kind of a column -> how the line of headings goes on below what its title has before that."""


def _parted(column: Column) -> tuple[str, str]:
    """What of a column's title stands on a line above, and what below: `Unadjusted` and `P>|z|`."""
    ending = next((one for one in BELOW if column.title.endswith(one)), None)
    word = ending or (STD_ERR if column.kind == "once" else PARTED.get(column.kind))
    start = column.title.find(word) if word is not None else 0
    return column.title[: max(start, 0)].rstrip(), column.title[max(start, 0) :]


def _above(table: Table, stub: int) -> list[str]:
    """What the columns' titles begin with, on a line of its own: each centred above the rest of its heading."""
    cells, heading = _layout(table)
    body, line = sum(cells), ""
    for column in table.columns:
        kind, rest = _parted(column)
        if not kind:
            continue
        if rest == STD_ERR:
            place = heading.lower().find(STD_ERR) - max(0, (len(kind) - len(STD_ERR) + 1) // 2)  # a longer one stands out
            text = f"{kind:^{len(STD_ERR)}}"
        elif rest in BELOW:
            place, text = heading.find(rest) + (len(rest) - len(kind) + 1) // 2, kind
        elif column.kind == "pvalue":
            place, text = heading.find("P>|") - 6, f"{kind:^10}"  # over statistic and p-value, ten places that end alike
        elif column.kind == "limit":
            place, text = body - len(rest) + (len(rest) - 10) // 2, f"{kind:^10}"
        else:
            place, text = body - len(kind), kind
        line = f"{line:<{place}}{text}"
    return [f"{'':{stub + 1}}|{line}".rstrip()] if line else []


def _apart(before: Section, after: Section) -> bool:
    """Whether a blank line parts two sections of coefficients.

    One stands before every factor, around every interaction and the lags of a variable, and after a factor that shows several
    levels.
    """
    if after.kind != "variable" or before.kind in ("interaction", "lags"):
        return True
    return before.kind == "factor" and len(before.rows) > 1


def _section_lines(section: Section, table: Table, stub: int, cells: tuple[int, ...]) -> list[str]:
    lines = []
    if section.title and section.kind == "equation":
        lines += [f"{line:<{stub + 1}}|" for line in equation_lines(section.title)]
    elif section.title:
        lines += _names(title_lines(section.title, stub, table), stub)
    level = bool(section.title) and section.kind not in ("equation", "lags")
    for row in section.rows:
        labels = label_lines(row.label, level, stub, table)
        labels = [f"{label:>{stub - 1}}  |" for label in labels] if level else _names(labels, stub)
        lines += [*labels[:-1], labels[-1] + _row_cells(row, table, cells)]
    return lines


def _names(labels: list[str], stub: int) -> list[str]:
    """Names before the bar; lines that the next one continues reach it."""
    return [*(f"{label:>{stub + 1}}|" for label in labels[:-1]), f"{labels[-1]:>{stub}} |"]


def _row_cells(row: Row, table: Table, cells: tuple[int, ...]) -> str:
    texts = zip(table.texts(row), cells, strict=False)
    return "".join(f"{text:>{width}}" for text, width in texts) + (f"  {row.remark}" if row.remark else "")


def grid_text(grid: Grid) -> str:
    """Aligned columns between rules."""
    lines = [*grid.heads, *(row for panel in grid.panels for row in _labelled(panel))]
    places = range(1, len(grid.heads[0]))
    stub = max(len(line[0]) for line in lines)
    cells = {i: [stars_apart(line[i]) for line in lines if i < len(line)] for i in places}
    numbers = {i: max(len(number) for number, _ in cells[i]) for i in places}
    marks = {i: max(len(stars) for _, stars in cells[i]) for i in places}

    def aligned(line: tuple[str, ...]) -> str:
        texts = [(i, *stars_apart(cell)) for i, cell in enumerate(line[1:], start=1)]
        return "  ".join([f"{line[0]:<{stub}}", *(f"{n:>{numbers[i]}}{s:<{marks[i]}}" for i, n, s in texts)]).rstrip()

    rule = "-" * (stub + sum(2 + numbers[i] + marks[i] for i in places))
    parts = [rule, *map(aligned, grid.heads)]
    for panel in grid.panels:
        parts += [rule, *map(aligned, _labelled(panel))]
    return "\n".join([*parts, rule])


def _labelled(panel: Panel) -> list[tuple[str, ...]]:
    """The panel's rows under its title, which indents them."""
    if not panel.title:
        return list(panel.rows)
    return [(panel.title,), *((f"  {label}", *texts) for label, *texts in panel.rows)]
