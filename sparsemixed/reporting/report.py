"""From a fit to the document of everything it prints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.design.values import GroupRow
from sparsemixed.errors import BoundaryWarning, ConvergenceWarning, IdentificationWarning, SparseMixedWarning
from sparsemixed.estimation.fit import Fit, MonteCarlo
from sparsemixed.inference.constrained import fixed_coefficients
from sparsemixed.inference.covariance.vce import information_note, theta_covariance
from sparsemixed.inference.degrees.table import coefficient_degrees, degrees_summary, shown_vce, small_sample
from sparsemixed.inference.hypotheses.likelihood_ratio import against_linear_model
from sparsemixed.inference.hypotheses.wald import model_test
from sparsemixed.inference.information.covariance_entries import variances_of_zero
from sparsemixed.reporting.document import (
    Block,
    Column,
    Document,
    Entry,
    Equations,
    Header,
    Note,
    Row,
    Section,
    Table,
    Verbatim,
)
from sparsemixed.reporting.hypothesis_tests import one_line, statistic_entries
from sparsemixed.reporting.iteration_log import iteration_log
from sparsemixed.reporting.number_format import count
from sparsemixed.reporting.tables.fixed import fixed_table
from sparsemixed.reporting.tables.metric import metric_table
from sparsemixed.reporting.tables.random import long_lists, random_table
from sparsemixed.reporting.tables.titles import criterion_name, title
from sparsemixed.spec import VCE, DisplayOptions


def report(fit: Fit, options: DisplayOptions) -> Document:
    """Everything that `options` leaves to print."""
    tables = _tables(fit, options)
    blocks: list[Block] = [Verbatim(text) for text in _preamble(fit, options)]
    if not options.noheader:
        blocks.append(_header(fit, options))
    if fit.design.constraints is not None and not options.nocnsreport:
        blocks.append(Equations(fit.design.constraints.labels))
        # Directly above the table that they are about; without that table a block of their own.
        tables = [replace(table, joined=table.name == "fixed" and not i) for i, table in enumerate(tables)]
    blocks += tables
    test = against_linear_model(fit)
    if test is not None:
        of_variances = any(table.name == "random" or any(s.kind == "equation" for s in table.sections) for table in tables)
        blocks.append(one_line(test, joined=of_variances))
    return Document((*blocks, *map(Note, notes(fit, options.small))))


def _header(fit: Fit, options: DisplayOptions) -> Header:
    levels = () if options.nogroup else fit.design.groups
    entries = [Entry("Number of obs", fit.design.nobs, "count")]
    if len(levels) == 1:
        entries += group_entries(levels[0])
    asked, method = fit.spec.small_sample, small_sample(fit, options.small)
    if method is not None and asked is not None:
        entries += _dof_entries(fit, asked.method.title)
    entries += _test_entries(fit, options)
    return Header(title(fit.spec), tuple(entries), groups_table(levels) if len(levels) > 1 else None)


def _tables(fit: Fit, options: DisplayOptions) -> list[Table]:
    """The tables of estimates; the first says what its standard errors are adjusted for."""
    found = _estimates(fit, options)
    return [replace(table, caption="" if i else _adjusted_for(fit, options, table)) for i, table in enumerate(found)]


def _estimates(fit: Fit, options: DisplayOptions) -> list[Table]:
    """The fixed and the random part, or both in the metric of e(b)."""
    if options.estmetric:
        table = metric_table(fit, options)
        return [table] if table.sections else []
    fixed = [] if options.nofetable or not fit.design.columns else [fixed_table(fit, options)]
    return fixed if options.noretable else [*fixed, random_table(fit, options)]


def _adjusted_for(fit: Fit, options: DisplayOptions, first: Table) -> str:
    """`(Std. err. adjusted for 148 clusters in id_school)`, above the first table whose standard errors are; or nothing."""
    vce, clusters = shown_vce(fit, options.small), fit.design.clusters
    adjusted = VCE[vce].scores or (VCE[vce].degrees is not None and first.name == "fixed")
    if clusters is None or not clusters.name or not adjusted:
        return ""
    return f"(Std. err. adjusted for {count(clusters.number)} clusters in {clusters.name})"


def _preamble(fit: Fit, options: DisplayOptions) -> tuple[str, ...]:
    return tuple(filter(None, ("\n".join(fit.design.notes), iteration_log(fit, options))))


def group_entries(row: GroupRow) -> tuple[Entry, ...]:
    """The groups of a single level: their number and sizes."""
    above = "Obs per group:"
    return (
        Entry("Number of groups", row.n_groups, "count", beside=Entry("Group variable", row.name, "text")),
        Entry(above),
        Entry("min", row.minimum, "count", f"{above} min"),
        Entry("avg", row.average, "average", f"{above} avg"),
        Entry("max", row.maximum, "count", f"{above} max"),
    )


def groups_table(rows: tuple[GroupRow, ...]) -> Table:
    """The levels of a fit with their groups."""
    columns = (Column("No. of groups", "count"), Column("Minimum", "count"), Column("Average", "average"))
    levels = tuple(Row(r.name, (r.n_groups, r.minimum, r.average, r.maximum)) for r in rows)
    return Table("groups", "Group variable", (*columns, Column("Maximum", "count")), (Section("", levels, "variable"),))


def _dof_entries(fit: Fit, method: str) -> tuple[Entry, ...]:
    """Smallest, average and largest degrees of freedom of the coefficients."""
    assert fit.spec.small_sample is not None
    low, mean, high = degrees_summary(coefficient_degrees(fit, fit.spec.small_sample))
    return (
        Entry("min", low, "ddf", "DF: min", lead="DF:", beside=Entry("DF method", method, "text")),
        Entry("avg", mean, "ddf", "DF: avg"),
        Entry("max", high, "ddf", "DF: max"),
    )


def _test_entries(fit: Fit, options: DisplayOptions) -> tuple[Entry, ...]:
    """The test of the model, beside whose p-value the log likelihood stands."""
    statistic, pvalue = statistic_entries(model_test(fit, options.small), "Wald ")
    return statistic, replace(pvalue, beside=Entry(criterion_name(fit.spec), fit.llf, "criterion"))


COLLINEAR = "omitted because of collinearity."
"""How the note of a column ends that was omitted for the sake of others."""


def boundary_sentence(fit: Fit) -> str:
    """Which components lie on the boundary, and what that means; empty when none do."""
    if not fit.boundary_names:
        return ""
    return (
        f"On the boundary of the parameter space: {'; '.join(fit.boundary_names)}. "
        "Standard errors and limits are not defined there; those of the other parameters are computed with it held fixed."
    )


def identification_sentence(fit: Fit) -> str:
    """Which variance parameters the data cannot tell apart; empty where they can."""
    return "" if fit.identification is None else fit.identification.sentence


def prior_sentence(fit: Fit) -> str:
    """What a penalised likelihood is made of, and what rests on it."""
    asked = fit.spec.estimation.prior
    priors = "; ".join(f"{name} ~ {prior}" for name, prior in asked.own)
    what = criterion_name(fit.spec)[0].lower() + criterion_name(fit.spec)[1:]
    if asked.of_coefficients and fit.spec.estimation.method == "reml":
        of = "has coefficients integrated out over theirs and is without the others"
    else:
        of = "is without them"
    return (
        f"Estimates maximize the likelihood times priors: {priors}. The {what} above {of}; with their log "
        f"density, {fit.log_prior:.7g}, it is {fit.llf + fit.log_prior:.8g}. Standard errors are of the penalized likelihood."
    )


def em_sentence(fit: Fit) -> str:
    """What a fit by EM alone lacks."""
    return (
        "Maximized by EM alone (option emonly), which gives no standard errors of variance parameters. "
        f"Predicted distance from the maximum: {fit.gradient_norm:.2g} in units of the log likelihood."
    )


def monte_carlo_sentence(errors: MonteCarlo) -> str:
    """How far a fit by the iterative solver may be off."""
    likelihood = f"of the log likelihood: {errors.llf_error:.2g}."
    if not errors.probes:
        return f"Solved iteratively, without random probes. Monte Carlo error {likelihood}"
    return (
        f"Solved iteratively ({errors.probes} random probes, seed {errors.seed}). Monte Carlo error of the variance parameters: "
        f"at most {100 * errors.error:.2g} % of a standard error; {likelihood}"
    )


def notes(fit: Fit, small: bool | None = None) -> tuple[str, ...]:
    """What a reader must know after the tables."""
    test = against_linear_model(fit)
    texts = [f"({number}) {' '.join(names)}" for number, names in enumerate(long_lists(fit), start=1)]
    if test is not None and test.note:
        texts.append(test.note)
    texts += [f"Note: {text}" for text in remarks(fit, small)]
    if not fit.converged:
        texts.append(f"Warning: Convergence not achieved: {fit.message.rstrip('.')}. The results are not final.")
    return tuple(texts)


def remarks(fit: Fit, small: bool | None = None) -> list[str]:
    """What holds of the fit itself, under its tables and in its status."""
    texts = []
    if fit.spec.random and not fit.design.random and fit.design.residual is None:
        texts.append("all random-effects equations are empty; model is linear regression.")
    group = fit.spec.residual.group
    if group is not None:
        texts.append(f"Errors are correlated within the groups of {':'.join(group) or '_all'}.")
    if fit.spec.estimation.prior is not None:
        texts.append(prior_sentence(fit))
    whole = boundary_sentence(fit), identification_sentence(fit), theta_covariance(fit).note, fit.lost_digits
    texts += [text for text in whole if text]
    if VCE[shown_vce(fit, small)].degrees is not None:
        texts.append("Standard errors of variance parameters are the model's, not cluster-robust.")
    texts += _small_sample_notes(fit, small)
    if fit.spec.estimation.emonly and fit.em_log:
        texts.append(em_sentence(fit))
    if fit.monte_carlo is not None:
        texts.append(monte_carlo_sentence(fit.monte_carlo))
    return texts


def _small_sample_notes(fit: Fit, small: bool | None) -> list[str]:
    """What the degrees of freedom leave out."""
    option = fit.spec.small_sample
    if small_sample(fit, small) is None or option is None:
        return []
    texts, derived = [], option.method.takes_information
    if derived and variances_of_zero(fit):
        texts.append("Variances of zero count as known in the degrees of freedom.")
    if np.any(np.isnan(coefficient_degrees(fit, option)[~fixed_coefficients(fit)])):
        alone = "one cluster alone informs a coefficient"
        why = alone if option.robust else "the design leaves none, or the information is not definite"
        texts.append(f"Some degrees of freedom are not defined: {why}.")
    return texts


def status(fit: Fit) -> str:
    """How the fit ended, with advice."""
    steps = "1 iteration" if fit.iterations == 1 else f"{fit.iterations} iterations"
    how = f"converged in {steps}" if fit.converged else f"not converged: {fit.message.rstrip('.')}"
    limit = "emiterate(), leave emonly out" if fit.spec.estimation.emonly else "iterate()"
    advice = "" if fit.converged else f"raise {limit}, or simplify the random part"
    texts = (how, *(text.rstrip(".") for text in remarks(fit)), fit.solver_note, advice)
    return ". ".join(t for t in texts if t)


def warnings_of(fit: Fit) -> list[tuple[type[SparseMixedWarning], str]]:
    """What whoever uses the numbers must not overlook, by kind."""
    kinds: list[tuple[type[SparseMixedWarning], str]] = []
    if not fit.converged:
        kinds.append((ConvergenceWarning, f"convergence not achieved: {fit.message.rstrip('.')}; the results are not final"))
    omitted = [note.removeprefix("note: ").rstrip(".") for note in fit.design.notes if note.endswith(COLLINEAR)]
    if omitted:
        more = f", and {len(omitted) - 5} more" if len(omitted) > 5 else ""
        kinds.append((IdentificationWarning, "; ".join(omitted[:5]) + more))
    if fit.boundary_names:
        kinds.append((BoundaryWarning, boundary_sentence(fit).rstrip(".")))
    if fit.identification is not None:
        kinds.append((IdentificationWarning, identification_sentence(fit).rstrip(".")))
    if note := information_note(fit):
        kinds.append((IdentificationWarning, note.rstrip(".")))
    return kinds
