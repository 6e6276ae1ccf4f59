"""From the end of a search to a fit: project it to the boundary, then gather what is reported."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sparsemixed.design.deferred import Later, deferred
from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.components import components, with_known
from sparsemixed.estimation.end_systems import keep_end_system
from sparsemixed.estimation.ends.error_limits import at_residual_limits, residual_limits
from sparsemixed.estimation.ends.error_variances import at_zero_variances
from sparsemixed.estimation.ends.values import End
from sparsemixed.estimation.ends.without_errors import without_residual_variance
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.identification import clearly_identified, identified
from sparsemixed.estimation.interface import FD, FE, FittedDerivatives, FittedObjective
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.lost_digits import lost_digits
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedScore
from sparsemixed.estimation.penalties import log_prior
from sparsemixed.estimation.problems.values import Case
from sparsemixed.estimation.search.boundary import Boundary, project_to_boundary, with_limits
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.solver.factored.choose import solver_note
from sparsemixed.solver.linalg import covariance_root

FLAT_START = "the likelihood does not depend on the residuals' parameters at the start"


def finish(case: Case, end: End[FE, FD], em_log: tuple[LogEntry, ...], llf: LogLikelihood) -> Fit:
    """The fit where the searches of any problem with an objective ended.

    Raises
    ------
    NumericalError
        The likelihood has no maximum, and there is nothing to report.
    """
    if end.no_maximum is not None and not end.no_maximum.reportable:
        raise NumericalError(end.no_maximum.message)
    fit = _gathered(case, end, em_log, llf)
    return fit if end.smallest_variance is None else without_residual_variance(fit, end.smallest_variance)


def _gathered(case: Case, end: End[FE, FD], em_log: tuple[LogEntry, ...], llf: LogLikelihood) -> Fit:
    spec, design, orthogonal = case.spec, case.design, case.reduction.orthogonal
    objective, optimum = end.objective, end.optimum
    at, boundary, flat, unseen = boundary_of(case, end)
    derivatives = optimum.derivatives if at is optimum.evaluation else objective.derivatives(at)
    prior = log_prior(objective.prior, at)
    bare = spec.estimation.nostderr or spec.estimation.emonly
    information = None if bare else _information(derivatives, boundary.parameters | unseen)
    shown = partial(_shown, case, end, at, derivatives, boundary, covariance_root(at.sigma2, at.XVX_inverse), not bare)
    effects = partial(_effects, design, objective, derivatives)
    clear = clearly_identified(boundary.parameters, information, optimum.converged)
    known: dict[str, Any] = {
        "spec": spec,
        "design": design,
        "beta": orthogonal.coefficients(at.beta),
        "sigma2": at.sigma2,
        "theta": at.theta,
        "information": information,
        "boundary": boundary.parameters,
        "boundary_names": boundary.names,
        "llf": llf((at.deviance if end.deviance is None else end.deviance) + 2.0 * prior),
        "llf_linear": llf.linear,
        "converged": optimum.converged and not flat,
        "message": message_of(end, flat),
        "gradient_norm": 0.5 * optimum.decrement,
        "em_log": em_log,
        "iterations": len(end.before) + (len(optimum.log) or len(em_log)) - 1,
        "factorizations": objective.factorizations,
        "solver": objective.solver,
        "monte_carlo": end.monte_carlo,
        "lost_digits": _lost_digits(case, objective.df, at.pwrss, shown),
        "solver_note": solver_note(objective.solver),
        "log_prior": prior,
    }
    if clear and _has_few_groups(objective):
        later = {("root", "slopes", "components", "log"): shown, ("u", "u_var"): lambda: effects()[0]}
        return deferred(Fit, later, **known, identification=None)
    told, later = effects()
    known |= {**shown(), **told}
    parts = identified(objective, at, boundary.parameters, information, optimum.converged, known["components"], design)
    known |= {"components": parts[0], "factorizations": objective.factorizations, "identification": parts[1]}
    fit = deferred(Fit, later, **known) if later else Fit(**known)
    keep_end_system(fit, objective, derivatives, case.reduction)
    return fit


def _lost_digits(case: Case, df: float, pwrss: float, shown: Callable[[], dict[str, Any]]) -> str:
    return lost_digits(case.design, lambda: shown()["components"], case.reduction.orthogonal.square, pwrss, df)


def _has_few_groups(objective: object) -> bool:
    """Whether so little is behind a fit that it may stay in memory until all of the fit is asked for."""
    return isinstance(objective, GroupsObjective) and objective.roots.few


def _shown(
    case: Case, end: End[FE, FD], at: FE, derivatives: FD, boundary: Boundary, root: np.ndarray, informed: bool
) -> dict[str, Any]:
    """What of a fit tables read, and nobody who only wants its numbers."""
    return {
        "root": case.reduction.orthogonal.root(root),
        "slopes": _slopes(derivatives, root) if end.objective.reml and informed else None,
        "components": with_known(
            components(case.design, end.objective.parameters, at.theta, at.sigma2, boundary), end.objective.prior
        ),
        "log": end.log,
    }


def _effects(design: Design, objective: FittedObjective[FE, FD], derivatives: FD) -> tuple[dict[str, Any], Later]:
    """The random effects and their uncertainty, or what makes it when it is asked for."""
    later = derivatives.effects_later(design) if isinstance(derivatives, PenalizedScore) else None
    return later or (effects_of(design, objective, derivatives), {})


def effects_of(design: Design, objective: FittedObjective[FE, FD], derivatives: FD) -> dict[str, Any]:
    """What of a fit predictions read, and no table."""
    u, u_var = objective.parameters.named_effects(*objective.predictions(design, derivatives))
    return {"u": u, "u_var": u_var}


def boundary_of(case: Case, end: End[FE, FD]) -> tuple[FE, Boundary, bool, np.ndarray]:
    """The optimum moved onto the boundary, what lies there, whether the search stands where it started, at a limit, and which
    parameters (n_theta,) bool of the errors no observed lag depends on there.
    """
    objective, optimum, lost = end.objective, end.optimum, end.no_maximum
    at, boundary = project_to_boundary(objective, optimum.evaluation, optimum.model.gradient, optimum.model.hessian)
    unseen = np.zeros(at.theta.size, bool)
    if lost is not None and lost.names:
        return at, with_limits(boundary, lost.gone, lost.names), False, unseen
    part = case.design.residual
    at, zeros = at_zero_variances(objective, at, part, case.spec.residual.by)
    at = at_residual_limits(objective, at, part)
    limits = residual_limits(part, at.theta[objective.parameters.n_theta :], zeros.gone)
    if limits.unseen is not None:
        unseen[objective.parameters.n_theta :] = limits.unseen
    boundary = with_limits(with_limits(boundary, zeros.gone, zeros.names), limits.gone, limits.names)
    return at, boundary, limits.reached and len(optimum.log) == 1, unseen


def message_of(end: End[FE, FD], flat: bool) -> str:
    """Why the search ended; where it did not converge, what kept it from that as far as is known."""
    if flat:
        return FLAT_START
    return end.optimum.message if end.no_maximum is None else end.no_maximum.message


def _information(derivatives: FittedDerivatives, without: np.ndarray) -> np.ndarray:
    """Observed information (n_theta + 1,) of (theta, log sigma2): half the Hessian of the deviance, rows `without` zero."""
    information = 0.5 * derivatives.information.hessian
    held = np.append(without, False)
    information[held] = 0.0
    information[:, held] = 0.0
    return information


def _slopes(derivatives: FittedDerivatives, root: np.ndarray) -> np.ndarray:
    """How inv(Phi) moves with theta, in coordinates in which Phi is the identity (n_theta, r, r)."""
    if isinstance(derivatives, PenalizedScore):
        return derivatives.whitened_slopes
    return root.T @ derivatives.fixed_slopes @ root / derivatives.at.sigma2
