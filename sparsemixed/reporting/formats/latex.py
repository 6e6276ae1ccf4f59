"""The tables of a document as LaTeX tabulars for the package booktabs, with what stands around them in a paper.

The header of a fit and its iteration log are left out: a paper says these things in its own words.
"""

from __future__ import annotations

from sparsemixed.reporting.document import (
    Equations,
    Grid,
    Header,
    Row,
    Table,
    Verbatim,
    stars_apart,
)
from sparsemixed.reporting.formats.renderer import Renderer

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
END = r" \\"


def latex_escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return text.translate(SPECIAL)


class Latex(Renderer):
    """One tabular per table; equations, tests and notes around them."""

    def plain(self, text: str) -> str:
        return latex_escape(text)

    def verbatim(self, block: Verbatim) -> str:
        return ""

    def equations(self, block: Equations) -> str:
        return "\\\\\n".join(map(latex_escape, block.lines))

    def header(self, block: Header) -> str:
        return "" if block.levels is None else self.table(block.levels)

    def table(self, block: Table) -> str:
        heads = [
            latex_escape(title) if span == 1 else rf"\multicolumn{{{span}}}{{c}}{{{latex_escape(title)}}}"
            for title, span in block.headings
        ]
        lines = [" & ".join([latex_escape(block.stub), *heads]) + END, r"\midrule"]
        for section in block.sections:
            lines += [_spanning(section.title, len(block.columns) + 1)] if section.title else []
            lines += [_row(row, block, bool(section.title)) for row in section.rows]
        tabular = _tabular(len(block.columns) + 1, lines)
        return f"{latex_escape(block.caption)}\n\n{tabular}" if block.caption else tabular

    def grid(self, block: Grid) -> str:
        lines = [" & ".join(map(latex_escape, head)) + END for head in block.heads]
        for panel in block.panels:
            lines.append(r"\midrule")
            lines += [_spanning(panel.title, len(block.heads[0]))] if panel.title else []
            lines += [" & ".join([_label(label, bool(panel.title)), *map(_number, texts)]) + END for label, *texts in panel.rows]
        return _tabular(len(block.heads[0]), lines)


def _tabular(columns: int, lines: list[str]) -> str:
    """Lines between the rules at the top and at the bottom; the first of the columns is set to the left."""
    return "\n".join([rf"\begin{{tabular}}{{l{'r' * (columns - 1)}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}"])


def _spanning(title: str, columns: int) -> str:
    return rf"\multicolumn{{{columns}}}{{l}}{{{latex_escape(title)}}}" + END


def _number(text: str) -> str:
    """A hyphen before or inside a number is a minus sign; stars are raised."""
    number, stars = stars_apart(text)
    return latex_escape(number).replace("-", "$-$") + (f"$^{{{stars}}}$" if stars else "")


def _row(row: Row, table: Table, indented: bool) -> str:
    texts = [*map(_number, table.texts(row)), *([latex_escape(row.remark)] if row.remark else [])]
    texts += [""] * (len(table.columns) - len(texts))
    return " & ".join([_label(row.label, indented), *texts]) + END


def _label(text: str, indented: bool) -> str:
    return (r"\quad " if indented else "") + latex_escape(text)
