"""From a fit to everything it prints, as numbers."""

from __future__ import annotations

import dataclasses

from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.intervals import theta_covariance
from sparsemixed.inference.likelihood_ratio import against_linear_model
from sparsemixed.inference.wald import model_test
from sparsemixed.reporting.fixed_table import fixed_table
from sparsemixed.reporting.iteration_log import criterion_name, iteration_log
from sparsemixed.reporting.random_table import random_table
from sparsemixed.reporting.table import Column, Entry, Report, Row, Section, Table
from sparsemixed.spec import DisplayOptions

LATER = (
    *("dftable", "estmetric", "small", "coeflegend", "cformat", "pformat", "sformat", "noci", "nopvalues", "noomitted"),
    *("vsquish", "noemptycells", "baselevels", "allbaselevels", "fvwrap", "fvwrapon", "nolstretch", "nolrtest"),
)
"""Stata's display options that are not carried out yet."""


def display_options(fit: Fit, changes: dict) -> DisplayOptions:
    """The fit's display options with `changes`, checked.

    Raises
    ------
    NotAvailableError
        For an option of Stata's that is known and not carried out yet.
    OptionError
        For an unknown option, or a confidence level out of range.
    """
    known = {field.name for field in dataclasses.fields(DisplayOptions)}
    changes = dict(changes)
    if "variance" in changes:
        changes["stddeviations"] = not changes.pop("variance")
    for name in changes:
        if name in LATER:
            raise NotAvailableError(f"display option {name} is not available yet")
        if name not in known:
            raise OptionError(f"unknown display option {name}; known are {', '.join(sorted(known))}")
    options = dataclasses.replace(fit.spec.display, **changes)
    check_level(options.level)
    return options


def check_level(level: float) -> float:
    """A confidence level in per cent, between 10 and 99.99 as in Stata."""
    if not isinstance(level, (int, float)) or not 10 <= level <= 99.99:
        raise OptionError(f"level({level}) is not a confidence level in per cent; it must lie between 10 and 99.99")
    return float(level)


def report(fit: Fit, options: DisplayOptions) -> Report:
    """Everything that `options` leaves to print."""
    header = not options.noheader
    tables = []
    if not options.nofetable and fit.design.columns:
        tables.append(fixed_table(fit, options.level, not options.nofvlabel))
    if not options.noretable:
        tables.append(random_table(fit, options.level, options.stddeviations))
    grouped = header and not options.nogroup
    rows = fit.design.groups if grouped else ()
    return Report(
        preamble=_preamble(fit, options),
        title=_title(fit) if header else "",
        group_variable=rows[0].name if len(rows) == 1 else "",
        entries=(Entry("Number of obs", len(fit.design.y), "count"),) if header else (),
        group_entries=_group_entries(rows[0]) if len(rows) == 1 else (),
        test_entries=_test_entries(fit) if header else (),
        criterion=Entry(criterion_name(fit.spec.estimation.method), fit.llf, "criterion") if header else None,
        groups=_groups_table(rows) if len(rows) > 1 else None,
        tables=tuple(tables),
        linear_test=against_linear_model(fit),
        notes=notes(fit),
        level=options.level,
    )


def _title(fit: Fit) -> str:
    return f"Mixed-effects {fit.spec.estimation.method.upper()} regression"


def _preamble(fit: Fit, options: DisplayOptions) -> tuple[str, ...]:
    log = iteration_log(fit) if options.log else ""
    return tuple(filter(None, ("\n".join(fit.design.notes), log)))


def _group_entries(row) -> tuple[Entry, ...]:
    return (
        Entry("Number of groups", row.n_groups, "count"),
        Entry("Obs per group:"),
        Entry("min", row.minimum, "count"),
        Entry("avg", row.average, "average"),
        Entry("max", row.maximum, "count"),
    )


def _groups_table(rows) -> Table:
    columns = (Column("No. of groups", "count"), Column("Minimum", "count"), Column("Average", "average"))
    found = tuple(Row(r.name, (r.n_groups, r.minimum, r.average, r.maximum)) for r in rows)
    return Table("groups", "Group variable", (*columns, Column("Maximum", "count")), (Section("", found, "variable"),))


def _test_entries(fit: Fit) -> tuple[Entry, ...]:
    test = model_test(fit)
    return Entry(f"Wald {test.label}", test.statistic, "chi2"), Entry(test.tail, test.pvalue, "probability")


def boundary_sentence(fit: Fit) -> str:
    """Which components lie on the boundary, and what that means; empty when none do."""
    if not fit.boundary_names:
        return ""
    return (
        f"On the boundary of the parameter space: {'; '.join(fit.boundary_names)}. "
        "Standard errors and limits are not defined there; those of the other parameters are computed with it held fixed."
    )


def notes(fit: Fit) -> tuple[str, ...]:
    """What a reader must know after the tables."""
    test = against_linear_model(fit)
    found = []
    if test is not None and test.note:
        found.append(test.note)
    if fit.spec.random and not fit.design.random:
        found.append("Note: all random-effects equations are empty; model is linear regression.")
    found += [f"Note: {text}" for text in (boundary_sentence(fit), theta_covariance(fit).note) if text]
    if not fit.converged:
        found.append(f"Warning: Convergence not achieved: {fit.message.rstrip('.')}. The results are not final.")
    return tuple(found)


def status(fit: Fit) -> str:
    """How the fit ended, with advice."""
    steps = "1 iteration" if fit.iterations == 1 else f"{fit.iterations} iterations"
    how = f"converged in {steps}" if fit.converged else f"not converged: {fit.message.rstrip('.')}"
    advice = "" if fit.converged else "raise iterate(), or simplify the random part"
    texts = (how, boundary_sentence(fit).rstrip("."), theta_covariance(fit).note.rstrip("."), advice)
    return ". ".join(t for t in texts if t)
