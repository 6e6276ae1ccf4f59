"""What the end of a search stands for: a maximum, one without errors, or a likelihood that has none.

Here and nowhere else it is decided that a likelihood has no maximum. Only a search that has not converged can tell, by one of
three signs: the residual variance has gone to zero and there is no model without errors, variances of the errors have, or V has
become singular to rounding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sparsemixed.estimation.ends.error_variances import vanished_errors
from sparsemixed.estimation.ends.values import End, NoMaximum
from sparsemixed.estimation.ends.without_errors import (
    better_without_errors,
    has_run_off,
    limit_without_errors,
    may_run_off,
    obstacle,
    shares_of_rows,
)
from sparsemixed.estimation.interface import FE, FN
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.values import Optimum
from sparsemixed.solver.linalg import has_root

SINGULAR = (
    "the likelihood appears to be unbounded: it rises without end as the covariance matrix of a group's observations becomes "
    "singular. There are too few groups for so many covariance parameters"
)

SINGULAR_INSIDE = (
    "the restricted likelihood has no maximum: it rises to a limit as the covariance matrix of a group's observations becomes "
    "singular in directions that the fixed effects take up. There are too few groups for so many covariance parameters"
)
WITHOUT_VARIANCE = 1e-4
"""Variance of an estimated coefficient of orthonormal columns, over the largest of an observation, that is on its way to none."""


def judged(problem: Problem[FE, FN], end: End[FE, FN], llf: LogLikelihood) -> End[Any, Any]:
    """The end as it is to be reported: with its `no_maximum`, or that of the model without errors in its place.

    Where no deviance was lowered, by EM alone or where the score is all that is known, independent errors are left as they are.
    """
    if problem.case.design.residual is not None:
        return replace(end, no_maximum=_of_errors(problem, end.optimum))
    if problem.plan is None or problem.case.spec.estimation.emonly or problem.objective.prior is not None:
        return end
    return _judged_with_residual_variance(problem, end, llf)


def _judged_with_residual_variance(problem: Problem[FE, FN], end: End[FE, FN], llf: LogLikelihood) -> End[Any, Any]:
    """Of independent errors: what a residual variance of zero would mean is looked at where a search may run after it."""
    design, at, layout = problem.case.design, end.optimum.evaluation, problem.objective.parameters
    vanished = not end.optimum.converged and at.pwrss < problem.vanished
    if not vanished and not may_run_off(design):
        return end
    out_of_reach = obstacle(design, len(problem.case.reduction.orthogonal.residual))
    if out_of_reach and vanished:
        return replace(end, no_maximum=NoMaximum(_unknown(problem, out_of_reach), reportable=False))
    if out_of_reach or not (vanished or has_run_off(design, layout, at.theta)):
        return end
    limit = limit_without_errors(problem, at.theta, llf)
    if limit is not None and limit.optimum.converged:
        return better_without_errors(problem, limit, end, llf) or end
    return replace(end, no_maximum=NoMaximum(_unbounded(problem, at.theta), reportable=False)) if vanished else end


def _unknown(problem: Problem[FE, FN], out_of_reach: str) -> str:
    response = problem.case.spec.response
    return (
        f"the residual variance goes to zero: the random effects fit `{response}` exactly. Is there a group for every "
        f"observation, or a constant response within groups? Whether there is a model without errors is not known {out_of_reach}"
    )


def _unbounded(problem: Problem[FE, FN], theta: np.ndarray) -> str:
    design, response = problem.case.design, problem.case.spec.response
    shares = shares_of_rows(design, problem.objective.parameters, theta)
    largest = max(shares.values())
    named = " and ".join(sorted({design.random[r].blocks[0].equation for r, share in shares.items() if share > 1e-3 * largest}))
    return (
        f"the likelihood is unbounded: the random effects of {named} fit `{response}` exactly, to double precision, "
        f"and it grows without limit as var(Residual) goes to zero. Is `{response}` constant within groups, or determined by "
        "their covariates? Leave these effects out, or analyse one row per group"
    )


def _of_errors(problem: Problem[FE, FN], found: Optimum[FE, FN]) -> NoMaximum | None:
    """Of residual structures: variances that have vanished, named, and a singular V.

    Beside a variance that has vanished nothing may be left of the coefficients' covariance: then there is no fit.
    """
    if found.converged:
        return None
    case, at = problem.case, found.evaluation
    gone, names = vanished_errors(case.spec, case.design, case.reduction.orthogonal, at)
    if names and not has_root(at.sigma2 * at.XVX_inverse):
        return NoMaximum(f"{'; '.join(names)}. Leave these rows out, or simplify the model", tuple(names), gone, reportable=False)
    singular = problem.objective.singular(at.theta)
    if not names and not singular:
        return None
    message = found.message if not singular else SINGULAR_INSIDE if _unseen_by_reml(problem, at) else SINGULAR
    return NoMaximum(message, tuple(names), gone)


def _unseen_by_reml(problem: Problem[FE, FN], at: FE) -> bool:
    """Whether all directions in which V is singular lie in the span of X: there the restricted likelihood stays finite."""
    from sparsemixed.estimation.objectives.patterns import PatternObjective  # delayed for a quick start

    objective = problem.objective
    if not objective.reml or not isinstance(objective, PatternObjective):
        return False
    size = objective.largest_variance(at.theta)
    taken = float((np.linalg.eigvalsh(at.XVX_inverse) < WITHOUT_VARIANCE * size).sum())
    return 0.0 < objective.null_directions(at.theta) <= taken
