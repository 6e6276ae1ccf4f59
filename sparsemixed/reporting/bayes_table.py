"""A posterior as it is shown: priors, how it was computed, and the two tables of `bayes: mixed`."""

from __future__ import annotations

from sparsemixed.bayesian.effect_table import effect_rows
from sparsemixed.bayesian.posterior import Posterior, PosteriorShape
from sparsemixed.bayesian.summary import COLUMNS, Summary, summarise
from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.document import Block, Column, Document, Entry, Header, Note, Row, Section, Table, Verbatim
from sparsemixed.reporting.number_format import percent
from sparsemixed.reporting.report import groups_table

METHODS = {
    "quadrature": "quadrature over the variance parameters, everything else in closed form",
    "sampling": "independent draws of the variance parameters by importance sampling, everything else in closed form",
    "gaussian": "approximate: Gaussian in the variance parameters; coefficients and random effects are exact given these",
    "nuts": "the No-U-turn sampler in the variance parameters, everything else in closed form",
}
LEGEND = 78
"""Width of the lines of priors."""


def bayes_document(posterior: Posterior, shape: PosteriorShape) -> Document:
    """Everything that is printed of a posterior."""
    parameters = posterior.deviations if shape.stddeviations else posterior.variances
    found = summarise(posterior, parameters, shape.level, shape.hpd)
    blocks: list[Block] = [] if shape.noheader else [Verbatim(_priors(posterior)), _header(posterior, shape)]
    blocks.append(_coefficients(posterior.fit, found, shape))
    blocks.append(_random(posterior, parameters.equations, parameters.labels, found, shape))
    if shape.showreffects and posterior.effects:
        blocks.append(_effects(posterior, shape))
    return Document((*blocks, *map(Note, _notes(posterior))))


def _columns(shape: PosteriorShape) -> tuple[Column, ...]:
    kind = "HPD" if shape.hpd else "cred."
    heads = ("Mean", "Std. dev.", "MCSE", "Median", f"[{percent(shape.level)}% {kind} interval]", "")
    kinds = ("estimate", "std_err", "std_err", "estimate", "limit", "limit")
    return tuple(Column(head, kind) for head, kind in zip(heads, kinds, strict=True))


def _values(found: dict, k: int) -> tuple[float, ...]:
    return tuple(float(found[name][k]) for name in COLUMNS)


def _coefficients(fit: Fit, found: Summary, shape: PosteriorShape) -> Table:
    rows = [Row(name, _values(found.coefficients, k)) for k, name in enumerate(fit.design.names)]
    return Table("fixed", fit.spec.response, _columns(shape), (Section("", tuple(rows), "variable"),))


def _random(
    posterior: Posterior, equations: tuple[str, ...], labels: tuple[str, ...], found: Summary, shape: PosteriorShape
) -> Table:
    sections: dict[str, list[Row]] = {}
    for k, (equation, label) in enumerate(zip(equations, labels, strict=True)):
        sections.setdefault(equation, []).append(Row(label, _values(found.parameters, k)))
    made = tuple(Section(title, tuple(rows), "equation") for title, rows in sections.items())
    return Table("random", "Random-effects parameters", _columns(shape), made)


def _effects(posterior: Posterior, shape: PosteriorShape) -> Table:
    sections = tuple(
        Section(title, tuple(Row(label, values) for label, values in rows), "equation")
        for title, rows in effect_rows(posterior, shape.level)
    )
    heads = ("Mean", "Std. dev.", f"[{percent(shape.level)}% cred. interval]", "")
    kinds = ("estimate", "number", "limit", "limit")
    return Table("random", "Random effects", tuple(map(Column, heads, kinds)), sections)


def _priors(posterior: Posterior) -> str:
    lines = ["Priors:"]
    width = max(len(parameters) for parameters, _ in posterior.priors)
    for parameters, prior in posterior.priors:
        shown = parameters if len(parameters) <= LEGEND // 2 else f"{parameters[: LEGEND // 2 - 2]}.."
        lines.append(f"  {shown:<{min(width, LEGEND // 2)}} ~ {prior}")
    return "\n".join(lines)


def _header(posterior: Posterior, shape: PosteriorShape) -> Header:
    fit, settings = posterior.fit, posterior.settings
    levels = () if shape.nogroup else fit.design.groups
    entries = [Entry("Number of obs", fit.design.nobs, "count")]
    if len(levels) == 1:
        row = levels[0]
        entries.append(Entry("Number of groups", row.n_groups, "count"))
    entries.append(Entry("Draws", settings.draws, "count"))
    entries.append(Entry("Effective draws", f"{posterior.ess:,.0f}", "text"))
    if posterior.khat == posterior.khat:
        entries.append(Entry("Pareto k-hat", f"{posterior.khat:.2f}", "text"))
    if posterior.log_marginal == posterior.log_marginal:
        entries.append(Entry("Log marginal-likelihood", posterior.log_marginal, "criterion"))
    return Header("Bayesian multilevel regression", tuple(entries), groups_table(levels) if len(levels) > 1 else None)


def _notes(posterior: Posterior) -> list[str]:
    found = [f"Note: {METHODS[posterior.settings.method]}; seed {posterior.settings.seed}."]
    if posterior.flat and len(posterior.fit.design.names) and posterior.log_marginal == posterior.log_marginal:
        found.append(
            "Note: coefficients have flat priors, so that marginal likelihoods compare models with the same coefficients only."
        )
    return found
