"""The table of variance parameters: one section per equation as typed, the residual last."""

from __future__ import annotations

from sparsemixed.estimation.fit import Component, Fit
from sparsemixed.inference.covariance.sandwich import is_robust
from sparsemixed.inference.intervals import Interval, component_intervals
from sparsemixed.reporting.document import Column, Row, Section, Table
from sparsemixed.reporting.tables.columns import limit_columns
from sparsemixed.reporting.tables.titles import std_err_heading
from sparsemixed.spec import DisplayOptions, Vce

LONGEST = 22
"""Of a list of effects, so that `var()` around it fits the first column."""


def random_table(fit: Fit, options: DisplayOptions) -> Table:
    """Variances and covariances, or standard deviations and correlations, with limits."""
    columns = (
        Column("Estimate", "estimate", options.cformat),
        Column(std_err_heading(fit.spec.vce.name if is_robust(fit) else Vce().name), "std_err", options.cformat),
        *(() if options.noci else limit_columns(options)),
    )
    parts = component_intervals(fit, options.level, options.stddeviations)
    return Table("random", "Random-effects parameters", columns, _sections(fit, parts, len(columns)))


def _sections(fit: Fit, parts: list[tuple[Component, tuple[Interval, ...]]], width: int) -> tuple[Section, ...]:
    """One section per equation typed, the residuals' last."""
    lists = long_lists(fit)
    sections = {
        component.position: Section(own[0].parameter.equation, tuple(_row(one, width, lists) for one in own), "equation")
        for component, own in parts
    }
    for position, equation in enumerate(fit.spec.random):
        sections.setdefault(position, Section(f"{equation.label}: (empty)", (), "equation"))
    return tuple(sections[position] for position in (*range(len(fit.spec.random)), None))


def long_lists(fit: Fit) -> tuple[tuple[str, ...], ...]:
    """The effects of each equation whose list is too long for the labels that hold it and stands below the tables."""
    lists = []
    for component in fit.components:
        names = () if component.block is None else component.block.names
        whole = " ".join(names)
        if len(names) > 2 and len(whole) > LONGEST and any(whole in parameter.label for parameter in component.variances):
            lists.append(names)
    return tuple(lists)


def _row(interval: Interval, width: int, lists: tuple[tuple[str, ...], ...]) -> Row:
    """The first `width` numbers; a long list of effects is shown by its ends and the number of its footnote."""
    label = interval.parameter.label
    for number, names in enumerate(lists, start=1):
        if (whole := " ".join(names)) in label:
            label = f"{label.replace(whole, f'{names[0]}..{names[-1]}')}({number})"
    return Row(label, (interval.parameter.estimate, interval.std_err, interval.low, interval.high)[:width])
