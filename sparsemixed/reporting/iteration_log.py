"""The iteration log in Stata's words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.reporting.number_format import general, written
from sparsemixed.reporting.tables.titles import searched_criterion
from sparsemixed.spec import DisplayOptions

DETAILS = ("emlog", "emdots", "trace", "gradient", "hessian", "showstep", "showtolerance")
"""Display options that only the log shows: any of them asks for it."""
DOTS = 50
"""EM iterations on a line of dots."""
ACROSS = 5
"""Parameters beside each other."""
LABEL, CELL = 15, 12
"""Widths of the labels and the numbers of a table of parameters."""


def iteration_log(fit: Fit, options: DisplayOptions) -> str:
    """The stages of estimation, as far as they took place; empty where nothing of them is asked for."""
    if not (any(getattr(options, name) for name in DETAILS) if options.log is None else options.log):
        return ""
    blocks = []
    if len(fit.em_log) > 1:
        blocks.append("\n".join(["Performing EM optimization ...", *_em_lines(fit, options)]))
    if fit.log:
        blocks.append("\n".join(["Performing gradient-based optimization: ", *_search_lines(fit, options)]).rstrip("\n"))
    if fit.information is not None and len(fit.theta):
        blocks.append("Computing standard errors ...")
    return "\n\n".join(blocks)


def iteration_line(entry: LogEntry, criterion: str) -> str:
    """One iteration: number, log likelihood, and whether the step was refused."""
    number = f"Iteration {entry.iteration}:"
    remark = "(backed up)" if entry.backed_up else ""
    return f"{number:<13} {criterion} = {written(entry.llf, 'criterion'):>10}  {remark}"


def _em_lines(fit: Fit, options: DisplayOptions) -> Iterator[str]:
    if options.emdots:
        n = len(fit.em_log) - 1
        for start in range(0, n, DOTS):
            dots = "." * min(DOTS, n - start)
            yield f"{dots}{start + DOTS:>6}" if len(dots) == DOTS else dots
    elif options.emlog or fit.spec.estimation.emonly:
        yield from (iteration_line(entry, searched_criterion(fit.spec)) for entry in fit.em_log)


def _search_lines(fit: Fit, options: DisplayOptions) -> Iterator[str]:
    names, technique = parameter_names(fit), "nr"
    for entry in fit.log:
        if entry.technique and entry.technique != technique:
            technique = entry.technique
            yield f"({'switching' if entry.iteration else 'setting'} technique to {technique})"
        yield iteration_line(entry, searched_criterion(fit.spec))
        yield from _details(entry, fit, names, options)


def _details(entry: LogEntry, fit: Fit, names: list[str], options: DisplayOptions) -> Iterator[str]:
    """What is asked for beyond the line of an iteration, indented, with an empty line after it."""
    lines = []
    if options.showstep and np.isfinite(entry.step):
        refused = ", ".join(map(general, entry.refused))
        lines.append(f"Scaled step: {f'{refused} refused, ' if refused else ''}{general(entry.step)} taken")
    if len(entry.theta):
        rows = []
        if options.trace:
            rows.append(("parameters", entry.theta))
        if options.gradient:
            rows.append(("gradient", entry.score))
        if options.hessian:
            rows += [(f"-H {name}", row) for name, row in zip(names, entry.information, strict=True)]
        lines += _table(names, rows)
    if options.showtolerance and entry.technique:
        limits = fit.spec.estimation
        lines.append(f"nrtolerance: {_against(entry.decrement, entry.nrtolerance)}")
        lines.append(f"tolerance:   {_against(entry.step, limits.tolerance)}")
        lines.append(f"ltolerance:  {_against(entry.change, limits.ltolerance)}")
    yield from (f"  {line}" for line in lines)
    if lines:
        yield ""


def _against(value: float, limit: float) -> str:
    """What was reached, and what is asked for; a point where there is nothing."""
    found = f"{value:.2e}" if np.isfinite(value) else "."
    return f"{found:>8}  ({'off' if np.isnan(limit) else f'limit {limit:g}'})"


def _table(names: list[str], rows: list[tuple[str, np.ndarray]]) -> Iterator[str]:
    """Rows of numbers under the parameters' names, as many panels under each other as it takes."""
    for start in range(0, len(names) if rows else 0, ACROSS):
        part = slice(start, start + ACROSS)
        yield " " * LABEL + " |" + "".join(f"{name[-CELL + 1 :]:>{CELL}}" for name in names[part])
        for label, values in rows:
            yield f"{label[-LABEL:]:>{LABEL}} |" + "".join(f"{general(value):>{CELL}}" for value in values[part])


def parameter_names(fit: Fit) -> list[str]:
    """One name for each parameter of the search: the equation of its block, and its number among those of the equation."""
    equations = [block.equation for term in fit.design.random for block in term.blocks for _ in range(block.structure.n_theta)]
    equations += ["Residual"] * (len(fit.theta) - len(equations))
    return [f"{equation}:{equations[: i + 1].count(equation)}" for i, equation in enumerate(equations)]
