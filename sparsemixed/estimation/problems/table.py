"""The one table of problems: which objective serves a design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import NotAvailableError, SlowConvergenceError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.problems.penalized import penalized_problem
from sparsemixed.estimation.problems.penalties import refuse_penalty
from sparsemixed.estimation.problems.solvers import factored_instead, solver_for
from sparsemixed.estimation.problems.values import Case, Problem
from sparsemixed.estimation.sources.reduction import Reduction
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.spec import ModelSpec

SAME_BASIS = 1e-6
"""Difference of two orthonormal bases of a structure's parameters that is rounding of the sums that they come from."""


class Kind(NamedTuple):
    """A row of the table: whether it serves a case, and the problem that it makes of one."""

    applies: Callable[[Case], bool]
    build: Callable[[Case], Problem[Any, Any]]


def linear_problem(case: Case) -> Problem[Any, Any]:
    """The linear model, known in closed form."""
    refuse_penalty(case, "is about random effects, and the model has none")
    return Problem(case)


def _patterns_serve(case: Case) -> bool:
    if case.design.residual is None:
        return False
    from sparsemixed.estimation.problems.residual import (
        by_patterns,  # delayed, with what it needs, for a quick start, as all below
    )

    return by_patterns(case)


def _patterns_problem(case: Case) -> Problem[Any, Any]:
    from sparsemixed.estimation.problems.residual import patterns_problem

    return patterns_problem(case)


def _precision_problem(case: Case) -> Problem[Any, Any]:
    from sparsemixed.estimation.problems.residual import precision_problem

    return precision_problem(case)


def _iterative_problem(case: Case) -> Problem[Any, Any]:
    from sparsemixed.estimation.problems.iterative import iterative_problem

    return iterative_problem(case)


KINDS: dict[str, Kind] = {
    "linear": Kind(lambda case: case.design.residual is None and not case.design.random, linear_problem),
    "patterns": Kind(_patterns_serve, _patterns_problem),
    "precision": Kind(lambda case: case.design.residual is not None, _precision_problem),
    "iterative": Kind(lambda case: case.solver == "krylov", _iterative_problem),
    "penalized": Kind(lambda case: True, penalized_problem),
}
"""The first that applies serves."""


def choose_problem(spec: ModelSpec, design: Design, reduction: Reduction, kind: str | None = None) -> Problem[Any, Any]:
    """The problem of a model: of which objective, only the row of the table knows.

    Parameters
    ----------
    kind : str, optional
        Row of `KINDS`, for whoever needs what one objective alone can tell; by default the first that applies.

    Raises
    ------
    SparseMixedError
        An option or the design's size rules out the objective that serves.
    """
    case = Case(spec, design, reduction, solver_for(spec, reduction))
    if kind is not None:
        return KINDS[kind].build(case)
    return next(row.build(case) for row in KINDS.values() if row.applies(case))


def fall_back(problem: Problem[Any, Any], error: SlowConvergenceError) -> Problem[Any, Any]:
    """The problem to solve in place of an iterative one whose conjugate gradients need too many iterations."""
    return penalized_problem(factored_instead(problem.case, error))


def problem_of(fit: Fit, kind: str | None = None, reduction: Reduction | None = None) -> Problem[Any, Any]:
    """The problem of a fit once more, with the solver chosen then.

    Parameters
    ----------
    kind : str, optional
        Row of `KINDS`; by default the one that was solved. "penalized" takes errors as independent.
    reduction : Reduction, optional
        Of its data, where that is known; by default the rows are gone through.

    Raises
    ------
    NotAvailableError
        "penalized", and no factorization is within reach; or the parameters of the fit, made by an earlier version and saved, are
        of other coordinates.
    """
    spec, design = fit.spec, fit.design
    independent = kind == "penalized" or design.residual is None
    if spec.estimation.solver == "auto" and design.residual is None and fit.solver in ("block", "dense", "sparse"):
        spec = replace(spec, estimation=replace(spec.estimation, solver=fit.solver))
    problem = choose_problem(spec, design, reduction or reduce_rows(spec, design, independent), kind)
    if problem.profile is not None:
        check_coordinates(fit, problem.profile.parameters)
    return problem


def check_coordinates(fit: Fit, layout: ThetaMap) -> None:
    """Refuse a fit, saved by an earlier version, whose theta is of other coordinates than those of the layout."""
    components = {component.position: component for component in fit.components}
    for place in layout.places:
        saved = components[place.block.position].block
        now, then = place.block.structure.chosen_basis, saved.structure.chosen_basis if saved is not None else None
        if now is None or then is None:
            continue
        if np.abs(np.linalg.solve(now, then) - np.eye(len(now))).max() > SAME_BASIS:
            raise NotAvailableError(
                f"this fit was saved by an earlier version, with the effects of {place.block.equation} in other coordinates; fit "
                "the model again for this result"
            )
