"""Deletion of rows at given variance parameters: exact for the coefficients, from inv(V) on the rows that go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.errors import NotAvailableError, NumericalError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.influence.deletion import Deletion, alone, from_information
from sparsemixed.postestimation.influence.dense_clusters import clusters_of, dense_whitened, is_cheap
from sparsemixed.postestimation.influence.eliminated_rows import eliminated_whitened
from sparsemixed.postestimation.influence.groups import DeletedGroups
from sparsemixed.postestimation.influence.remaining_rows import at_given_theta, named_covariances
from sparsemixed.postestimation.influence.whitened import Stack, Whitened
from sparsemixed.solver.kernels import scatter_outer


def whitened(fit: Fit) -> Whitened:
    """The rows of a fit: by small clusters, by the factored system where rows of large ones are tied by random effects alone.

    Raises
    ------
    NotAvailableError
        Weights of groups, which make of the likelihood none of a multivariate normal distribution; normal priors of coefficients;
        too many rows tied together.
    """
    refuse_group_weights(fit)
    prior = fit.spec.estimation.prior
    if prior is not None and prior.of_coefficients:
        raise NotAvailableError(
            "influence, leverage and loo rest on least squares, which coefficients with normal priors (prior=) are not; "
            "method='exact' of influence fits again without the rows"
        )
    clusters = clusters_of(fit)
    if fit.design.residual is None and not fit.without_errors and not is_cheap(clusters):
        return eliminated_whitened(fit, clusters)
    return dense_whitened(fit, clusters)


def refuse_group_weights(fit: Fit) -> None:
    """Refuse weights that replicate groups: rows have no covariance matrix then."""
    if fit.design.weights is not None and fit.design.weights.replicates_groups:
        raise NotAvailableError(
            "influence, leverage and loo are not available with weights of groups, whose likelihood is none of single rows; "
            "method='exact' fits again without the rows"
        )


def deleted_rows(rows: Whitened) -> Deletion:
    """Every row for itself: (n, ...) in closed form."""
    P = rows.P
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(alone(P, rows.precision.diagonal()), np.nan, 1.0 / P)
    d = rows.E * (rows.e * share)[:, None]
    K = np.eye(rows.E.shape[1]) + rows.E[:, :, None] * (rows.E * share[:, None])[:, None, :]
    return Deletion(d, K, rows.root)


def deleted_groups(fit: Fit, rows: Whitened, groups: DeletedGroups) -> Deletion:
    """Groups of rows.

    The share of the information is the sum of X'inv(V)X over a group of whole clusters; of others it is E'inv(H)E.
    """
    J, r = groups.n_groups, rows.E.shape[1]
    if groups.by is None:
        return deleted_rows(rows)
    G, c = np.zeros((J, r, r)), np.zeros((J, r))
    if rows.whole(groups.codes):
        scatter_outer(groups.codes, rows.X, np.ascontiguousarray(rows.E), G)
        scatter_outer(groups.codes, rows.X, rows.e[:, None], c[..., None])
        return Deletion(*from_information((G + G.transpose(0, 2, 1)) / 2, c)[:2], rows.root)
    done = np.zeros(J, bool)
    for stack in rows.precision.stacks(groups.codes, J):
        U, s, _ = solved(stack)
        np.add.at(G, stack.groups, U.transpose(0, 2, 1) @ U)
        np.add.at(c, stack.groups, np.einsum("nma,nm->na", U, s))
        done[stack.groups] = True
    found = Deletion(*from_information(G, c)[:2], rows.root)
    return found if done.all() else _with_large(fit, found, groups, np.flatnonzero(~done))


def solved(stack: Stack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """inv(L)E (N, c, r) and inv(L)e (N, c), and L (N, c, c), with H = LL'."""
    try:
        L = np.linalg.cholesky(stack.H)
    except np.linalg.LinAlgError:
        raise NumericalError(
            "influence: inv(V) lost its digits on some group of rows: random effects are too much larger than the errors"
        ) from None
    both = np.linalg.solve(L, np.concatenate([stack.E, stack.e[..., None]], axis=2))
    return both[..., :-1], both[..., -1], L


def _with_large(fit: Fit, found: Deletion, groups: DeletedGroups, large: np.ndarray) -> Deletion:
    """The same with groups of too many rows: the system is factored again without these."""
    d, K = found.d.copy(), found.K.copy()
    inverse, named = np.linalg.pinv(found.root), named_covariances(fit)
    for group in large:
        rest = at_given_theta(fit, named, groups.codes != group)
        if rest is None:
            d[group], K[group] = np.nan, np.nan
        else:
            d[group] = inverse @ (fit.beta - rest.beta)
            K[group] = inverse @ rest.covariance @ inverse.T * (fit.sigma2 / rest.sigma2)
    return replace(found, d=d, K=K)
