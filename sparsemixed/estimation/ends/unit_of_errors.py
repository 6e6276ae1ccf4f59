"""Errors by level whose unit, the level of which sigma2 is the variance, has next to none: another level becomes the unit.

All parameters are relative to sigma2. Where it runs to zero they run to infinity together, along a valley that is curved in all
of them, and a search crawls. Relative to the largest variance one of them runs to zero, and everything else stands still.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sparsemixed.estimation.ends.second_search import better
from sparsemixed.estimation.ends.values import End, following
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import LogEntry, Progress
from sparsemixed.estimation.trial import evaluated

SMALL = 0.03
"""Standard deviation of the unit, over the largest, below which that of another level takes its place."""


def with_largest_unit(
    problem: Problem[Any, Any], end: End[Any, Any], llf: LogLikelihood, progress: Progress | None = None
) -> tuple[Problem[Any, Any], End[Any, Any]]:
    """The problem and the end of a search relative to the largest of the errors' variances; both as given if that is no better.

    Parameters
    ----------
    progress : callable, optional
        Called with every entry of the search's log, its iterations counted on.
    """
    part, case = problem.case.design.residual, problem.case
    if part is None or problem.plan is None or case.spec.estimation.emonly:
        return problem, end
    theta, rho = np.split(end.optimum.evaluation.theta, [problem.objective.parameters.n_theta])
    scales = part.structure.scales(rho)
    unit = int(np.argmax(scales))
    if scales[unit] < -np.log(SMALL):
        return problem, end

    def shown(entry: LogEntry) -> None:
        if progress:
            progress(following(entry, end.log))

    structure, moved = part.structure.with_unit(unit, rho)
    design = replace(case.design, residual=replace(part, structure=structure))
    other = choose_problem(case.spec, design, case.reduction)
    start = evaluated(other.objective, np.append(theta * np.exp(-scales[unit]), moved))
    if start is None or other.plan is None:
        return problem, end
    found = minimize(other.objective, start, other.plan, llf, shown)
    return (other, End(other.objective, found, end.log)) if better(found, end.optimum) else (problem, end)
