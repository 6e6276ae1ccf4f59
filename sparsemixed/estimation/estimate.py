"""From a design to a fit: start, EM, Newton, boundary, standard errors."""

from __future__ import annotations

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.derivatives import Derivatives
from sparsemixed.estimation.em import em_step
from sparsemixed.estimation.finish import finish
from sparsemixed.estimation.fit import Fit, LogEntry
from sparsemixed.estimation.linear import check_residual, linear_fit
from sparsemixed.estimation.newton import Progress, minimize
from sparsemixed.estimation.objective import Evaluation, Objective
from sparsemixed.estimation.orthogonal import Orthogonal, orthogonalize, term_data
from sparsemixed.estimation.parameters import parameters
from sparsemixed.estimation.residual_estimate import residual_estimate
from sparsemixed.estimation.start import mivque_start
from sparsemixed.solver.choose import penalized_system
from sparsemixed.solver.crossproducts import cross_products
from sparsemixed.solver.threads import blas_threads
from sparsemixed.spec import ModelSpec

VANISHED = 1e-12
"""Share of the residual sum of squares below which an unconverged fit is told that its residual variance vanishes."""
EXACT_BELOW = 400
"""Up to this order of the Schur complement the exact Hessian costs less than a second factorization of anything."""


def estimate(spec: ModelSpec, design: Design, progress: Progress | None = None) -> Fit:
    """Fit the model by maximum likelihood or REML.

    Parameters
    ----------
    spec : ModelSpec
    design : Design
    progress : callable, optional
        Called with every `LogEntry` of the Newton iterations.

    Returns
    -------
    Fit
    """
    if design.residual is not None:
        return residual_estimate(spec, design, progress)
    if not design.random:
        return linear_fit(spec, design, orthogonalize(design))
    with blas_threads(_largest_order(design)):
        return _estimate(spec, design, progress)


def _largest_order(design: Design) -> int:
    """Order of the largest dense matrix that the fit may meet."""
    sizes = sorted(term.n_groups * term.k for term in design.random)
    return max(sum(sizes[:-1]), design.rank)


def _estimate(spec: ModelSpec, design: Design, progress: Progress | None) -> Fit:
    orthogonal = orthogonalize(design)
    check_residual(orthogonal, design.y, spec.response)
    objective = _objective(spec, design, orthogonal)
    constant = orthogonal.constant(objective.reml)

    def llf(deviance: float) -> float:
        return -0.5 * (deviance + constant)

    at, em_log = _start(objective, spec, llf)
    exact = _exact_is_cheap(objective)
    optimum = minimize(objective, at, spec.estimation, exact, llf, progress)
    if not optimum.converged and optimum.evaluation.r2 < VANISHED * objective.cp.XytXy[-1, -1]:
        raise NumericalError(
            f"the residual variance goes to zero: the random effects fit `{spec.response}` exactly. Is there a group for "
            "every observation, or a constant response within groups?"
        )
    return finish(spec, design, orthogonal, objective, optimum, em_log, llf)


def reopen(fit: Fit) -> tuple[Objective, Orthogonal, Evaluation]:
    """Factor once more at the optimum, for whoever needs the system behind a fit (degrees of freedom, scores).

    Returns
    -------
    Objective, standing at `fit.theta`; Orthogonal, which takes its coordinates of the fixed effects back to those of X;
    Evaluation at `fit.theta`.
    """
    orthogonal = orthogonalize(fit.design)
    objective = _objective(fit.spec, fit.design, orthogonal)
    return objective, orthogonal, objective.evaluate(fit.theta)


def _objective(spec: ModelSpec, design: Design, orthogonal: Orthogonal) -> Objective:
    layout = parameters(design.random)
    terms = [term_data(design, design.random[r]) for r in layout.order]
    cp = cross_products(terms, orthogonal.Q, orthogonal.residual, orthogonal.n_obs)
    system = penalized_system(cp, spec.estimation.solver)
    return Objective(cp, system, layout, spec.estimation.method == "reml")


def _exact_is_cheap(objective: Objective) -> bool:
    return objective.system.rest.name == "block" or objective.cp.q_rest <= EXACT_BELOW


def _start(objective: Objective, spec: ModelSpec, llf) -> tuple[Evaluation, tuple[LogEntry, ...]]:
    """MIVQUE(0), then `emiterate` EM steps or until the relative change of the log likelihood is below `emtolerance`."""
    at = objective.evaluate(objective.parameters.nearest(mivque_start(objective.cp)))
    log = [LogEntry(0, llf(at.deviance), float("nan"))]
    for iteration in range(1, spec.estimation.emiterate + 1):
        after = objective.evaluate(em_step(Derivatives(objective, at)))
        log.append(LogEntry(iteration, llf(after.deviance), float("nan")))
        change = abs(after.deviance - at.deviance)
        at = after
        if change <= spec.estimation.emtolerance * abs(at.deviance):
            break
    return at, tuple(log)
