"""The iteration log in Stata's words."""

from __future__ import annotations

from sparsemixed.estimation.fit import Fit, LogEntry
from sparsemixed.reporting.number_format import written


def criterion_name(method: str) -> str:
    """What is maximised, as printed."""
    return "Log restricted-likelihood" if method == "reml" else "Log likelihood"


def iteration_line(entry: LogEntry, method: str) -> str:
    """One iteration: number, log likelihood, and whether the step was refused."""
    number = f"Iteration {entry.iteration}:"
    remark = "(backed up)" if entry.backed_up else ""
    return f"{number:<13} {criterion_name(method)} = {written(entry.llf, 'criterion'):>10}  {remark}"


def iteration_log(fit: Fit) -> str:
    """The three stages of estimation, as far as they took place."""
    blocks = []
    if fit.em_log:
        blocks.append("Performing EM optimization ...")
    if fit.log:
        lines = [iteration_line(entry, fit.spec.estimation.method) for entry in fit.log]
        blocks.append("\n".join(["Performing gradient-based optimization: ", *lines]))
    if fit.information is not None and len(fit.theta):
        blocks.append("Computing standard errors ...")
    return "\n\n".join(blocks)
