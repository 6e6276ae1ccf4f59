"""The table of variance parameters: one section per equation as typed, the residual last."""

from __future__ import annotations

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.estimation_metric import blocks_as_typed
from sparsemixed.inference.intervals import Interval, intervals
from sparsemixed.inference.robust import is_robust
from sparsemixed.reporting.columns import limit_columns
from sparsemixed.reporting.table import Column, Row, Section, Table
from sparsemixed.reporting.titles import std_err_heading
from sparsemixed.spec import DisplayOptions


def random_table(fit: Fit, options: DisplayOptions) -> Table:
    """Variances and covariances, or standard deviations and correlations, with limits."""
    columns = (
        Column("Estimate", "estimate", options.cformat),
        Column(std_err_heading(fit.spec.vce.name if is_robust(fit) else "oim"), "std_err", options.cformat),
        *(() if options.noci else limit_columns(options)),
    )
    found = intervals(fit, options.level, options.stddeviations)
    return Table("random", "Random-effects parameters", columns, _sections(fit, found, len(columns)))


def _sections(fit: Fit, found: tuple[Interval, ...], width: int) -> tuple[Section, ...]:
    """One section per equation; two equations of one level may have the same title, so blocks are counted, not compared."""
    rows = tuple(_row(one, width) for one in found)
    sections, start = [], 0
    blocks = {block.position: block for block in blocks_as_typed(fit)}
    for position, equation in enumerate(fit.spec.random):
        if position not in blocks:
            sections.append(Section(f"{equation.label}: (empty)", (), "equation"))
            continue
        stop = start + blocks[position].structure.n_theta
        sections.append(Section(found[start].parameter.equation, rows[start:stop], "equation"))
        start = stop
    part = fit.design.residual
    return (*sections, Section("" if part is None else part.equation, rows[start:], "equation"))


def _row(found: Interval, width: int) -> Row:
    """The first `width` numbers."""
    return Row(found.parameter.label, (found.parameter.estimate, found.std_err, found.low, found.high)[:width])
