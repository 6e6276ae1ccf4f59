"""Deletion of independent groups with everything estimated anew, by one Newton step each.

The criterion without a group is a sum over the others. From the fit's theta, with beta and sigma2 at their best for it, one step
of Newton's method in (theta, beta, log sigma2) has exact gradient and Hessian, whatever the structures (cf. Pregibon 1981, Annals
of Statistics 9; Christensen, Pearson & Johnson 1992). What lies on the boundary stays there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.postestimation.influence.cluster_moments import ClusterMoments, DenseMoments, GroupMoments, Moments
from sparsemixed.postestimation.influence.deletion import Deletion
from sparsemixed.postestimation.influence.dense_clusters import clusters_of, is_cheap
from sparsemixed.postestimation.influence.fixed_theta import refuse_group_weights
from sparsemixed.postestimation.influence.groups import DeletedGroups
from sparsemixed.postestimation.influence.printed_variances import printed_variances
from sparsemixed.solver.linalg import covariance_root

NUMBERS = 2e7
"""Numbers in the moments of the groups that are held at a time (160 MB)."""


def one_step_deleted(fit: Fit, groups: DeletedGroups) -> Deletion:
    """One Newton step for each group.

    Raises
    ------
    NotAvailableError
        Groups that share random effects or correlated errors with other rows; no variance parameters; large tied clusters.
    """
    refuse_group_weights(fit)
    if fit.spec.estimation.prior is not None:
        raise NotAvailableError(
            "influence: method='onestep' steps along the likelihood, and the fit has prior=; use 'exact' or 'fixed'"
        )
    clusters = clusters_of(fit)
    own = np.zeros(int(clusters.max()) + 1, np.int64)
    own[clusters] = groups.codes
    if not np.array_equal(own[clusters], groups.codes):
        raise NotAvailableError(
            f"influence: method='onestep' needs groups that share nothing with other rows, and those of "
            f"{groups.by or 'single rows'} share random effects or correlated errors with them; use method='exact', or 'fixed'"
        )
    if not len(fit.theta) or fit.without_errors:
        raise NotAvailableError("influence: method='onestep' needs variance parameters inside; use method='exact'")
    source, beta, orthogonal, sigma2, inverse = _source(fit, clusters)
    root = covariance_root(sigma2, inverse)
    pieces = list(_pieces(source, own, groups.n_groups, len(fit.theta), len(beta) + 1))
    total = pieces[0][1].total()
    for _, piece in pieces[1:]:
        total = total + piece.total()
    J, r = groups.n_groups, len(beta)
    d, K = np.full((J, r), np.nan), np.full((J, r, r), np.nan)
    theta, scale = np.full((J, len(fit.theta)), np.nan), np.full(J, np.nan)
    reml, free = fit.spec.estimation.method == "reml", ~fit.boundary
    for some, piece in pieces:
        found, covariance, theta[some], scale[some] = newton_step(total - piece, fit.theta, free, reml)
        whitened = np.linalg.inv(root)
        d[some] = (beta - found) @ whitened.T
        K[some] = whitened @ covariance @ whitened.T
    lost = ~(np.isfinite(d).all(axis=1) & np.isfinite(theta).all(axis=1))
    d[lost], K[lost] = np.nan, np.nan
    return Deletion(d, K, orthogonal.root(root), printed_variances(fit, theta, scale))


def _source(fit: Fit, clusters: np.ndarray) -> tuple[ClusterMoments, np.ndarray, Any, float, np.ndarray]:
    """Where moments come from; the coefficients of orthonormal X, these coordinates, sigma2 and inv(X'inv(V_0)X)."""
    weights = fit.design.weights
    counts = np.ones(fit.design.n_rows) if weights is None or weights.kind == "precision" else weights.rows
    if serves_groups(fit, clusters):
        objective, orthogonal, at = refactor_at_optimum(fit)
        return GroupMoments(fit, objective, orthogonal, counts), at.beta, orthogonal, at.sigma2, at.XVX_inverse
    if not is_cheap(clusters):
        raise NotAvailableError(
            f"influence: method='onestep' forms V of up to {int(np.bincount(clusters).max()):,} rows tied together, which "
            "is too many; use method='exact', or 'fixed'"
        )
    problem = problem_of(fit)
    at, orthogonal = problem.objective.evaluate(fit.theta), problem.case.reduction.orthogonal
    source = DenseMoments(fit, problem.objective.parameters, orthogonal, clusters, counts)
    return source, at.beta, orthogonal, at.sigma2, at.XVX_inverse


def serves_groups(fit: Fit, clusters: np.ndarray) -> bool:
    """Whether clusters (n,) are the groups of the one random term, in the same order, and errors are independent."""
    return fit.design.residual is None and len(fit.design.random) == 1 and np.array_equal(fit.design.random[0].codes, clusters)


def _pieces(source: ClusterMoments, own: np.ndarray, n_groups: int, t: int, P: int) -> Iterator[tuple[np.ndarray, Moments]]:
    """Groups, some at a time, with their moments; own (M,): the group of every cluster."""
    clusters = np.argsort(own, kind="stable")
    ends = np.cumsum(np.bincount(own, minlength=n_groups))
    step = max(1, int(NUMBERS // ((t * P) ** 2 * max(1, len(own) / n_groups))))
    for begin in range(0, n_groups, step):
        some = np.arange(begin, min(begin + step, n_groups))
        inside = clusters[(ends[begin - 1] if begin else 0) : ends[some[-1]]]
        yield some, source.of(inside).summed(own[inside] - begin, len(some))


def newton_step(
    rest: Moments, theta: np.ndarray, free: np.ndarray, reml: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """beta (J, p), its covariance (J, p, p), theta (J, t) and sigma2 (J,) after one step without each of J groups.

    Parameters
    ----------
    rest : Moments
        Of everything but the group.
    free : (t,) bool
        The parameters that move.
    """
    p = rest.W.shape[1] - 1
    df = rest.n - (p if reml else 0)
    A, flat = _inverse(rest.W[:, :p, :p]), rest.W1.reshape(*rest.W1.shape[:2], -1)
    beta = np.einsum("jab,jb->ja", A, rest.W[:, :p, p])
    v = np.concatenate([-beta, np.ones((len(beta), 1))], axis=1)
    sigma2 = np.einsum("ja,jab,jb->j", v, rest.W, v, optimize=True) / df
    squares = (v[:, :, None] * v[:, None, :]).reshape(len(v), -1)
    moved = np.einsum("jkx,jx->jk", flat, squares) / sigma2[:, None]
    x = np.einsum("jkab,jb->jka", rest.W1, v)[..., :p]
    gradient = rest.log1 + moved
    bent = rest.W2.reshape(*rest.W2.shape[:3], -1)
    hessian = rest.log2 + np.einsum("jklx,jx->jkl", bent, squares) / sigma2[:, None, None]
    Ax = np.einsum("jab,jkb->jka", A, x)
    hessian -= 2.0 * np.einsum("jka,jla->jkl", x, Ax) / sigma2[:, None, None]
    if reml and p:
        gradient = gradient + np.einsum("jkab,jab->jk", rest.W1[:, :, :p, :p], A)
        hessian += np.einsum("jklab,jab->jkl", rest.W2[..., :p, :p], A)
        first = A[:, None] @ rest.W1[:, :, :p, :p]
        hessian -= np.einsum("jkab,jlba->jkl", first, first)
    profiled = hessian - moved[:, :, None] * moved[:, None, :] / df[:, None, None]
    step = _step(profiled, gradient, free)
    changed = np.einsum("jk,jkab->jab", step, rest.W1[:, :, :p, :p])
    scale = sigma2 * np.exp(np.einsum("jk,jk->j", step, moved) / df)
    covariance = scale[:, None, None] * _moved_inverse(A, changed)
    return beta + np.einsum("jk,jka->ja", step, Ax), covariance, theta + step, scale


def _inverse(matrices: np.ndarray) -> np.ndarray:
    """Inverses (J, p, p) of positive definite matrices; NaN where one is not, up to rounding."""
    values, vectors = np.linalg.eigh((matrices + matrices.transpose(0, 2, 1)) / 2)
    values = np.where((values > 1e-10).all(axis=1, keepdims=True), values, np.nan)
    return (vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1)


def _moved_inverse(inverse: np.ndarray, change: np.ndarray) -> np.ndarray:
    """inv(A) (J, p, p) once log A in the coordinates of inv(A) has moved by `change` of A: to first order inv(A + change), and
    positive definite however long the step."""
    known = np.asarray(np.isfinite(inverse).all(axis=(1, 2)) & np.isfinite(change).all(axis=(1, 2)))
    root = np.linalg.cholesky(np.where(known[:, None, None], inverse, np.eye(inverse.shape[1])))
    moved = root.transpose(0, 2, 1) @ np.where(known[:, None, None], change, 0.0) @ root
    values, vectors = np.linalg.eigh((moved + moved.transpose(0, 2, 1)) / 2)
    half = (root @ vectors) * np.exp(-0.5 * values)[:, None, :]
    return np.where(known[:, None, None], half @ half.transpose(0, 2, 1), np.nan)


def _step(hessian: np.ndarray, gradient: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Newton's step (J, t); NaN where the Hessian is not positive definite, so that there is no minimum to go to."""
    out = np.zeros_like(gradient)
    own = hessian[:, free][:, :, free]
    known = np.asarray(np.isfinite(own).all(axis=(1, 2)))
    size = np.sqrt(np.abs(np.einsum("jkk->jk", own)))
    size = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(
        np.where(known[:, None, None], own / (size[:, :, None] * size[:, None, :]), np.eye(own.shape[1]))
    )
    values = np.where((values > 1e-12).all(axis=1, keepdims=True) & known[:, None], values, np.nan)
    turned = np.einsum("jab,ja->jb", vectors, gradient[:, free] / size) / values
    out[:, free] = -np.einsum("jab,jb->ja", vectors, turned) / size
    return out
