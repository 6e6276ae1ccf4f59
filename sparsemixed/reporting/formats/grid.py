"""A grid of texts under column heads, in titled blocks, with notes: written as text, Markdown, LaTeX or HTML."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape

from sparsemixed.errors import printable
from sparsemixed.reporting.formats.latex import latex_escape
from sparsemixed.reporting.formats.markdown import INDENT, markdown_escape, markdown_table


@dataclass(frozen=True)
class Block:
    """Rows of texts, each with its label first; an empty title is not written."""

    title: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Grid:
    """`heads` are lines of texts over the columns, the stub's first."""

    heads: tuple[tuple[str, ...], ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()


def grid_text(grid: Grid) -> str:
    """Aligned columns between rules."""
    lines = [*grid.heads, *(row for block in grid.blocks for row in _labelled(block, "  "))]
    places = range(1, len(grid.heads[0]))
    stub = max(len(line[0]) for line in lines)
    cells = {i: [_stars_apart(line[i]) for line in lines if i < len(line)] for i in places}
    numbers = {i: max(len(number) for number, _ in cells[i]) for i in places}
    marks = {i: max(len(stars) for _, stars in cells[i]) for i in places}

    def aligned(line: tuple[str, ...]) -> str:
        texts = [(i, *_stars_apart(cell)) for i, cell in enumerate(line[1:], start=1)]
        return "  ".join([f"{line[0]:<{stub}}", *(f"{n:>{numbers[i]}}{s:<{marks[i]}}" for i, n, s in texts)]).rstrip()

    rule = "-" * (stub + sum(2 + numbers[i] + marks[i] for i in places))
    parts = [rule, *map(aligned, grid.heads)]
    for block in grid.blocks:
        parts += [rule, *map(aligned, _labelled(block, "  "))]
    notes = [textwrap.fill(note, max(len(rule), 60), subsequent_indent="      ") for note in grid.notes]
    return printable("\n".join([*parts, rule, *notes]))


def _stars_apart(text: str) -> tuple[str, str]:
    """A number, and the stars after it."""
    number = text.rstrip("*")
    return number, text[len(number) :]


def grid_markdown(grid: Grid) -> str:
    """A table of GitHub's Markdown; further lines of heads are rows."""
    first, *others = [[markdown_escape(text) for text in head] for head in grid.heads]
    rows = list(others)
    for block in grid.blocks:
        if block.title:
            rows.append([f"**{markdown_escape(block.title)}**", *[""] * (len(first) - 1)])
        lead = INDENT if block.title else ""
        rows += [[lead + markdown_escape(row[0]), *map(markdown_escape, row[1:])] for row in block.rows]
    return printable("\n\n".join([markdown_table(first, rows), *map(markdown_escape, grid.notes)]))


def grid_latex(grid: Grid) -> str:
    """A tabular for the package booktabs; notes below."""
    k = len(grid.heads[0])
    lines = [rf"\begin{{tabular}}{{l{'r' * (k - 1)}}}", r"\toprule"]
    lines += [" & ".join(map(latex_escape, head)) + r" \\" for head in grid.heads]
    for block in grid.blocks:
        lines.append(r"\midrule")
        if block.title:
            lines.append(rf"\multicolumn{{{k}}}{{l}}{{{latex_escape(block.title)}}} \\")
        lead = r"\quad " if block.title else ""
        lines += [" & ".join([lead + latex_escape(row[0]), *map(_latex_number, row[1:])]) + r" \\" for row in block.rows]
    return "\n\n".join(["\n".join([*lines, r"\bottomrule", r"\end{tabular}"]), *map(latex_escape, grid.notes)])


def _latex_number(text: str) -> str:
    """A hyphen before or inside a number is a minus sign; stars are raised."""
    number, stars = _stars_apart(text)
    return latex_escape(number).replace("-", "$-$") + (f"$^{{{stars}}}$" if stars else "")


def grid_html(grid: Grid) -> str:
    """A table without colours of its own, so that it reads on light and dark pages; rules take the colour of the text."""
    k = len(grid.heads[0])
    heads = "".join("<tr>" + "".join(_cell("th", text, i) for i, text in enumerate(head)) + "</tr>" for head in grid.heads)
    bodies = ""
    for block in grid.blocks:
        title = f'<tr><th colspan="{k}" style="text-align:left">{escape(block.title)}</th></tr>' if block.title else ""
        rows = "".join("<tr>" + "".join(_cell("td", text, i) for i, text in enumerate(row)) + "</tr>" for row in block.rows)
        bodies += f'<tbody style="border-top:1px solid currentColor">{title}{rows}</tbody>'
    notes = "".join(f"<p>{escape(note)}</p>" for note in grid.notes)
    return f'<div class="sparsemixed"><table><thead>{heads}</thead>{bodies}</table>{notes}</div>'


def _cell(tag: str, text: str, place: int) -> str:
    side = "right" if place else "left"
    tag = tag if place else "th"
    return f'<{tag} style="text-align:{side}">{escape(text)}</{tag}>'


def _labelled(block: Block, lead: str) -> list[tuple[str, ...]]:
    """The block's rows under its title, which indents them."""
    if not block.title:
        return list(block.rows)
    return [(block.title,), *((lead + row[0], *row[1:]) for row in block.rows)]
