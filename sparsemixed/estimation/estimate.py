"""From a design to a fit: a reduction of the data, a problem, the search, and what is reported of its end."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import SlowConvergenceError
from sparsemixed.estimation.assemble import finish
from sparsemixed.estimation.end_systems import kept_system
from sparsemixed.estimation.ends.second_search import second_search
from sparsemixed.estimation.ends.unit_of_errors import with_largest_unit
from sparsemixed.estimation.ends.values import End
from sparsemixed.estimation.ends.verdict import judged
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.linear import LogLikelihood, linear_fit, log_likelihood
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.plain_fit import plain_fit
from sparsemixed.estimation.prepared_design import PreparedDesign
from sparsemixed.estimation.problems.solvers import check_solver
from sparsemixed.estimation.problems.table import choose_problem, fall_back, problem_of
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.em import EmPath, em_optimum
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Progress
from sparsemixed.estimation.small_fit import small_fit
from sparsemixed.estimation.sources.batches import Batches, reduce_batches
from sparsemixed.estimation.sources.dask_frames import reduce_dask
from sparsemixed.estimation.sources.reduction import Reduction
from sparsemixed.estimation.sources.responses import Responses
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.solver.threads import blas_threads
from sparsemixed.spec import ModelSpec

SHARED_OUT = 1 << 16
"""Multiplications of a product of matrices below which no BLAS takes threads."""


def estimate(spec: ModelSpec, design: Design, progress: Progress | None = None) -> Fit:
    """Fit the model by maximum likelihood or REML.

    Parameters
    ----------
    spec : ModelSpec
    design : Design
    progress : callable, optional
        Called with every `LogEntry` of the gradient-based search, or, with `emonly`, of EM.

    Returns
    -------
    Fit
    """
    check_solver(spec, design)
    quick = small_fit(spec, design) if progress is None else None
    if quick is not None:
        return quick
    with design_threads(design):
        return fit_problem(choose_problem(spec, design, reduce_rows(spec, design, design.residual is None)), progress)


def estimate_response(prepared: Responses, y: np.ndarray) -> Fit:
    """Fit the model of a prepared design to a response (n,): the numbers of `estimate`.

    Raises
    ------
    DataError
        The fixed part leaves nothing of the response, or its squares are beyond floating point.
    """
    check_solver(prepared.spec, prepared.design)
    quick = prepared.plain_fit(y) if isinstance(prepared, PreparedDesign) else None
    return _estimate_reduced(prepared.spec, *prepared.reduced(y), None) if quick is None else quick


def estimate_batches(spec: ModelSpec, batches: Batches, progress: Progress | None = None) -> Fit:
    """Fit a model to batches of rows; see `sources.batches.reduce_batches`."""
    return _estimate_reduced(spec, *reduce_batches(spec, batches), progress)


def estimate_dask(spec: ModelSpec, data: Any, progress: Progress | None = None) -> Fit:
    """Fit a model to a Dask data frame: reduced on the workers, fitted on the client; see `sources.dask_frames.reduce_dask`."""
    return _estimate_reduced(spec, *reduce_dask(spec, data), progress)


def _estimate_reduced(spec: ModelSpec, design: Design, reduction: Reduction, progress: Progress | None) -> Fit:
    with design_threads(design):
        return fit_problem(choose_problem(spec, design, reduction), progress)


def design_threads(design: Design) -> AbstractContextManager:
    """As many threads as the largest dense matrix that the fit may meet is worth."""
    if design.residual is None and (not design.random or _is_small(design)):
        return nullcontext()
    return blas_threads(dense_order(design))


def dense_order(design: Design) -> int:
    """Rows of the largest dense matrix that evaluations of the likelihood may meet."""
    if design.residual is not None:
        return 0
    return max(sum(sorted(term.n_groups * term.k for term in design.random)[:-1]), design.rank)


def _is_small(design: Design) -> bool:
    """Whether no product of the fit is so large that BLAS would share it out: OpenBLAS does from 262,144 multiplications."""
    order = max(design.rank, *(term.k for term in design.random))
    return len(design.random) == 1 and design.n_rows * order**2 < SHARED_OUT


def fit_problem(problem: Problem[Any, Any], progress: Progress | None = None) -> Fit:
    """Start, search, second search, verdict and fit; a factorization takes the place of an iterative solver that is too slow."""
    try:
        return _fit(problem, progress)
    except SlowConvergenceError as error:
        if problem.plan is not None:
            raise
        return _fit(fall_back(problem, error), progress)


def _fit(problem: Problem[Any, Any], progress: Progress | None) -> Fit:
    case = problem.case
    orthogonal, options = case.reduction.orthogonal, case.spec.estimation
    if problem.start is None:
        return linear_fit(case.spec, case.design, orthogonal)
    llf = log_likelihood(orthogonal, case.reml)
    quick = plain_fit(problem, llf) if progress is None else None
    if quick is not None:
        return quick
    path = problem.start(llf, progress if options.emonly else None)
    problem, end = with_largest_unit(problem, searched(problem, path, llf, progress), llf, progress)
    return finish(problem.case, judged(problem, end, llf), path.log, llf)


def searched(problem: Problem[Any, Any], path: EmPath[Any], llf: LogLikelihood, progress: Progress | None) -> End[Any, Any]:
    """Where the search ends: for the zero of the score, by EM alone, or for the lowest deviance and once more with reason."""
    objective, plan, options = problem.objective, problem.plan, problem.case.spec.estimation
    if plan is None:
        assert problem.solve is not None
        found = problem.solve(path.at, progress)
        return End(objective, found.optimum, deviance=found.deviance, monte_carlo=found.monte_carlo)
    if options.emonly:
        return End(objective, em_optimum(objective, path, options, plan.exact))
    first = problem.plain.optimum(path.at.theta, llf) if problem.plain is not None and progress is None else None
    first = first or minimize(objective, path.at, plan, llf, progress)
    return second_search(problem, plan, path.at, first, llf, progress)


def refactor_at_optimum(fit: Fit) -> tuple[PenalizedObjective, OrthonormalCoordinates, PenalizedEvaluation]:
    """Factor once more at the optimum, for whoever needs the system of the random effects (degrees of freedom, scores).

    Errors are taken as independent, whatever the fit's residual structure.

    Returns
    -------
    PenalizedObjective; OrthonormalCoordinates, which take its coefficients back to those of X; the evaluation at `fit.theta`.

    Raises
    ------
    NotAvailableError
        No factorization is within reach.
    """
    kept = kept_system(fit)
    problem = problem_of(fit, "penalized", None if kept is None else kept.reduction)
    objective = problem.objective
    assert isinstance(objective, PenalizedObjective)
    return objective, problem.case.reduction.orthogonal, objective.evaluate(fit.theta)
