"""From an optimum to a fit: project it to the boundary, then gather what is reported."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.components import components
from sparsemixed.estimation.error_variances import vanished_errors
from sparsemixed.estimation.fit import Fit, MonteCarlo
from sparsemixed.estimation.identification import identified
from sparsemixed.estimation.interface import FittedDerivatives, FittedEvaluation
from sparsemixed.estimation.limits import residual_limits
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.boundary import Boundary, project_to_boundary, with_limits
from sparsemixed.estimation.search.values import LogEntry, Optimum
from sparsemixed.estimation.unbounded import MESSAGE
from sparsemixed.solver.linalg import covariance_root

FLAT_START = "the likelihood does not depend on the residuals' parameters at the start"


def finish(
    problem: Problem,
    optimum: Optimum,
    em_log: tuple[LogEntry, ...],
    llf: LogLikelihood,
    deviance: float | None = None,
    monte_carlo: MonteCarlo | None = None,
) -> Fit:
    """The fit at the optimum of any problem with an objective; with its `deviance`, where evaluations do not know it."""
    case, objective = problem.case, problem.objective
    spec, design, orthogonal = case.spec, case.design, case.reduction.orthogonal
    at, boundary, flat = _boundary(problem, optimum)
    derivatives = optimum.derivatives if at is optimum.evaluation else objective.derivatives(at)
    bare = spec.estimation.nostderr or spec.estimation.emonly
    information = None if bare else _information(derivatives, boundary)
    parts = components(design, objective, at, boundary)
    parts, unidentified = identified(objective, at, boundary.parameters, information, optimum.converged, parts)
    u, u_var = objective.predictions(design, derivatives)
    root = covariance_root(at.sigma2, at.XVX_inverse)
    return Fit(
        spec=spec,
        design=design,
        beta=orthogonal.coefficients(at.beta),
        root=orthogonal.root(root),
        slopes=_slopes(derivatives, root) if objective.reml and not bare else None,
        sigma2=at.sigma2,
        theta=at.theta,
        information=information,
        boundary=boundary.parameters,
        boundary_names=boundary.names,
        components=parts,
        llf=llf(at.deviance if deviance is None else deviance),
        llf_linear=llf.linear,
        converged=optimum.converged and not flat,
        message=_message(problem, optimum, flat),
        gradient_norm=0.5 * optimum.decrement,
        em_log=em_log,
        log=optimum.log,
        iterations=len(optimum.log or em_log) - 1,
        factorizations=objective.factorizations,
        solver=objective.solver,
        u=u,
        u_var=u_var,
        monte_carlo=monte_carlo,
        identification=unidentified,
    )


def _boundary(problem: Problem, optimum: Optimum) -> tuple[FittedEvaluation, Boundary, bool]:
    """The optimum moved onto the boundary, what lies there, and whether the search stands where it started, at a limit."""
    case, objective = problem.case, problem.objective
    at, boundary = project_to_boundary(objective, optimum.evaluation, optimum.model.gradient, optimum.model.hessian)
    if not optimum.converged:
        gone, names = vanished_errors(case.spec, case.design, case.reduction.orthogonal, at)
        if names:
            return at, with_limits(boundary, gone, tuple(names)), False
    limits = residual_limits(case.design.residual, at.theta[objective.parameters.n_theta :])
    return at, with_limits(boundary, limits.gone, limits.names), limits.reached and len(optimum.log) == 1


def _message(problem: Problem, optimum: Optimum, flat: bool) -> str:
    """Why the search ended; where it did not converge, what kept it from that as far as is known."""
    if flat:
        return FLAT_START
    residual = problem.case.design.residual is not None
    if residual and not optimum.converged and problem.objective.singular(optimum.evaluation.theta):
        return MESSAGE
    return optimum.message


def _information(derivatives: FittedDerivatives, boundary: Boundary) -> np.ndarray:
    """Observed information (n_theta + 1,) of (theta, log sigma2): half the Hessian of the deviance, boundary rows zero."""
    information = 0.5 * derivatives.information.hessian
    held = np.append(boundary.parameters, False)
    information[held] = 0.0
    information[:, held] = 0.0
    return information


def _slopes(derivatives: FittedDerivatives, root: np.ndarray) -> np.ndarray:
    """How inv(Phi) moves with theta, in coordinates in which Phi is the identity (n_theta, r, r)."""
    return root.T @ derivatives.fixed_slopes @ root / derivatives.at.sigma2
