"""The table of coefficients: one section per variable, factor or interaction."""

from __future__ import annotations

from itertools import groupby

from sparsemixed.design.values import Column as DesignColumn
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.wald import Coefficients, coefficients
from sparsemixed.reporting.number_format import general, percent
from sparsemixed.reporting.table import Column, Row, Section, Table
from sparsemixed.spec import DisplayOptions


def fixed_table(fit: Fit, options: DisplayOptions) -> Table:
    """Coefficients with z or t tests; reference levels are left out, omitted and empty cells say so."""
    c = coefficients(fit, options.level, options.small)
    columns, arrays = _columns(c, options)
    numbers = iter(zip(*arrays, strict=True))
    values = [tuple(map(float, next(numbers))) if x.status == "estimated" else () for x in fit.design.columns]
    shown = [(x, v) for x, v in zip(fit.design.columns, values, strict=True) if x.status != "base"]
    labels = {} if options.nofvlabel else fit.design.value_labels
    sections = [_section(fit, list(members), labels) for _, members in groupby(shown, key=lambda member: member[0].term)]
    return Table("fixed", fit.spec.response, columns, tuple(sections))


def _columns(c: Coefficients, options: DisplayOptions) -> tuple[tuple[Column, ...], tuple]:
    """Headings and arrays (p,) of the columns that `dftable` asks for; without degrees of freedom it asks for nothing."""
    name = "z" if c.df is None else "t"
    limit = f"[{percent(options.level)}% conf. interval]"
    table = {
        "estimate": (Column("Coefficient", "estimate"), c.estimate),
        "std_err": (Column("Std. err.", "std_err"), c.std_err),
        "df": (Column("DF", "df"), c.df),
        "statistic": (Column(name, "statistic"), c.statistic),
        "pvalue": (Column(f"P>|{name}|", "pvalue"), c.pvalue),
        "low": (Column(limit, "limit"), c.low),
        "high": (Column("", "limit"), c.high),
    }
    wanted = {"ci": ("df", "low", "high"), "pvalue": ("df", "statistic", "pvalue")}
    standard = ("statistic", "pvalue", "low", "high")
    chosen = ("estimate", "std_err", *(standard if c.df is None else wanted.get(options.dftable, standard)))
    return tuple(table[key][0] for key in chosen), tuple(table[key][1] for key in chosen)


def _section(fit: Fit, members: list[tuple[DesignColumn, tuple]], labels: dict) -> Section:
    """The shown columns of one term."""
    first = members[0][0]
    factors = fit.spec.fixed[first.term].factors if first.term >= 0 else ()
    kind = "interaction" if len(factors) > 1 else "variable"
    categorical = [f.variable for f, value in zip(factors, first.cell, strict=False) if value is not None]
    if not categorical:
        return Section("", tuple(_row(c, _plain_name(c.name), v) for c, v in members), kind)
    if len(factors) == 1 and len(members) == 1 and not labels.get(categorical[0]):
        return Section("", (_row(first, _plain_name(first.name), members[0][1]),), "variable")
    title = "#".join(f.variable if value is not None else f"c.{f.variable}" for f, value in zip(factors, first.cell, strict=True))
    rows = tuple(_row(c, _cell_label(factors, c.cell, labels), v) for c, v in members)
    return Section(title, rows, "interaction" if len(factors) > 1 else "factor")


def _row(column: DesignColumn, label: str, values: tuple) -> Row:
    return Row(label, values) if column.status == "estimated" else Row(label, (0.0,), f"({column.status})")


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
