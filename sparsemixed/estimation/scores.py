"""Scores: derivatives of the log likelihood by independent cluster, in (beta, theta, rho, log sigma2).

The deviance is a sum over independent clusters j, with N, e, u and Q of the whole data (see `penalized_derivatives`):

- beta: X_j'Q e_j / sigma2;
- theta_k: -tr(N_j Lambda'A_j D_k) + (Z_j'Q e)'D_k u_j / sigma2, which sums over the cluster's groups;
- rho_k: minus half the sum over the cluster's entries of dQ_k times Psi, and of its groups' parts of dlog|R|;
- log sigma2: (e_j'Q e_j + u_j'D u_j) / (2 sigma2) - n_j / 2.

Weights of rows and groups multiply through, so scores belong to weighted clusters (manual, Methods and formulas: partial
derivatives of L_j in equation 14).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sparsemixed.design.row_data import ROWS, HoldsRows
from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.precision_derivatives import PrecisionDerivatives
from sparsemixed.estimation.orthonormal import engine_terms, orthonormal_coordinates
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.solver.crossproducts.block_products import diagonal_blocks, times_lambda
from sparsemixed.solver.crossproducts.crossproducts import TermData
from sparsemixed.solver.kernels import scatter_outer
from sparsemixed.solver.linalg import covariance_root


@dataclass(frozen=True)
class Scores(HoldsRows):
    """Scores of M clusters.

    Attributes
    ----------
    beta : (M, r) float64
        In coordinates in which the covariance of the coefficients is the identity (times `Fit.root` they are standardised).
    theta : (M, n_theta + 1) float64
        In (theta, log sigma2).
    """

    beta: np.ndarray = field(metadata=ROWS)
    theta: np.ndarray = field(metadata=ROWS)


@dataclass(frozen=True)
class _Opened:
    """What scores are summed of, rows or residual groups in the engine's order: their clusters, X'Qe, e'Qe, observations."""

    cluster: np.ndarray
    terms: Sequence[TermData]
    fixed: np.ndarray
    squares: np.ndarray
    counts: np.ndarray
    derivatives: PenalizedDerivatives


def cluster_scores(fit: Fit, cluster: np.ndarray, n_clusters: int) -> Scores:
    """Scores of independent clusters.

    Parameters
    ----------
    fit : Fit
    cluster : (n,) int
        Cluster of each row: unions of top-level groups.
    n_clusters : int

    Raises
    ------
    NotAvailableError
        The residual variance is zero: its score is no derivative of a likelihood there.
    """
    if fit.without_errors:
        raise NotAvailableError(
            "scores and vce(robust) are not available where var(Residual) is 0; leave random effects out, or use the model-based "
            "standard errors"
        )
    if fit.design.residual is None and not fit.design.random:
        return _linear(fit, cluster, n_clusters)
    opened = _open_residual(fit, cluster) if fit.design.residual is not None else _open(fit, cluster)
    at = opened.derivatives.at
    beta = np.zeros((n_clusters, 1, opened.fixed.shape[1]))
    scatter_outer(opened.cluster, np.ones((len(opened.fixed), 1)), opened.fixed, beta)
    root = covariance_root(at.sigma2, at.XVX_inverse)
    squares = np.bincount(opened.cluster, opened.squares, n_clusters)
    counts = np.bincount(opened.cluster, opened.counts, n_clusters)
    columns, spheres = _theta(opened, n_clusters)
    if isinstance(opened.derivatives, PrecisionDerivatives):
        columns += _rho(opened, opened.derivatives, n_clusters)
    columns.append(0.5 * ((squares + spheres) / at.sigma2 - counts))
    return Scores(beta[:, 0] @ root / at.sigma2, np.column_stack(columns))


def _linear(fit: Fit, cluster: np.ndarray, n_clusters: int) -> Scores:
    """Without random effects: X_j'e_j / sigma2 and (e_j'e_j / sigma2 - n_j) / 2."""
    orthogonal = orthonormal_coordinates(fit.design)
    e, beta = orthogonal.residual, np.zeros((n_clusters, 1, orthogonal.rank))
    scatter_outer(cluster, e[:, None], orthogonal.Q, beta)
    theta = 0.5 * (np.bincount(cluster, e**2, n_clusters) / fit.sigma2 - np.bincount(cluster, _counts(fit), n_clusters))
    return Scores(beta[:, 0] / np.sqrt(fit.sigma2), theta[:, None])


def _theta(opened: _Opened, n_clusters: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Scores (M,) of every theta, and the sums u'Du (M,)."""
    derivatives, at = opened.derivatives, opened.derivatives.at
    cp, weights = at.cp, at.system.weights
    columns = [np.zeros(n_clusters) for _ in derivatives.directions]
    spheres = np.zeros(n_clusters)
    blocks = diagonal_blocks(cp, derivatives.inverse, derivatives.factors)
    for t, (where, block) in enumerate(zip(cp.slices, blocks, strict=True)):
        own = _cluster_of_groups(opened, t, cp.n_groups[t])
        u, Ze = (x[where].reshape(cp.n_groups[t], cp.k[t]) for x in (at.u, derivatives.Zte))
        slope = Ze[:, :, None] * u[:, None, :] / at.sigma2 - block.transpose(0, 2, 1)
        for column, direction in zip(columns, derivatives.directions, strict=True):
            if direction[t].any():
                column += np.bincount(own, np.einsum("iab,ab->i", slope, direction[t]), n_clusters)
        spheres += np.bincount(own, weights[t] * np.einsum("ia,ia->i", u, u), n_clusters)
    return columns, spheres


def _cluster_of_groups(opened: _Opened, t: int, n_groups: int) -> np.ndarray:
    """(J,) cluster of every group of engine term t."""
    out = np.zeros(n_groups, np.int64)
    out[opened.terms[t].codes] = opened.cluster
    return out


def _rho(opened: _Opened, derivatives: PrecisionDerivatives, n_clusters: int) -> list[np.ndarray]:
    rows = derivatives.rows
    _, data, logdet = derivatives.residual_changes
    of_entry = opened.cluster[rows.row]
    of_group = opened.cluster[rows.start[:-1]]
    return [
        -0.5 * (np.bincount(of_entry, change * derivatives.row_weights, n_clusters) + np.bincount(of_group, slope, n_clusters))
        for change, slope in zip(data, logdet, strict=True)
    ]


def _open(fit: Fit, cluster: np.ndarray) -> _Opened:
    objective, orthogonal, at = refactor_at_optimum(fit)
    derivatives = objective.derivatives(at)
    terms = engine_terms(fit.design, objective.parameters)
    residual = orthogonal.residual - orthogonal.Q @ at.beta
    b = times_lambda(at.cp, at.factors, at.u[:, None])[:, 0]
    for term, where, k in zip(terms, objective.cp.slices, objective.cp.k, strict=True):
        residual -= np.einsum("nk,nk->n", term.columns, b[where].reshape(-1, k)[term.codes])
    return _Opened(cluster, terms, residual[:, None] * orthogonal.Q, residual**2, _counts(fit), derivatives)


def _open_residual(fit: Fit, cluster: np.ndarray) -> _Opened:
    problem = problem_of(fit, "precision")
    objective, order = problem.objective, problem.order
    assert order is not None
    derivatives = objective.derivatives(objective.evaluate(fit.theta))
    fixed, squares, first = derivatives.score_rows()
    counts = np.add.reduceat(_counts(fit)[order], first)
    return _Opened(cluster[order[first]], objective.rows.terms, fixed, squares, counts, derivatives)


def _counts(fit: Fit) -> np.ndarray:
    """(n,) observations that each row stands for."""
    weights = fit.design.weights
    return np.ones(len(fit.design.y)) if weights is None or weights.kind == "precision" else weights.rows
