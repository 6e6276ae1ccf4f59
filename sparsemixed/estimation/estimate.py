"""From a design to a fit: start, EM, Newton, boundary, standard errors."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError, OptionError, SlowConvergenceError
from sparsemixed.estimation.assemble import finish
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.linear import check_residual, linear_fit
from sparsemixed.estimation.objectives.expectation_step import em_step
from sparsemixed.estimation.objectives.logarithms import LogObjective
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.orthonormal import Orthogonal, orthogonalize, term_data
from sparsemixed.estimation.parameters import Parameters, parameters
from sparsemixed.estimation.residual_estimate import residual_estimate
from sparsemixed.estimation.search.em import em_optimum, em_path
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Plan, Progress
from sparsemixed.estimation.start.moments import mivque_start
from sparsemixed.estimation.stochastic_estimate import iterative_start, stochastic_estimate
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, cross_products
from sparsemixed.solver.factored.choose import choose, expected_entries, penalized_system
from sparsemixed.solver.threads import blas_threads
from sparsemixed.spec import NOT_KRYLOV, EstimationOptions, ModelSpec

VANISHED = 1e-12
"""Share of the residual sum of squares below which an unconverged fit is told that its residual variance vanishes."""
LAST_RESORT = 1e9
"""Nonzeros of the Schur complement (12 GB) up to which a sparse factor is tried after conjugate gradients have failed."""
DEAR = 2000
"""Order of the Schur complement from which iterative steps to the start cost less than the factorizations they save."""
EXACT_BELOW, EXACT_WORK = 400, 2e6
"""Up to this order of the Schur complement, and this number of parameters times entries of the cross-products, the exact Hessian
costs less than a second factorization of anything."""
EXACT_AT_LAST, PATIENCE = 2000, 20
"""Up to this order the exact Hessian is affordable where it must be: it takes over after so many iterations."""


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
    if spec.estimation.solver == "krylov":
        _check_krylov(design)
    if design.residual is not None:
        return residual_estimate(spec, design, progress)
    if not design.random:
        return linear_fit(spec, design, orthogonalize(design))
    with blas_threads(largest_order(design)):
        return _estimate(spec, design, progress)


def _check_krylov(design: Design) -> None:
    """Refuse what the iterative solver's system does not hold."""
    weighted = design.weights is not None and design.weights.replicates_groups
    refused = "residuals()" if design.residual is not None else "weights of groups" if weighted else ""
    if refused:
        raise OptionError(f"solver(krylov) is not available with {refused}; use solver(auto)")


def largest_order(design: Design) -> int:
    """Order of the largest dense matrix that the fit may meet."""
    sizes = sorted(term.n_groups * term.k for term in design.random)
    return max(sum(sizes[:-1]), design.rank)


def _estimate(spec: ModelSpec, design: Design, progress: Progress | None) -> Fit:
    orthogonal = orthogonalize(design)
    check_residual(orthogonal, design.y, spec.response)
    return estimate_products(spec, design, orthogonal, _products(design, orthogonal), progress)


def estimate_products(
    spec: ModelSpec, design: Design, orthogonal: Orthogonal, products: Products, progress: Progress | None = None
) -> Fit:
    """Fit from cross-products; no row of the data is looked at."""
    solver = _chosen(spec, products)
    if solver == "krylov":
        _check_iterative(spec.estimation)
        try:
            return stochastic_estimate(spec, design, orthogonal, products.cp, products.layout, progress)
        except SlowConvergenceError as error:
            spec = _factored(spec, products.cp, error)
            solver = spec.estimation.solver
    objective = _objective(spec, products, solver)
    constant = orthogonal.constant(objective.reml)

    def llf(deviance: float) -> float:
        return -0.5 * (deviance + constant)

    options = spec.estimation
    start = objective.evaluate(_start(objective, products, options))
    path = em_path(objective, em_step, start, options, llf, progress if options.emonly else None)
    exact = options.difficult or products.weights is not None or _exact_is_cheap(objective)
    if options.emonly:
        return finish(spec, design, orthogonal, objective, em_optimum(objective, path, options, exact), path.log, llf)
    patience = PATIENCE if objective.cp.q_schur <= EXACT_AT_LAST else None
    plan = Plan(options, exact, patience, LogObjective if options.metric == "matlog" else None)
    optimum = minimize(objective, path.at, plan, llf, progress)
    if not optimum.converged and optimum.evaluation.pwrss < VANISHED * objective.cp.XytXy[-1, -1]:
        raise NumericalError(
            f"the residual variance goes to zero: the random effects fit `{spec.response}` exactly. Is there a group for "
            "every observation, or a constant response within groups?"
        )
    return finish(spec, design, orthogonal, objective, optimum, path.log, llf)


def _chosen(spec: ModelSpec, products: Products) -> str:
    """The solver, decided once; weights of groups decide for themselves."""
    asked = spec.estimation.solver
    return choose(products.cp) if asked == "auto" and products.weights is None else asked


def _start(objective: PenalizedObjective, products: Products, options: EstimationOptions) -> np.ndarray:
    """theta from moments; where a factorization is dear, from the iterative solver, which all but ends the search."""
    plain = EstimationOptions(method=options.method, solver=options.solver, dfmethod=options.dfmethod, nostderr=options.nostderr)
    dear = objective.solver in ("dense", "sparse") and objective.cp.q_schur >= DEAR and products.weights is None
    if dear and options == plain:
        found = iterative_start(products.cp, products.layout, options)
        if found is not None:
            return found
    return objective.parameters.nearest(mivque_start(objective.cp))


def _factored(spec: ModelSpec, cp: CrossProducts, error: SlowConvergenceError) -> ModelSpec:
    """The model with solver(sparse) in place of solver(auto), where conjugate gradients failed and a factor may still fit."""
    entries = expected_entries(cp)
    if spec.estimation.solver != "auto":
        raise error
    if entries > LAST_RESORT:
        raise NumericalError(
            f"no solver has an answer: conjugate gradients did not converge, and a sparse factor of order {cp.q_schur:,} has "
            f"more than {entries:,.0f} nonzeros ({12e-9 * entries:,.0f} GB). Nest the factors in the model (a: || b:), merge "
            "small groups, or try solver(sparse) on a machine with more memory"
        ) from error
    return replace(spec, estimation=replace(spec.estimation, solver="sparse"))


def _check_iterative(options: EstimationOptions) -> None:
    """Refuse options that the iterative solver, where it is chosen for its memory, would leave without effect."""
    asked = [field for field in NOT_KRYLOV if getattr(options, field) != getattr(EstimationOptions(), field)]
    if asked:
        name = "matlog" if asked[0] == "metric" else asked[0]
        raise OptionError(
            f"option {name} is not available here: this design is too large for a factorization, and solver(krylov), which "
            "takes its place, has one way to search. solver(sparse) tries a factorization all the same"
        )


def reopen(fit: Fit) -> tuple[PenalizedObjective, Orthogonal, PenalizedEvaluation]:
    """Factor once more at the optimum, for whoever needs the system behind a fit (degrees of freedom, scores).

    Returns
    -------
    PenalizedObjective; Orthogonal, which takes its coordinates of the fixed effects back to those of X; the evaluation at
    `fit.theta`.
    """
    orthogonal = orthogonalize(fit.design)
    products, solver = _products(fit.design, orthogonal), fit.spec.estimation.solver
    if solver == "auto" and fit.solver != "krylov" and products.weights is None:
        solver = fit.solver  # as chosen then
    objective = _objective(fit.spec, products, solver)
    return objective, orthogonal, objective.evaluate(fit.theta)


class Products(NamedTuple):
    """Cross-products, the layout of their terms, and D of every term's groups where groups have weights."""

    cp: CrossProducts
    layout: Parameters
    weights: list[np.ndarray] | None


def _products(design: Design, orthogonal: Orthogonal) -> Products:
    weights = design.weights.groups if design.weights is not None and design.weights.replicates_groups else None
    layout = parameters(design.random, innermost_first=weights is not None)
    terms = [term_data(design, design.random[r]) for r in layout.order]
    cp = cross_products(terms, orthogonal.Q, orthogonal.residual, orthogonal.n_obs)
    return Products(cp, layout, None if weights is None else [weights[r] for r in layout.order])


def _objective(spec: ModelSpec, products: Products, solver: str) -> PenalizedObjective:
    system = penalized_system(products.cp, solver, products.weights)
    return PenalizedObjective(products.cp, system, products.layout, spec.estimation.method == "reml")


def _exact_is_cheap(objective: PenalizedObjective) -> bool:
    """Whether to iterate with the exact Hessian; with weights of groups there is no average information."""
    cp = objective.cp
    if objective.solver == "block":
        return True
    return cp.q_schur <= EXACT_BELOW and objective.n_theta * cp.cross.size <= EXACT_WORK
