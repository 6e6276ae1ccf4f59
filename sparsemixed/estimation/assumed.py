"""A fit at parameters that are assumed, not estimated: what a design would tell if they were true.

A response is made whose profiled estimates at the assumed theta are the assumed beta and sigma2: from any response z, with its
coefficients beta_z and residual variance s_z there, y = X beta + sqrt(sigma2 / s_z) (z - X beta_z). All that a fit reports about
precision, but for the observed information, depends on the design and on (theta, sigma2) alone, not on z.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.design.deferred import changed
from sparsemixed.design.values import Design
from sparsemixed.estimation.assemble import finish
from sparsemixed.estimation.ends.values import End
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.linear import linear_fit, log_likelihood
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.trust_region import QuadraticModel
from sparsemixed.estimation.search.values import LogEntry, Optimum
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.spec import ModelSpec

MESSAGE = "parameters are assumed, not estimated"
STIFF = 1e12
"""Curvature of the stand-in for the quadratic model: by it nothing but an exact zero lies on the boundary."""


def stand_in(design: Design) -> Design:
    """The design with a response that stands for any."""
    return changed(design, y=np.random.default_rng(0).standard_normal(design.n_rows))


def problem_for(spec: ModelSpec, design: Design) -> Problem[Any, Any]:
    """The problem of a design, by whose objective assumed parameters are laid out."""
    return choose_problem(spec, design, reduce_rows(spec, design, design.residual is None))


def assumed_fit(problem: Problem[Any, Any], beta: np.ndarray, theta: np.ndarray, sigma2: float) -> Fit:
    """The fit that has these parameters.

    Parameters
    ----------
    problem : Problem
        Of the design with a stand-in for its response.
    beta : (p,) float64
        On the columns of X; within the constraints.
    theta : (n_theta,) float64
        As the problem's objective has it; empty without random effects and correlated errors.
    sigma2 : float

    Returns
    -------
    Fit
        Its observed information means nothing: only what rests on the expected one may be asked for.
    """
    spec, design = problem.case.spec, problem.case.design
    orthogonal = problem.case.reduction.orthogonal
    linear = problem.profile is None
    if linear:
        fit = linear_fit(spec, design, orthogonal)
        fitted, variance = fit.beta, fit.sigma2
    else:
        at = problem.objective.evaluate(theta)
        fitted, variance = orthogonal.coefficients(at.beta), at.sigma2
    y = design.X @ beta + np.sqrt(sigma2 / variance) * (design.y - design.X @ fitted)
    problem = problem_for(spec, changed(design, y=y))
    return _gathered(problem, theta) if not linear else linear_fit(spec, problem.case.design, problem.case.reduction.orthogonal)


def _gathered(problem: Problem[Any, Any], theta: np.ndarray) -> Fit:
    objective, llf = problem.objective, log_likelihood(problem.case.reduction.orthogonal, problem.case.reml)
    at = objective.evaluate(theta)
    still = QuadraticModel(np.zeros(theta.size), STIFF * np.eye(theta.size))
    log = (LogEntry(0, llf(at.deviance), 0.0),)
    optimum = Optimum(at, objective.derivatives(at), still, True, MESSAGE, 0.0, log)
    return finish(problem.case, End(objective, optimum), (), llf)
