"""Random effects with independent errors: the penalised system, factored."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from sparsemixed.estimation.objectives.expectation_step import em_step
from sparsemixed.estimation.objectives.logarithms import LogObjective
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.problems.independent import independent_objective, moments_of
from sparsemixed.estimation.problems.penalties import inside, penalty
from sparsemixed.estimation.problems.plain_newton import plain_search
from sparsemixed.estimation.problems.solvers import exact_is_cheap, factorization_is_dear, patience
from sparsemixed.estimation.problems.values import Case, Problem
from sparsemixed.estimation.search.em import EmPath, em_path
from sparsemixed.estimation.search.values import Plan, Progress
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.spec import EstimationOptions

VANISHED_SHARE = 1e-12
"""Share of the residual sum of squares below which an unconverged fit is told that its residual variance vanishes."""


def penalized_problem(case: Case) -> Problem[PenalizedEvaluation[FactoredSystem], PenalizedDerivatives]:
    """The problem of `PenalizedObjective`: EM and Newton from moments."""
    products, options = case.products, case.spec.estimation
    cp, weighted = products.cp, products.weights is not None
    objective = independent_objective(products, case.reml, case.solver)
    objective.prior = penalty(case, objective.parameters, objective.n_theta)

    def start(llf: Callable[[float], float], progress: Progress | None) -> EmPath[PenalizedEvaluation[FactoredSystem]]:
        at = objective.evaluate(_theta(objective, case) if plain is None else plain.theta)
        return em_path(objective, partial(em_step, objective), at, options, llf, progress)

    exact = options.difficult or exact_is_cheap(objective, cp, weighted)
    plan = Plan(options, exact, patience(cp), LogObjective if options.metric == "matlog" else None)
    plain = plain_search(objective, plan, partial(_theta, objective, case)) if objective.prior is None else None
    return Problem(case, objective, start, plan, vanished=VANISHED_SHARE * cp.square, plain=plain)


def _theta(objective: PenalizedObjective, case: Case) -> np.ndarray:
    """theta from moments; where a factorization is dear, from the iterative solver, which all but ends the search."""
    products, options = case.products, case.spec.estimation
    if factorization_is_dear(objective, products.cp, products.weights is not None) and options == _plain_options(options):
        from sparsemixed.estimation.problems.iterative import iterative_start  # delayed, with what it needs, for a quick start

        found = iterative_start(products.cp, products.layout, options)
        if found is not None:
            return found
    moments = moments_of(objective)
    return inside(case, objective.parameters, objective.parameters.on_scale(*moments), moments[1])


def _plain_options(options: EstimationOptions) -> EstimationOptions:
    """Options that ask for nothing of the search."""
    return EstimationOptions(method=options.method, solver=options.solver, dfmethod=options.dfmethod, nostderr=options.nostderr)
