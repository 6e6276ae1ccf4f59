"""Crossed random effects by the iterative solver: score and average information, the log likelihood once at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.fit import MonteCarlo
from sparsemixed.estimation.objectives.estimated_score import ProbedScore
from sparsemixed.estimation.objectives.iterative import StochasticDerivatives, StochasticObjective
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.objectives.zero_variances import beside_zero
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.problems.penalties import refuse_penalty
from sparsemixed.estimation.problems.solvers import check_iterative
from sparsemixed.estimation.problems.values import Case, Problem, ScoreZero
from sparsemixed.estimation.search.em import EmPath
from sparsemixed.estimation.search.score import ONE_STEP_SHORT, solve_score
from sparsemixed.estimation.search.trust_region import ScaledQuadratic
from sparsemixed.estimation.search.values import Progress
from sparsemixed.estimation.start.moments import mivque_start
from sparsemixed.estimation.start.moments_iterative import moment_start
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.iterative.system import KrylovFactored, KrylovSystem
from sparsemixed.spec import EstimationOptions

STARTING_ERROR, STARTING_TOLERANCE = 0.1, 1e-7
"""Monte Carlo error in standard errors, and relative residuals, that are good enough for a start."""
STARTING_PRODUCTS = 15
"""Products for each solution above which the iterative start costs more than the factorizations that it saves."""
DEVIANCE_ERROR = 0.03
"""Monte Carlo standard error of the deviance that is aimed at."""


def iterative_problem(case: Case) -> Problem[PenalizedEvaluation[KrylovFactored], StochasticDerivatives]:
    """The problem of `StochasticObjective`: the score equations from moments.

    Raises
    ------
    OptionError
        An option without effect here, or one set of groups alone.
    """
    check_iterative(case)
    refuse_penalty(case, "needs a factorization; solver(krylov) knows the score of the likelihood alone")
    products, options = case.products, case.spec.estimation
    objective = StochasticObjective(products.cp, KrylovSystem(products.cp), products.layout, case.reml, options.seed)

    def start(llf: Callable[[float], float], progress: Progress | None) -> EmPath[PenalizedEvaluation[KrylovFactored]]:
        theta = products.layout.on_scale(*moment_start(products.cp, objective.system.times_ZtZ))
        return EmPath(objective.evaluate(theta), (), False)

    return Problem(case, objective, start, solve=partial(solve_iterative, objective, options))


def solve_iterative(
    objective: StochasticObjective,
    options: EstimationOptions,
    at: PenalizedEvaluation[KrylovFactored],
    progress: Progress | None,
) -> ScoreZero[PenalizedEvaluation[KrylovFactored], StochasticDerivatives]:
    """Find the zero of the score from an evaluation, then the deviance, once.

    Raises
    ------
    SlowConvergenceError
        Conjugate gradients do not converge (nearly nested factors).
    NumericalError
        A covariance matrix becomes singular.
    """
    found = solve_score(ProbedScore(objective), at, options, progress)
    deviance = objective.estimated_deviance(found.optimum.evaluation, DEVIANCE_ERROR)
    monte_carlo = MonteCarlo(found.probes, found.error, 0.5 * deviance.error, options.seed)
    return ScoreZero(found.optimum, deviance.value, monte_carlo)


def iterative_start(cp: CrossProducts, layout: ThetaMap, options: EstimationOptions) -> np.ndarray | None:
    """theta near the optimum, by the iterative solver; None where that has no answer (see `solve_iterative`)."""
    system = KrylovSystem(cp, STARTING_TOLERANCE, STARTING_PRODUCTS)
    objective = StochasticObjective(cp, system, layout, options.method == "reml", options.seed, blocks=1)
    try:
        start = objective.evaluate(layout.on_scale(*mivque_start(cp)))
        found = solve_score(ProbedScore(objective), start, replace(options, mc_tolerance=STARTING_ERROR), exact=False)
    except NumericalError:
        return None
    optimum = found.optimum
    theta = optimum.evaluation.theta
    if optimum.message == ONE_STEP_SHORT:
        theta = theta + ScaledQuadratic(optimum.model, theta).step(np.inf)[0]
    # At exactly zero the exact search would stay: its gradient vanishes there, whatever the likelihood does beside it.
    return beside_zero(objective, theta, theta == 0.0) if optimum.converged else None
