"""Residual structures: on cluster patterns where clusters are small, else on the precision matrix of the errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from sparsemixed.design.values import Design, ResidualPart
from sparsemixed.errors import DataError
from sparsemixed.estimation.interface import FE, FN, FittedObjective
from sparsemixed.estimation.invisible import hold_invisible_rows
from sparsemixed.estimation.objectives.expectation_step import em_step
from sparsemixed.estimation.objectives.logarithms import LogObjective
from sparsemixed.estimation.objectives.patterns import PatternDerivatives, PatternEvaluation, PatternObjective
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.objectives.precision import PrecisionObjective
from sparsemixed.estimation.objectives.precision_derivatives import PrecisionDerivatives
from sparsemixed.estimation.orthonormal import engine_term, engine_terms
from sparsemixed.estimation.parameters import NO_TERM, ThetaMap, parameters
from sparsemixed.estimation.problems.independent import independent_objective, moments_of
from sparsemixed.estimation.problems.penalties import inside, penalty
from sparsemixed.estimation.problems.values import Case, Problem
from sparsemixed.estimation.search.em import EmPath, em_path
from sparsemixed.estimation.search.values import LogEntry, Plan, Progress
from sparsemixed.estimation.sources.reduction import Products
from sparsemixed.estimation.sources.rows import products_of_rows
from sparsemixed.estimation.start.residual import residual_start
from sparsemixed.solver.crossproducts.crossproducts import TermData
from sparsemixed.solver.crossproducts.group_rows import GroupRows
from sparsemixed.solver.crossproducts.weighted_rows import WeightedRows, constant_within
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.residual.patterns import independent_blocks, pattern_batches
from sparsemixed.solver.residual.precision import precision
from sparsemixed.solver.residual.whitened import WhitenedPrecision, has_recursion
from sparsemixed.structures.residual_errors.base import ResidualStructure

SMALL_CLUSTER = 200
"""Rows tied together up to which one dense covariance matrix per cluster pattern is the cheapest way."""
LONG_GROUP = 64
"""Rows of the largest residual group beyond which recursions along its rows are cheaper than dense blocks."""
MOST_PARAMETERS = 12
"""Parameters of the errors, in one level of by(), up to which their second derivatives are carried along the rows."""
MAX_DERIVATIVE_NUMBERS = 1e9
"""Numbers in all derivative matrices (8 GB) beyond which a design is refused."""


def by_patterns(case: Case) -> bool:
    """Whether V is cheap cluster pattern by cluster pattern; rows with weights of their own have no patterns."""
    part, design = _part(case), case.design
    if design.weights is not None and design.weights.kind != "precision":
        return False
    codes = [part.codes, *(term.codes for term in design.random)]
    sizes = np.bincount(independent_blocks(codes, [part.n_groups, *(term.n_groups for term in design.random)])).astype(float)
    n_theta = sum(b.structure.n_theta for term in design.random for b in term.blocks) + part.structure.n_rho
    return bool(sizes.max() <= SMALL_CLUSTER and float((sizes**2).sum()) * (n_theta + 3) <= MAX_DERIVATIVE_NUMBERS)


def patterns_problem(case: Case) -> Problem[PatternEvaluation, PatternDerivatives]:
    """The problem of `PatternObjective`, on patterns of independent clusters."""
    part, design, orthogonal = _part(case), case.design, case.reduction.orthogonal
    layout = hold_invisible_rows(parameters(design.random), design, orthogonal, case.reml)
    rows = np.column_stack([orthogonal.Q, orthogonal.residual])
    batches = pattern_batches(engine_terms(design, layout), part.codes, part.n_groups, part.t, rows)
    return _problem(case, PatternObjective(batches, layout, part.structure, orthogonal.n_obs, design.rank, case.reml))


def precision_problem(case: Case) -> Problem[PenalizedEvaluation[FactoredSystem], PrecisionDerivatives]:
    """The problem of `PrecisionObjective`, on the precision matrix of the residuals, rows sorted by residual group and time."""
    part, design, orthogonal = _part(case), case.design, case.reduction.orthogonal
    order = np.lexsort((part.t if part.t.ndim == 1 else part.t[:, 0], part.codes))
    start = np.concatenate([[0], np.cumsum(np.bincount(part.codes, minlength=part.n_groups))])
    if part.structure.independent_rows:
        # Rows are their own groups, so that each may have a weight of its own.
        start = np.arange(order.size + 1)
    weights = design.weights if design.weights is not None and design.weights.kind != "precision" else None
    counts = np.ones(len(start) - 1) if weights is None else weights.rows[order][start[:-1]]
    own = weights.groups if weights is not None and weights.replicates_groups else None
    constant = [constant_within(term.codes[order], start) for term in design.random]
    layout = hold_invisible_rows(parameters(design.random, constant, own is not None), design, orthogonal, case.reml)
    terms = [_sorted_term(design, layout, t, order) for t in range(len(layout.order))]
    Xy, t = np.column_stack([orthogonal.Q, orthogonal.residual])[order], part.t[order]
    if _is_long(part.structure, start) and all(constant):
        rows = GroupRows(terms, Xy, start, orthogonal.n_obs)
        residual = WhitenedPrecision(part.structure, t, start, counts, rows.columns)
    else:
        _check_size(part, start)
        residual = precision(part.structure, t, start, counts)
        rows = WeightedRows(terms, Xy, start, residual.indptr, residual.indices, orthogonal.n_obs)
    ordered = None if own is None else [np.ones(1) if r == NO_TERM else own[r] for r in layout.order]
    objective = PrecisionObjective(rows, residual, layout, part.structure, case.reml, case.solver, ordered)
    return replace(_problem(case, objective), order=order)


def _is_long(structure: ResidualStructure, start: np.ndarray) -> bool:
    """Whether groups are whitened row after row: where a recursion serves, but for errors of which inv(R) is tridiagonal."""
    few = structure.within_level.n_rho <= MOST_PARAMETERS
    return structure.markov is None and has_recursion(structure) and few and bool(np.diff(start).max() > LONG_GROUP)


def _part(case: Case) -> ResidualPart:
    assert case.design.residual is not None
    return case.design.residual


def _problem(case: Case, objective: FittedObjective[FE, FN]) -> Problem[FE, FN]:
    options = case.spec.estimation
    objective.prior = penalty(case, objective.parameters, objective.n_theta)

    def start(llf: Callable[[float], float], progress: Progress | None) -> EmPath[FE]:
        theta, log = _random_start(case, llf)
        residual = None if case.design.random else case.reduction.orthogonal.residual
        return EmPath(residual_start(objective, theta, _part(case), residual), log, False)

    return Problem(case, objective, start, Plan(options, exact=True, metric=LogObjective if options.metric == "matlog" else None))


def _sorted_term(design: Design, layout: ThetaMap, t: int, order: np.ndarray) -> TermData:
    if layout.order[t] == NO_TERM:
        return TermData(np.zeros(order.size, np.int32), 1, np.zeros((order.size, 1)))
    term = engine_term(design, layout, t)
    return TermData(term.codes[order], term.n_groups, np.ascontiguousarray(term.columns[order]))


def _check_size(part: ResidualPart, start: np.ndarray) -> None:
    """Refuse dense blocks beyond memory; Markov errors have a tridiagonal inverse."""
    if part.structure.markov is not None:
        return
    widths = np.diff(start).astype(float)
    numbers = float((widths**2).sum()) * (part.structure.n_rho + 6)
    if numbers > MAX_DERIVATIVE_NUMBERS:
        raise DataError(
            f"{part.equation[10:]} residuals within groups of up to {int(widths.max()):,} rows would need "
            f"{8e-9 * numbers:,.0f} GB. AR(1) and exponential errors have no such limit, nor have AR, MA and Toeplitz errors "
            f"up to order {MOST_PARAMETERS} where random effects do not change within these groups; otherwise use smaller groups"
        )


def _random_start(case: Case, llf: Callable[[float], float]) -> tuple[np.ndarray, tuple[LogEntry, ...]]:
    """theta of the random effects as if errors were independent, from moments, then `emiterate` EM steps with their log."""
    design, orthogonal = case.design, case.reduction.orthogonal
    if not design.random:
        return np.zeros(0), ()
    cp, layout = products_of_rows(design, orthogonal, parameters(design.random), case.reml)
    independent = independent_objective(Products(cp, layout, None), case.reml)
    moments = moments_of(independent)
    theta = inside(case, layout, layout.on_scale(*moments), moments[1])
    if not case.spec.estimation.emiterate:
        return theta, ()
    path = em_path(independent, partial(em_step, independent), independent.evaluate(theta), case.spec.estimation, llf)
    return path.at.theta, path.log
