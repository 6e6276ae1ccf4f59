"""The table of variance parameters: one section per equation as typed, the residual last."""

from __future__ import annotations

from sparsemixed.estimation.fit import Component, Fit
from sparsemixed.inference.covariance.sandwich import is_robust
from sparsemixed.inference.intervals import Interval, component_intervals
from sparsemixed.reporting.document import Column, Row, Section, Table
from sparsemixed.reporting.tables.columns import limit_columns
from sparsemixed.reporting.tables.titles import std_err_heading
from sparsemixed.spec import DisplayOptions


def random_table(fit: Fit, options: DisplayOptions) -> Table:
    """Variances and covariances, or standard deviations and correlations, with limits."""
    columns = (
        Column("Estimate", "estimate", options.cformat),
        Column(std_err_heading(fit.spec.vce.name if is_robust(fit) else "oim"), "std_err", options.cformat),
        *(() if options.noci else limit_columns(options)),
    )
    found = component_intervals(fit, options.level, options.stddeviations)
    return Table("random", "Random-effects parameters", columns, _sections(fit, found, len(columns)))


def _sections(fit: Fit, found: list[tuple[Component, tuple[Interval, ...]]], width: int) -> tuple[Section, ...]:
    """One section per equation typed, the residuals' last."""

    sections = {
        component.position: Section(own[0].parameter.equation, tuple(_row(one, width) for one in own), "equation")
        for component, own in found
    }
    for position, equation in enumerate(fit.spec.random):
        sections.setdefault(position, Section(f"{equation.label}: (empty)", (), "equation"))
    return tuple(sections[position] for position in (*range(len(fit.spec.random)), None))


def _row(found: Interval, width: int) -> Row:
    """The first `width` numbers."""
    return Row(found.parameter.label, (found.parameter.estimate, found.std_err, found.low, found.high)[:width])
