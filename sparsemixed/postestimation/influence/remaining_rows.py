"""The model of a fit on some of its rows: evaluated where the fit's search ended, or searched again from there."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsemixed.design.subset import determines_coefficients, rows_kept
from sparsemixed.design.values import Design
from sparsemixed.errors import SparseMixedWarning
from sparsemixed.estimation.estimate import fit_problem
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.invisible import hold_invisible_rows
from sparsemixed.estimation.orthonormal import orthonormal_coordinates
from sparsemixed.estimation.parameters import NO_TERM, ThetaMap, parameters
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.em import EmPath
from sparsemixed.estimation.sources.rows import reduce_rows


@dataclass(frozen=True)
class Remaining:
    """Coefficients (p,), their covariance (p, p) and sigma2 without some rows, the other variance parameters as given."""

    beta: np.ndarray
    covariance: np.ndarray
    sigma2: float


Covariances = Mapping[int, np.ndarray]
"""Covariance over sigma2 of the effects of one group, by the place of the term in the design."""


def at_given_theta(fit: Fit, named: Covariances, keep: np.ndarray) -> Remaining | None:
    """The estimates on the rows where `keep` (n,) is true at the fit's theta; None where they leave a coefficient open."""
    design = rows_kept(fit.design, keep)
    if not determines_coefficients(design):
        return None
    problem = _problem(fit, design)
    at = problem.objective.evaluate(same_theta(fit, named, problem.objective.parameters))
    orthogonal = problem.case.reduction.orthogonal
    root = orthogonal.root(np.linalg.cholesky(at.sigma2 * at.XVX_inverse))
    return Remaining(orthogonal.coefficients(at.beta), root @ root.T, at.sigma2)


def fitted_again(fit: Fit, named: Covariances, keep: np.ndarray) -> Fit | None:
    """The fit to the rows where `keep` (n,) is true, searched from the place of the old one; None as in `at_given_theta`.

    Raises
    ------
    SparseMixedError
        As for the whole data.
    """
    design = rows_kept(fit.design, keep)
    if not determines_coefficients(design):
        return None
    problem = started_at(fit, named, design)
    with warnings.catch_warnings():
        # What is told of one of very many fits is told of none.
        warnings.simplefilter("ignore", SparseMixedWarning)
        return fit_problem(problem)


def started_at(fit: Fit, named: Covariances, design: Design) -> Problem[Any, Any]:
    """The fit's model for other rows, searched from the place of the fit."""
    problem = _problem(fit, design)
    return problem if problem.start is None else replace(problem, start=lambda llf, progress: _start(fit, named, problem))


def _problem(fit: Fit, design: Design) -> Problem[Any, Any]:
    return choose_problem(fit.spec, design, reduce_rows(fit.spec, design, design.residual is None))


def _start(fit: Fit, named: Covariances, problem: Problem[Any, Any]) -> EmPath[Any]:
    theta = same_theta(fit, named, problem.objective.parameters)
    # On the boundary the gradient vanishes, whatever the likelihood does beside it.
    away = np.where(np.abs(theta) < 1e-3, 0.3, theta) if fit.boundary.any() else theta
    away[problem.objective.parameters.n_theta :] = theta[problem.objective.parameters.n_theta :]
    held = np.append(problem.objective.parameters.held, np.zeros(len(theta) - problem.objective.parameters.n_theta, bool))
    return EmPath(problem.objective.evaluate(np.where(held, 0.0, away)), (), False)


def named_covariances(fit: Fit) -> Covariances:
    """Of the effects as they are named, whatever the engine's columns."""
    reml = fit.spec.estimation.method == "reml"
    layout = hold_invisible_rows(parameters(fit.design.random), fit.design, orthonormal_coordinates(fit.design), reml)
    named = {}
    for r, factor, T in zip(layout.order, layout.factors(fit.theta[: layout.n_theta]), layout.bases(), strict=True):
        half = factor if T is None else T @ factor
        named[r] = half @ half.T
    return named


def same_theta(fit: Fit, named: Covariances, layout: ThetaMap) -> np.ndarray:
    """theta of the same covariance matrices in the coordinates of a layout, which follow the columns of its rows."""
    covariances = []
    for r, k, T in zip(layout.order, layout.k, layout.bases(), strict=True):
        G = np.zeros((k, k)) if r == NO_TERM else named[r]
        inverse = np.eye(k) if T is None else np.linalg.inv(T)
        covariances.append(inverse @ G @ inverse.T)
    return np.append(layout.nearest(covariances), fit.theta[layout.n_theta :])
