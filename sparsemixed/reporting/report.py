"""From a fit to everything it prints, as numbers."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.values import Clusters
from sparsemixed.errors import BoundaryWarning, ConvergenceWarning, IdentificationWarning, SparseMixedWarning
from sparsemixed.estimation.fit import Fit, MonteCarlo
from sparsemixed.inference.constrained import fixed_coefficients
from sparsemixed.inference.covariance.vce import theta_covariance
from sparsemixed.inference.degrees.table import coefficient_degrees, degrees_summary, shown_vce, small_sample
from sparsemixed.inference.hypotheses.likelihood_ratio import against_linear_model
from sparsemixed.inference.hypotheses.wald import model_test
from sparsemixed.inference.information.linear_parameters import variances_of_zero
from sparsemixed.reporting.iteration_log import iteration_log
from sparsemixed.reporting.tables.fixed import fixed_table
from sparsemixed.reporting.tables.metric import metric_table
from sparsemixed.reporting.tables.random import long_lists, random_table
from sparsemixed.reporting.tables.table import Column, Entry, Report, Row, Section, Table
from sparsemixed.reporting.tables.titles import criterion_name, title
from sparsemixed.spec import VCE, DisplayOptions


def report(fit: Fit, options: DisplayOptions) -> Report:
    """Everything that `options` leaves to print."""
    header = not options.noheader
    asked, method = fit.spec.small_sample, small_sample(fit, options.small)
    tables = _tables(fit, options)
    grouped = header and not options.nogroup
    rows = fit.design.groups if grouped else ()
    return Report(
        preamble=_preamble(fit, options),
        title=title(fit.spec) if header else "",
        group_variable=rows[0].name if len(rows) == 1 else "",
        entries=(Entry("Number of obs", fit.design.nobs, "count"),) if header else (),
        group_entries=_group_entries(rows[0]) if len(rows) == 1 else (),
        test_entries=_test_entries(fit, options) if header else (),
        criterion=Entry(criterion_name(fit.spec), fit.llf, "criterion") if header else None,
        groups=_groups_table(rows) if len(rows) > 1 else None,
        tables=tuple(tables),
        linear_test=against_linear_model(fit),
        notes=notes(fit, options.small),
        level=options.level,
        dof_method=asked.method.title if method is not None and asked is not None and header else "",
        dof_entries=_dof_entries(fit) if method is not None and header else (),
        constraints=() if options.nocnsreport or fit.design.constraints is None else fit.design.constraints.labels,
        clusters=_clusters(fit, options, tables),
    )


def _tables(fit: Fit, options: DisplayOptions) -> list[Table]:
    """The fixed and the random part, or both in the metric of e(b)."""
    if options.estmetric:
        found = metric_table(fit, options)
        return [found] if found.sections else []
    fixed = [] if options.nofetable or not fit.design.columns else [fixed_table(fit, options)]
    return fixed if options.noretable else [*fixed, random_table(fit, options)]


def _clusters(fit: Fit, options: DisplayOptions, tables: list[Table]) -> Clusters | None:
    """The named clusters that standard errors of some table come from."""
    vce, clusters = shown_vce(fit, options.small), fit.design.clusters
    adjusted = VCE[vce].scores or (VCE[vce].degrees is not None and tables[:1] and tables[0].name == "fixed")
    return clusters if clusters is not None and clusters.name and adjusted else None


def _preamble(fit: Fit, options: DisplayOptions) -> tuple[str, ...]:
    return tuple(filter(None, ("\n".join(fit.design.notes), iteration_log(fit, options))))


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


def _dof_entries(fit: Fit) -> tuple[Entry, ...]:
    """Smallest, average and largest degrees of freedom of the coefficients."""
    assert fit.spec.small_sample is not None
    low, mean, high = degrees_summary(coefficient_degrees(fit, fit.spec.small_sample))
    return Entry("min", low, "ddf", "DF:"), Entry("avg", mean, "ddf"), Entry("max", high, "ddf")


def _test_entries(fit: Fit, options: DisplayOptions) -> tuple[Entry, ...]:
    test = model_test(fit, options.small)
    label = test.label if test.kind == "F" else f"Wald {test.label}"
    return Entry(label, test.statistic, "chi2"), Entry(test.tail, test.pvalue, "probability")


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
    found = [f"({number}) {' '.join(names)}" for number, names in enumerate(long_lists(fit), start=1)]
    if test is not None and test.note:
        found.append(test.note)
    found += [f"Note: {text}" for text in remarks(fit, small)]
    if not fit.converged:
        found.append(f"Warning: Convergence not achieved: {fit.message.rstrip('.')}. The results are not final.")
    return tuple(found)


def remarks(fit: Fit, small: bool | None = None) -> list[str]:
    """What holds of the fit itself, under its tables and in its status."""
    found = []
    if fit.spec.random and not fit.design.random and fit.design.residual is None:
        found.append("all random-effects equations are empty; model is linear regression.")
    group = fit.spec.residual.group
    if group is not None:
        found.append(f"Errors are correlated within the groups of {':'.join(group) or '_all'}.")
    found += [text for text in (boundary_sentence(fit), theta_covariance(fit).note) if text]
    if VCE[shown_vce(fit, small)].degrees is not None:
        found.append("Standard errors of variance parameters are the model's, not cluster-robust.")
    found += _small_sample_notes(fit, small)
    if fit.spec.estimation.emonly and fit.em_log:
        found.append(em_sentence(fit))
    if fit.monte_carlo is not None:
        found.append(monte_carlo_sentence(fit.monte_carlo))
    return found


def _small_sample_notes(fit: Fit, small: bool | None) -> list[str]:
    """What the degrees of freedom leave out."""
    asked = fit.spec.small_sample
    if small_sample(fit, small) is None or asked is None:
        return []
    found, derived = [], asked.method.takes_information
    if derived and asked.information == "oim" and fit.boundary_names:
        found.append("Components on the boundary count as known in the degrees of freedom.")
    elif derived and variances_of_zero(fit):
        found.append("Variances of zero count as known in the degrees of freedom.")
    if np.any(np.isnan(coefficient_degrees(fit, asked)[~fixed_coefficients(fit)])):
        alone = "one cluster alone informs a coefficient"
        why = alone if asked.robust else "the design leaves none, or the information is not definite"
        found.append(f"Some degrees of freedom are not defined: {why}.")
    return found


def status(fit: Fit) -> str:
    """How the fit ended, with advice."""
    steps = "1 iteration" if fit.iterations == 1 else f"{fit.iterations} iterations"
    how = f"converged in {steps}" if fit.converged else f"not converged: {fit.message.rstrip('.')}"
    limit = "emiterate(), leave emonly out" if fit.spec.estimation.emonly else "iterate()"
    advice = "" if fit.converged else f"raise {limit}, or simplify the random part"
    texts = (how, *(text.rstrip(".") for text in remarks(fit)), advice)
    return ". ".join(t for t in texts if t)


def warnings_of(fit: Fit) -> list[tuple[type[SparseMixedWarning], str]]:
    """What whoever uses the numbers must not overlook, by kind."""
    found: list[tuple[type[SparseMixedWarning], str]] = []
    if not fit.converged:
        found.append((ConvergenceWarning, f"convergence not achieved: {fit.message.rstrip('.')}; the results are not final"))
    omitted = [note.removeprefix("note: ").rstrip(".") for note in fit.design.notes if note.endswith(COLLINEAR)]
    if omitted:
        more = f", and {len(omitted) - 5} more" if len(omitted) > 5 else ""
        found.append((IdentificationWarning, "; ".join(omitted[:5]) + more))
    if fit.boundary_names:
        found.append((BoundaryWarning, boundary_sentence(fit).rstrip(".")))
    if theta_covariance(fit).note:
        found.append((IdentificationWarning, theta_covariance(fit).note.rstrip(".")))
    return found
