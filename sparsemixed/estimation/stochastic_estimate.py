"""Fits by the iterative solver: score and average information, the log likelihood once at the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError, OptionError
from sparsemixed.estimation.assemble import finish
from sparsemixed.estimation.fit import Fit, MonteCarlo
from sparsemixed.estimation.objectives.estimated_score import ProbedScore
from sparsemixed.estimation.objectives.iterative import StochasticObjective
from sparsemixed.estimation.objectives.zero_variances import beside_zero
from sparsemixed.estimation.orthonormal import Orthogonal
from sparsemixed.estimation.parameters import Parameters
from sparsemixed.estimation.search.score import solve_score
from sparsemixed.estimation.search.values import Progress
from sparsemixed.estimation.start.moments_iterative import moment_start
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.iterative.system import KrylovSystem
from sparsemixed.spec import EstimationOptions, ModelSpec

STARTING_ERROR, STARTING_TOLERANCE = 0.1, 1e-7
"""Monte Carlo error in standard errors, and relative residuals, that are good enough for a start."""
STARTING_PRODUCTS = 15
"""Products for each solution above which the iterative start costs more than the factorizations that it saves."""
DEVIANCE_ERROR = 0.03
"""Monte Carlo standard error of the deviance that is aimed at."""


def stochastic_estimate(
    spec: ModelSpec, design: Design, orthogonal: Orthogonal, cp: CrossProducts, layout: Parameters, progress: Progress | None
) -> Fit:
    """Fit by conjugate gradients and probes; see `estimation.estimate`.

    Raises
    ------
    NumericalError
        Conjugate gradients do not converge (nearly nested factors), or a covariance matrix becomes singular.
    """
    options = spec.estimation
    if len(cp.k) < 2:
        raise OptionError("solver(krylov) is for several crossed factors; this model has one set of groups. Use solver(auto)")
    objective = StochasticObjective(cp, KrylovSystem(cp), layout, options.method == "reml", options.seed)
    start = objective.evaluate(layout.nearest(moment_start(cp, objective.system.times_ZtZ)))
    found = solve_score(ProbedScore(objective), start, options, progress)
    deviance = objective.estimated_deviance(found.optimum.evaluation, DEVIANCE_ERROR)
    constant = orthogonal.constant(objective.reml)

    def llf(_: float) -> float:
        return -0.5 * (deviance.value + constant)

    monte_carlo = MonteCarlo(found.probes, found.error, 0.5 * deviance.error, options.seed)
    return replace(finish(spec, design, orthogonal, objective, found.optimum, (), llf), monte_carlo=monte_carlo)


def iterative_start(cp: CrossProducts, layout: Parameters, options: EstimationOptions) -> np.ndarray | None:
    """theta near the optimum, by the iterative solver; None where that has no answer (see `stochastic_estimate`)."""
    system = KrylovSystem(cp, STARTING_TOLERANCE, STARTING_PRODUCTS)
    objective = StochasticObjective(cp, system, layout, options.method == "reml", options.seed, blocks=1)
    try:
        start = objective.evaluate(layout.nearest(moment_start(cp, objective.system.times_ZtZ)))
        found = solve_score(ProbedScore(objective), start, replace(options, mc_tolerance=STARTING_ERROR), exact=False)
    except NumericalError:
        return None
    theta = found.optimum.evaluation.theta
    # At exactly zero the exact search would stay: its gradient vanishes there, whatever the likelihood does beside it.
    return beside_zero(objective, theta, theta == 0.0) if found.optimum.converged else None
