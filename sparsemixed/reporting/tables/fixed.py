"""The table of coefficients: one section per variable, factor or interaction."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from sparsemixed.design.values import Column as DesignColumn
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import fixed_coefficients
from sparsemixed.inference.degrees.table import shown_vce
from sparsemixed.inference.hypotheses.wald import coefficients
from sparsemixed.reporting.document import Row, Section, Table
from sparsemixed.reporting.number_format import general
from sparsemixed.reporting.tables.columns import coefficient_columns, layout
from sparsemixed.reporting.tables.titles import std_err_heading
from sparsemixed.spec import DisplayOptions
from sparsemixed.time_series import marked, split_name


def fixed_table(fit: Fit, options: DisplayOptions) -> Table:
    """Coefficients with z or t tests; omitted and empty cells, fixed values and base levels, where they are shown, say so."""
    heading = std_err_heading(shown_vce(fit, options.small))
    columns, arrays = coefficient_columns(coefficients(fit, options.level, options.small), options, heading)
    return Table("fixed", fit.spec.response, columns, fixed_sections(fit, options, arrays), layout(options))


def fixed_sections(fit: Fit, options: DisplayOptions, arrays: tuple[np.ndarray, ...], equation: str = "") -> tuple[Section, ...]:
    """The rows of the columns that are shown.

    Parameters
    ----------
    arrays : tuple of (p,) float64
        The numbers of each row.
    equation : str
        Named in legends, where the table has several equations.
    """
    numbers, fixed = iter(zip(*arrays, strict=True)), iter(fixed_coefficients(fit))
    members = []
    for column in fit.design.columns:
        values = (0.0,)
        if column.status == "estimated":
            values = _values(next(numbers), next(fixed))
        if _is_shown(fit, column, options):
            members.append((column, values, _remark(column, values, options, equation)))
    labels = {} if options.nofvlabel else fit.design.value_labels
    by_variable = groupby(members, key=lambda member: _of_series(fit, member[0]) or member[0].term)
    return tuple(section for _, rows in by_variable for section in _sections(fit, list(rows), labels))


Member = tuple[DesignColumn, tuple[float, ...], str]
"""A column that is shown, its numbers and its remark."""


def _of_series(fit: Fit, column: DesignColumn) -> str:
    """The variable whose value at this or another time a column is; empty for factors, interactions and the constant."""
    factors = fit.spec.fixed[column.term].factors if column.term >= 0 else ()
    if len(factors) != 1 or column.cell != (None,):
        return ""
    operated = split_name(factors[0].variable)
    return operated[1] if operated else factors[0].variable


def _sections(fit: Fit, members: list[Member], labels: dict) -> list[Section]:
    """The columns of one term; lags and differences of a variable, and the variable itself beside them, are one section."""
    series = _of_series(fit, members[0][0])
    operators = [split_name(fit.spec.fixed[c.term].factors[0].variable) for c, _, _ in members] if series else []
    if any(operators):
        rows = [Row(o[0].heading if o else "--.", v, text) for o, (_, v, text) in zip(operators, members, strict=True)]
        return [Section(series, tuple(rows), "lags")]
    return [_section(fit, list(rows), labels) for _, rows in groupby(members, key=lambda member: member[0].term)]


def _values(numbers: tuple, fixed: bool) -> tuple[float, ...]:
    """The numbers of a row; of a value that constraints fix the estimate alone."""
    return tuple(map(float, numbers[:1] if fixed else numbers))


def _remark(column: DesignColumn, values: tuple, options: DisplayOptions, equation: str) -> str:
    """What a row says in place of numbers: how to refer to it, or why they are missing."""
    if options.coeflegend:
        return f"_b[{equation}:{column.name}]" if equation else f"_b[{column.name}]"
    if column.status != "estimated":
        return f"({column.status})"
    return "(constrained)" if len(values) == 1 else ""


def _is_shown(fit: Fit, column: DesignColumn, options: DisplayOptions) -> bool:
    """Whether a column has a row; estimated ones always do."""
    if column.status == "omitted":
        return not options.noomitted
    if column.status == "empty":
        return not options.noemptycells
    if column.status == "base":
        return options.allbaselevels or (options.baselevels and not _inferred(fit, column))
    return True


def _inferred(fit: Fit, column: DesignColumn) -> bool:
    """Whether a base cell is one of an interaction whose factors stand in the model on their own, and show their bases there."""
    alone = {term.factors[0].variable for term in fit.spec.fixed if len(term.factors) == 1}
    factors = fit.spec.fixed[column.term].factors
    return len(factors) > 1 and any(factor.variable in alone for factor in factors)


def _section(fit: Fit, members: list[Member], labels: dict) -> Section:
    """The shown columns of one term."""
    first = members[0][0]
    factors = fit.spec.fixed[first.term].factors if first.term >= 0 else ()
    kind = "interaction" if len(factors) > 1 else "variable"
    categorical = [f.variable for f, value in zip(factors, first.cell, strict=False) if value is not None]
    if not categorical:
        return Section("", tuple(Row(_plain_name(c.name), v, remark) for c, v, remark in members), kind)
    if len(factors) == 1 and len(members) == 1 and not labels.get(categorical[0]):
        return Section("", (Row(_plain_name(first.name), *members[0][1:]),), "variable")
    title = "#".join(marked("" if value is not None else "c", f.variable) for f, value in zip(factors, first.cell, strict=True))
    rows = tuple(Row(_cell_label(factors, c.cell, labels), v, remark) for c, v, remark in members)
    return Section(title, rows, "interaction" if len(factors) > 1 else "factor")


def _plain_name(name: str) -> str:
    """A name without the mark of an omitted column, which the remark already tells."""
    return name.removeprefix("o.")


def _cell_label(factors: tuple, cell: tuple, labels: dict) -> str:
    """The levels of a cell: `2`, `2 4`, or value labels, which are joined by # because they may hold blanks."""
    pairs = [(f.variable, value) for f, value in zip(factors, cell, strict=True) if value is not None]
    texts = [_level_label(value, labels.get(variable, {})) for variable, value in pairs]
    return ("#" if any(labels.get(variable) for variable, _ in pairs) else " ").join(texts)


def _level_label(value: object, labels: dict) -> str:
    if value in labels:
        return str(labels[value])
    return general(float(value), 12) if isinstance(value, (int, float)) else str(value)
