"""Fits with a residual structure: the same steps as `estimation.estimate`, on cluster patterns."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import DataError
from sparsemixed.estimation.boundary import Boundary, settle
from sparsemixed.estimation.cluster_objective import ClusterEvaluation, ClusterObjective
from sparsemixed.estimation.cluster_predictions import random_effects
from sparsemixed.estimation.fit import Fit, LogEntry, VarianceParameter
from sparsemixed.estimation.linear import check_residual, linear_llf
from sparsemixed.estimation.newton import Optimum, Progress, minimize
from sparsemixed.estimation.orthogonal import Orthogonal, orthogonalize
from sparsemixed.estimation.parameters import Parameters, parameters
from sparsemixed.estimation.report import random_parameters
from sparsemixed.estimation.start import mivque_start
from sparsemixed.solver.clusters import clusters, components
from sparsemixed.solver.crossproducts import TermData, cross_products
from sparsemixed.solver.threads import blas_threads
from sparsemixed.spec import ModelSpec
from sparsemixed.structures.base import Parameter

MOST_NUMBERS = 1e9
"""Numbers in all derivative matrices (8 GB) beyond which the design is refused."""


def cluster_estimate(spec: ModelSpec, design: Design, progress: Progress | None) -> Fit:
    """Fit a model with `design.residual`; see `estimation.estimate`."""
    with blas_threads(0):
        orthogonal = orthogonalize(design.X, design.y)
        check_residual(orthogonal, design.y, spec.response)
        objective, layout = cluster_objective(spec, design, orthogonal)
        constant = orthogonal.logdet if objective.reml else 0.0

        def llf(deviance: float) -> float:
            return -0.5 * (deviance + constant)

        start = objective.evaluate(_start(design, orthogonal, objective, layout))
        optimum = minimize(objective, start, spec.estimation, True, llf, progress)
        return _finish(spec, design, objective, orthogonal, optimum, llf)


def cluster_objective(spec: ModelSpec, design: Design, orthogonal: Orthogonal) -> tuple[ClusterObjective, Parameters]:
    """The objective of a design with a residual structure."""
    assert design.residual is not None
    layout, part = parameters(design.random), design.residual
    terms = _terms(design, layout)
    _check_size(terms, design, layout.n_theta + part.structure.n_rho)
    rows = np.column_stack([orthogonal.Q, orthogonal.residual])
    buckets = clusters(terms, part.codes, part.n_groups, part.t, rows)
    reml = spec.estimation.method == "reml"
    return ClusterObjective(buckets, layout, part.structure, len(design.y), design.X.shape[1], reml), layout


def _terms(design: Design, layout: Parameters) -> list[TermData]:
    return [TermData(t.codes, t.n_groups, t.columns) for t in (design.random[r] for r in layout.order)]


def _check_size(terms: list[TermData], design: Design, n_theta: int) -> None:
    part = design.residual
    assert part is not None
    cluster = components([part.codes, *(t.codes for t in terms)], [part.n_groups, *(t.n_groups for t in terms)])
    sizes = np.bincount(cluster).astype(float)
    largest, numbers = int(sizes.max()), float((sizes**2).sum()) * (n_theta + 3)
    if numbers > MOST_NUMBERS and largest > 200:
        raise DataError(
            f"{part.equation[10:]} residuals with these random effects tie up to {largest:,} rows together; the exact "
            f"computation would need {8e-9 * numbers:,.0f} GB. Use nested groups, or independent residuals"
        )


def _start(design: Design, orthogonal: Orthogonal, objective: ClusterObjective, layout: Parameters) -> np.ndarray:
    """MIVQUE(0) for the random effects under independence; moments of the residuals for the structures that take them."""
    part = design.residual
    assert part is not None
    theta = np.zeros(0)
    if design.random:
        theta = layout.nearest(mivque_start(cross_products(_terms(design, layout), orthogonal.Q, orthogonal.residual)))
    moments = None
    if part.levels is not None and part.t.ndim == 1 and not design.random:
        moments = _pairwise_moments(orthogonal.residual, part.t.astype(np.int64), part.codes, part.n_groups, len(part.levels))
    return np.append(theta, objective.residual.start(moments))


def _pairwise_moments(residual: np.ndarray, place: np.ndarray, codes: np.ndarray, n_groups: int, p: int) -> np.ndarray | None:
    """(p, p) mean products of the residuals at every pair of levels, None where some pair never meets."""
    table, seen = np.zeros((n_groups, p)), np.zeros((n_groups, p))
    table[codes, place], seen[codes, place] = residual, 1.0
    count = seen.T @ seen
    moments = (table.T @ table) / np.maximum(count, 1.0)
    return moments if np.all(np.diag(moments) > 0) else None


def _finish(
    spec: ModelSpec, design: Design, objective: ClusterObjective, orthogonal: Orthogonal, optimum: Optimum, llf
) -> Fit:
    model = optimum.derivatives.observed_information
    at, boundary = settle(objective, optimum.evaluation, model.gradient, model.profiled)
    derivatives = optimum.derivatives if at is optimum.evaluation else objective.derivatives(at)
    information = 0.5 * derivatives.observed_information.hessian
    held = np.append(boundary.parameters, False)
    information[held] = 0.0
    information[:, held] = 0.0
    variances, deviations = _variance_parameters(design, objective, at, boundary)
    u, u_var = random_effects(design, objective, at)
    return Fit(
        spec=spec,
        design=design,
        beta=orthogonal.coefficients(at.beta),
        vcov_beta=orthogonal.covariance(at.sigma2 * at.XVX_inverse),
        sigma2=at.sigma2,
        theta=at.theta,
        information=information,
        boundary=boundary.parameters,
        boundary_names=boundary.names,
        variances=variances,
        deviations=deviations,
        llf=llf(at.deviance),
        llf_linear=linear_llf(orthogonal, objective.reml),
        converged=optimum.converged,
        message=optimum.message,
        gradient_norm=0.5 * optimum.decrement,
        em_log=(LogEntry(0, optimum.log[0].llf, float("nan")),),
        log=optimum.log,
        iterations=len(optimum.log) - 1,
        factorizations=objective.factorizations,
        solver="clusters",
        u=u,
        u_var=u_var,
    )


def _variance_parameters(
    design: Design, objective: ClusterObjective, at: ClusterEvaluation, boundary: Boundary
) -> tuple[tuple[VarianceParameter, ...], tuple[VarianceParameter, ...]]:
    """Random-effects rows as in every fit, then those of the residual structure."""
    n, own = at.theta.size, objective.parameters.n_theta
    variances, deviations = random_parameters(objective.parameters, at.theta, at.sigma2, boundary, n)
    part = design.residual
    assert part is not None
    for p in objective.residual.display(at.theta[own:]):
        variances.append(_residual_row(part.equation, p, at.sigma2, own, n))
        if p.kind == "variance":
            p = _as_deviation(p)
        deviations.append(_residual_row(part.equation, p, at.sigma2, own, n))
    return tuple(variances), tuple(deviations)


def _as_deviation(p: Parameter) -> Parameter:
    sd = float(np.sqrt(p.value))
    return Parameter(p.label.replace("var(", "sd("), sd, "sd", p.gradient / (2 * sd))


def _residual_row(equation: str, p: Parameter, sigma2: float, own: int, n: int) -> VarianceParameter:
    power = {"variance": 1.0, "covariance": 1.0, "sd": 0.5}.get(p.kind, 0.0)
    scale = sigma2**power
    gradient = np.zeros(n + 1)
    gradient[own : own + p.gradient.size] = scale * p.gradient
    gradient[-1] = power * scale * p.value
    return VarianceParameter(equation, p.label, scale * p.value, gradient, p.kind, False)


