"""How tables of `estat` are laid out where Stata has a form of its own for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.display import display_options
from sparsemixed.reporting.document import Block, Column, Document, Heading, Row, Section, Table
from sparsemixed.reporting.number_format import percent
from sparsemixed.reporting.report import groups_table, report

About = Mapping[str, Any]


def _plain(fit: Fit, frame: pd.DataFrame, about: About) -> Document:
    """A heading, and a table of all columns by their kinds."""
    kinds, titles = about.get("kinds") or {}, about.get("titles") or {}
    columns = tuple(Column(titles.get(name, str(name)), kinds.get(name, "number")) for name in frame)
    rows = tuple(_row(name, values) for name, values in zip(frame.index, np.asarray(frame, dtype=float), strict=True))
    table = Table("fixed", about.get("stub", ""), columns, (Section("", rows, "variable"),))
    return Document((Heading(about.get("heading", "")), table))


def _row(name: Any, values: np.ndarray) -> Row:
    return Row(str(name), tuple(map(float, values)))


def _limits(level: float) -> tuple[Column, Column]:
    return Column(f"[{percent(level)}% conf. interval]", "limit"), Column("", "limit")


def _icc(fit: Fit, frame: pd.DataFrame, about: About) -> Document:
    columns = (Column("ICC", "estimate"), Column("Std. err.", "std_err"), *_limits(about["level"]))
    rows = tuple(_row(name, values) for name, values in zip(frame.index, frame.to_numpy(), strict=True))
    return Document((Heading(about["heading"]), Table("random", f"{'Level':>26}", columns, (Section("", rows, "variable"),))))


def _group(fit: Fit, frame: pd.DataFrame, about: About) -> Document:
    return Document((groups_table(fit.design.groups),))


def _by_equation(frame: pd.DataFrame, row: Callable[[str, str, np.ndarray], Row]) -> tuple[Section, ...]:
    """Rows of (equation, parameter) under the titles of their equations."""
    sections: dict[str, list[Row]] = {}
    for (equation, label), values in zip(frame.index, frame.to_numpy(), strict=True):
        sections.setdefault(equation, []).append(row(equation, label, values))
    return tuple(Section(title, tuple(rows), "equation") for title, rows in sections.items())


def _deviations(fit: Fit, frame: pd.DataFrame, about: About) -> Document:
    columns = (Column("Estimate", "estimate"), Column("Std. err.", "std_err"), *_limits(about["level"]))
    sections = _by_equation(frame, lambda _, label, values: _row(label, values))
    return Document((Table("random", "Random-effects parameters", columns, sections),))


def _verbose(fit: Fit, frame: pd.DataFrame, about: About) -> Document:
    return report(fit, display_options(fit, {"stddeviations": True, "level": about["level"]}))


def _legend(fit: Fit, frame: pd.DataFrame, about: About) -> Document:
    def row(equation: str, label: str, values: np.ndarray) -> Row:
        return Row(label, (float(values[0]),), f"_b[{equation}:{label}]" if equation else f"_b[{label}]")

    columns = (Column("Estimate", "estimate"), Column("Legend", "legend"))
    return Document((Table("random", "Random-effects parameters", columns, _by_equation(frame, row)),))


def _triangle(frame: pd.DataFrame, stub: str = "", form: str | None = None) -> Table:
    """The lower triangle of a symmetric matrix."""
    columns, values = tuple(Column(str(name), "number", form) for name in frame.columns), frame.to_numpy()
    rows = tuple(_row(name, values[i, : i + 1]) for i, name in enumerate(frame.index))
    return Table("fixed", stub, columns, (Section("", rows, "variable"),))


def _matrices(fit: Fit, frame: pd.DataFrame, about: About) -> Document:
    blocks: list[Block] = []
    for heading, matrix in about["matrices"]:
        blocks += [Heading(heading), _triangle(matrix)]
    return Document(tuple(blocks))


def _within(fit: Fit, frame: pd.DataFrame, about: About) -> Document:
    blocks: list[Block] = [Heading(about["heading"])]
    spread, data = about["within"]["sd"], about["within"]["list"]
    if spread is not None:
        columns = tuple(Column(str(name), "number", "%6.3f") for name in frame.columns)
        table = Table("fixed", "obs", columns, (Section("", (_row("sd", spread),), "variable"),))
        blocks += [Heading("Standard deviations:"), table, Heading("Correlations:")]
    blocks.append(_triangle(frame, "obs", "%6.3f"))
    if data is not None:
        blocks += [Heading("Data:"), *_plain(fit, data, {"stub": "obs"}).blocks[1:]]
    return Document(tuple(blocks))


LAYOUTS: dict[str, Callable[[Fit, pd.DataFrame, About], Document]] = {
    "": _plain,
    "icc": _icc,
    "group": _group,
    "sd": _deviations,
    "verbose": _verbose,
    "legend": _legend,
    "matrices": _matrices,
    "within": _within,
}
"""Name of a layout -> the document of a table; its heading and whatever else it needs are in the table's `attrs`."""
