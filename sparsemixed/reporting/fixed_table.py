"""The table of coefficients: one section per variable, factor or interaction."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from sparsemixed.design.values import Column as DesignColumn
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import fixed_coefficients
from sparsemixed.inference.dof_table import shown_vce
from sparsemixed.inference.wald import coefficients
from sparsemixed.reporting.columns import coefficient_columns, layout
from sparsemixed.reporting.number_format import general
from sparsemixed.reporting.table import Row, Section, Table
from sparsemixed.reporting.titles import std_err_heading
from sparsemixed.spec import DisplayOptions
from sparsemixed.time_series import marked


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
    return tuple(_section(fit, list(rows), labels) for _, rows in groupby(members, key=lambda member: member[0].term))


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


def _section(fit: Fit, members: list[tuple[DesignColumn, tuple, str]], labels: dict) -> Section:
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
