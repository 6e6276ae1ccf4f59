"""The table of everything in e(b): coefficients and variance parameters in the metric in which they are stored."""

from __future__ import annotations

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.table import shown_vce
from sparsemixed.inference.estimation_metric import variance_tests
from sparsemixed.inference.hypotheses.wald import coefficients
from sparsemixed.reporting.document import Row, Section, Table
from sparsemixed.reporting.tables.columns import coefficient_columns, layout
from sparsemixed.reporting.tables.fixed import fixed_sections
from sparsemixed.reporting.tables.titles import std_err_heading
from sparsemixed.spec import DisplayOptions


def metric_table(fit: Fit, options: DisplayOptions) -> Table:
    """One section per equation; nofetable leaves out the coefficients' and noretable the others."""
    heading = std_err_heading(shown_vce(fit, options.small))
    columns, arrays = coefficient_columns(coefficients(fit, options.level, options.small), options, heading)
    sections = []
    if not options.nofetable and fit.design.columns:
        sections += [Section(fit.spec.response, (), "equation"), *fixed_sections(fit, options, arrays, fit.spec.response)]
    if not options.noretable:
        names, tests = variance_tests(fit, options.level)
        rows = zip(*coefficient_columns(tests, options, heading)[1], strict=True)
        sections += [
            Section(name, (Row("_cons", tuple(map(float, row)), f"_b[{name}:_cons]" if options.coeflegend else ""),), "equation")
            for name, row in zip(names, rows, strict=True)
        ]
    return Table("fixed", fit.spec.response, columns, tuple(sections), layout(options))
