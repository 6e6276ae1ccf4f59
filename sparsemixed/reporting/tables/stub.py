"""The first column of a table as text: how wide it is, and what becomes of labels that are wider."""

from __future__ import annotations

import textwrap

from sparsemixed.reporting.document import Section, Table

STUBS = {"fixed": 12, "random": 28}
"""Least widths, by the table's name."""


def stub_width(table: Table) -> int:
    """The width of the column of names, which widens for long ones where the layout lets it."""
    if not table.layout.stretch and table.name == "fixed":
        return STUBS[table.name]
    return max(STUBS[table.name], len(table.stub), *(_width(section, table) for section in table.sections), 0)


def _width(section: Section, table: Table) -> int:
    # Levels stand one place further left than names; an equation's title may use the place before the bar.
    inside = 1 if section.title and section.kind not in ("equation", "lags") else 0
    title = max(map(len, equation_lines(section.title))) - 1 if section.kind == "equation" else len(section.title)
    wrapped = inside and table.layout.wrap > 1
    return max([title, *(len(row.label) + inside for row in section.rows if not wrapped)])


def equation_lines(title: str) -> list[str]:
    """`Residual: Independent, by followup` takes two lines."""
    first, by, name = title.partition(", by ")
    return [f"{first},", f"    by {name}"] if by else [title]


def title_lines(title: str, stub: int, table: Table) -> list[str]:
    """A factor's name."""
    return [title] if table.layout.stretch or len(title) <= stub else name_lines(title, stub)


def label_lines(label: str, level: bool, stub: int, table: Table) -> list[str]:
    """The label of a row: of a level of a factor, or a name."""
    layout, width = table.layout, stub - 1 if level else stub
    if len(label) <= width or table.name == "random":
        return [label]
    return wrapped(label, width, layout.wrap, layout.by_word) if level else name_lines(label, width)


def abbreviated(name: str, width: int) -> str:
    """A name with its middle left out.

    Examples
    --------
    >>> abbreviated("displacement", 8), abbreviated("mpg", 8)
    ('displa~t', 'mpg')
    """
    return name if len(name) <= width else f"{name[: width - 2]}~{name[-1]}"


def name_lines(name: str, width: int) -> list[str]:
    """An interaction's name broken after its signs #, each line not wider than `width`.

    Examples
    --------
    >>> name_lines("c.displacement#c.turn", 12)
    ['c.displace~t#', 'c.turn']
    """
    parts = name.split("#")
    pieces = [f"{abbreviated(part, width)}#" for part in parts[:-1]] + [abbreviated(parts[-1], width)]
    lines = pieces[:1]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) <= width:
            lines[-1] += piece
        else:
            lines.append(piece)
    return lines


def wrapped(label: str, width: int, most: int, by_word: bool) -> list[str]:
    """A value label over at most `most` lines; what is left over is cut, which two points tell.

    Examples
    --------
    >>> wrapped("less than high school", 11, 2, True), wrapped("less than high school", 11, 1, True)
    (['less than', 'high school'], ['less than..'])
    """
    if by_word:
        lines = textwrap.wrap(label, width)
    else:
        lines = [label[i : i + width].strip() for i in range(0, len(label), width)]
    if len(lines) <= most:
        return lines
    rest = " ".join(lines[most - 1 :])
    return [*lines[: most - 1], f"{rest[: width - 2].rstrip()}.."]
