"""A report's tables as LaTeX tabulars for the package booktabs."""

from __future__ import annotations

from sparsemixed.reporting.formats.html import headings, one_line
from sparsemixed.reporting.tables.table import Report, Row, Table

SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)


def latex_escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return text.translate(SPECIAL)


def render_latex(report: Report) -> str:
    """One tabular per table, the test against the linear model and the notes below."""
    parts = [_tabular(report.groups)] if report.groups is not None else []
    parts += ["\\\\\n".join(map(latex_escape, report.numbered_constraints))] if report.constraints else []
    parts += [latex_escape(report.adjusted_for)] if report.clusters is not None else []
    parts += [_tabular(table) for table in report.tables]
    if report.linear_test is not None:
        parts.append(latex_escape(one_line(report.linear_test)))
    parts += [latex_escape(note) for note in report.notes]
    return "\n\n".join(parts)


def _tabular(table: Table) -> str:
    heads = [
        latex_escape(title) if span == 1 else rf"\multicolumn{{{span}}}{{c}}{{{latex_escape(title)}}}"
        for title, span in headings(table)
    ]
    lines = [rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule"]
    lines += [" & ".join([latex_escape(table.stub), *heads]) + r" \\", r"\midrule"]
    for section in table.sections:
        if section.title:
            lines.append(rf"\multicolumn{{{len(table.columns) + 1}}}{{l}}{{{latex_escape(section.title)}}} \\")
        lines += [_row(row, table, bool(section.title)) for row in section.rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _row(row: Row, table: Table, indented: bool) -> str:
    texts = [c.written(v) for v, c in zip(row.values, table.columns, strict=False)]
    if row.remark:
        texts.append(latex_escape(row.remark))
    texts += [""] * (len(table.columns) - len(texts))
    label = (r"\quad " if indented else "") + latex_escape(row.label)
    return " & ".join([label, *(text.replace("-", "$-$") for text in texts)]) + r" \\"
