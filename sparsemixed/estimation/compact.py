"""A fit in a few numbers, for whoever fits one design very often: the same searches and verdicts, and nothing to look at."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.assemble import boundary_of, finish, message_of
from sparsemixed.estimation.components import components
from sparsemixed.estimation.ends.unit_of_errors import with_largest_unit
from sparsemixed.estimation.ends.verdict import judged
from sparsemixed.estimation.estimate import design_threads, fit_problem, searched
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.linear import log_likelihood
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.penalties import log_prior
from sparsemixed.estimation.problems.penalties import penalty
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.em import EmPath
from sparsemixed.estimation.sources.reduction import Reduction
from sparsemixed.solver.factored.system import PenalizedSystem
from sparsemixed.solver.linalg import covariance_root
from sparsemixed.spec import ModelSpec


class Estimates(NamedTuple):
    """What is reported of one fit.

    Attributes
    ----------
    beta, errors : (p,)
        Coefficients, and their standard errors by the model.
    variances : (v,)
        Variance parameters as printed.
    llf : float
    converged : bool
    boundary : tuple of str
        The components on the boundary, in words.
    message : str
        Why the search ended.
    """

    beta: np.ndarray
    errors: np.ndarray
    variances: np.ndarray
    llf: float
    converged: bool
    boundary: tuple[str, ...]
    message: str


def of_fit(fit: Fit) -> Estimates:
    """The estimates of a whole fit."""
    variances = np.array([parameter.estimate for parameter in fit.variances])
    errors = np.sqrt(np.sum(fit.root**2, axis=1))
    return Estimates(fit.beta, errors, variances, fit.llf, fit.converged, fit.boundary_names, fit.message)


def estimates(problem: Problem[Any, Any], theta: np.ndarray | None = None) -> Estimates:
    """The estimates of a problem, those that `fit_problem` reports.

    Parameters
    ----------
    theta : (n_theta,), optional
        Where to start, in place of the problem's own starting point.

    Raises
    ------
    NumericalError
        The likelihood has no maximum, and there is nothing to report.
    """
    if problem.start is None or problem.plan is None:
        return of_fit(fit_problem(problem))
    case = problem.case
    orthogonal = case.reduction.orthogonal
    with design_threads(case.design):
        llf = log_likelihood(orthogonal, case.reml)
        path = problem.start(llf, None) if theta is None else EmPath(problem.objective.evaluate(theta), (), False)
        problem, end = with_largest_unit(problem, searched(problem, path, llf, None), llf)
        end = judged(problem, end, llf)
        if end.no_maximum is not None and not end.no_maximum.reportable:
            raise NumericalError(end.no_maximum.message)
        if end.smallest_variance is not None:
            return of_fit(finish(problem.case, end, path.log, llf))
        at, boundary, flat, _ = boundary_of(problem.case, end)
        shown = components(problem.case.design, end.objective.parameters, at.theta, at.sigma2, boundary)
    return Estimates(
        beta=orthogonal.coefficients(at.beta),
        errors=np.sqrt(np.sum(orthogonal.root(covariance_root(at.sigma2, at.XVX_inverse)) ** 2, axis=1)),
        variances=np.array([parameter.estimate for component in shown for parameter in component.variances]),
        llf=llf((at.deviance if end.deviance is None else end.deviance) + 2.0 * log_prior(end.objective.prior, at)),
        converged=end.optimum.converged and not flat,
        boundary=boundary.names,
        message=message_of(end, flat),
    )


class Prepared:
    """The problems of one design with other responses: what no response changes is decided and analysed once.

    Parameters
    ----------
    spec : ModelSpec
    design : Design
    reduction : Reduction
        With the response that the design came with.
    """

    def __init__(self, spec: ModelSpec, design: Design, reduction: Reduction):
        self.spec = spec
        self.first: Problem[Any, Any] = choose_problem(spec, design, reduction)

    def problem(self, design: Design, reduction: Reduction) -> Problem[Any, Any]:
        """The problem of a design that differs in its response alone, with its reduction."""
        kept = self.first.profile
        system = kept.system if type(kept) is PenalizedObjective else None
        if not isinstance(system, PenalizedSystem) or kept is None or reduction.products is None:
            return choose_problem(self.spec, design, reduction)
        cp, objective = reduction.products.cp, copy.copy(kept)
        objective.cp, objective.system = cp, system.with_products(cp)
        case = replace(self.first.case, design=design, reduction=reduction)
        if objective.prior is not None:  # normal coefficients are told from the response's least-squares fit
            objective.prior = penalty(case, objective.parameters, objective.n_theta)
        share = self.first.vanished / max(system.cp.square, np.finfo(float).tiny)
        vanished = share * cp.square
        # The start of the response at hand is made only where a search asks for it.
        return replace(self.first, case=case, profile=objective, vanished=vanished, start=partial(_started, case))


def _started(case: Any, llf: Any, progress: Any) -> Any:
    problem = choose_problem(case.spec, case.design, case.reduction)
    assert problem.start is not None
    return problem.start(llf, progress)
