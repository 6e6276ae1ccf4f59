"""inv(V) of small independent clusters, each formed and inverted: any structures of errors and effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import NotAvailableError, NumericalError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.cluster_blocks import alike, dense_covariances, term_covariances
from sparsemixed.postestimation.influence.whitened import NUMBERS, Stack, Whitened, padded, taken, with_unit_diagonal
from sparsemixed.solver.residual.patterns import independent_blocks

MOST_CLUSTER_ROWS = 3000
"""Rows of one cluster beyond which its inverse is not formed."""
SMALL_CLUSTER, MOST_NUMBERS, MOST_WORK = 400, 5e7, 2e10
"""Rows of a cluster, numbers in all inverses, and multiplications, up to which this way is taken where there is another."""

WORKING = 2.5e5
"""Numbers in the matrices of the clusters that are inverted together: few enough to stay near the processor."""
KEPT = 2e6
"""Numbers in all inverses up to which they are kept; more are made again where they are asked for."""


def clusters_of(fit: Fit) -> np.ndarray:
    """(n,) independent cluster of each row."""
    design = fit.design
    codes = [term.codes for term in design.random]
    sizes = [term.n_groups for term in design.random]
    if design.residual is not None and not design.residual.structure.independent_rows:
        codes.append(design.residual.codes)
        sizes.append(design.residual.n_groups)
    return independent_blocks(codes, sizes) if codes else np.arange(design.n_rows)


def is_cheap(clusters: np.ndarray) -> bool:
    """Whether all clusters are small."""
    sizes = np.bincount(clusters).astype(float)
    return bool(sizes.max() <= SMALL_CLUSTER and np.sum(sizes**2) <= MOST_NUMBERS and np.sum(sizes**3) <= MOST_WORK)


@dataclass(frozen=True)
class Batch:
    """Clusters of like size: rows and places as in `Stack`, H (N, m, m)."""

    rows: np.ndarray
    place: np.ndarray
    H: np.ndarray


def batches_of_rows(clusters: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows (N, m) and places (N, m) of clusters of like size."""
    order = np.argsort(clusters, kind="stable")
    sizes = np.bincount(clusters)
    ends = np.cumsum(sizes)
    for chosen in alike(sizes):
        m = int(sizes[chosen].max())
        step = max(1, int(WORKING // (m * m)))
        for some in np.split(chosen, range(step, len(chosen), step)):
            yield padded(order, sizes, ends, some)


def scale_of(fit: Fit) -> np.ndarray:
    """(n,) sigma / sqrt(w)."""
    weights = fit.design.weights
    return np.full(fit.design.n_rows, np.sqrt(fit.sigma2)) / (1.0 if weights is None else np.sqrt(weights.rows))


def dense_whitened(fit: Fit, clusters: np.ndarray) -> Whitened:
    """The rows of a fit with small clusters (n,).

    Raises
    ------
    NotAvailableError
        A cluster is too large.
    NumericalError
        V is singular.
    """
    largest = int(np.bincount(clusters).max())
    if largest > MOST_CLUSTER_ROWS:
        raise NotAvailableError(
            f"influence: {largest:,} rows are tied together by groups and correlated errors, and inv(V) is formed for at most "
            f"{MOST_CLUSTER_ROWS:,}; use method='exact'"
        )
    scale, design = scale_of(fit), fit.design
    X, residual = design.X @ fit.root / scale[:, None], (design.y - design.X @ fit.beta) / scale
    E, e, H, hat = np.empty_like(X), np.empty_like(residual), np.empty_like(residual), np.empty_like(residual)
    terms = term_covariances(fit)

    def batches() -> Iterator[Batch]:
        for rows, place in batches_of_rows(clusters):
            yield _batch(fit, terms, rows, place, scale)

    kept = list(batches()) if np.sum(np.bincount(clusters).astype(float) ** 2) <= KEPT else None
    for one in batches() if kept is None else kept:
        rows, place = one.rows, one.place
        here = rows[place]
        own_E = one.H @ taken(place, X[rows])
        E[here], e[here] = own_E[place], (one.H @ taken(place, residual[rows])[..., None])[..., 0][place]
        H[here] = np.einsum("nii->ni", one.H)[place]
        hat[here] = _leverages(fit, one, own_E, scale)[place]
    return Whitened(
        fit.root, X, residual, E, e, scale, clusters, DenseClusters(batches if kept is None else lambda: kept, E, e, H, hat)
    )


def _batch(fit: Fit, terms: list, rows: np.ndarray, place: np.ndarray, scale: np.ndarray) -> Batch:
    V = dense_covariances(fit, terms, rows, place)
    s = np.where(place, scale[rows], np.sqrt(fit.sigma2))
    try:
        L = np.linalg.cholesky(V / (s[:, :, None] * s[:, None, :]))
    except np.linalg.LinAlgError:
        raise NumericalError("influence: the estimated covariance matrix of some cluster of rows is singular") from None
    half = np.linalg.solve(L, np.broadcast_to(np.eye(L.shape[-1]), L.shape))
    return Batch(rows, place, half.transpose(0, 2, 1) @ half)


def _leverages(fit: Fit, one: Batch, E: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(N, m) diagonal of I - RP."""
    P = one.H - E @ E.transpose(0, 2, 1)
    if fit.design.residual is None:
        return 1.0 - np.einsum("nii->ni", P)
    s = np.where(one.place, scale[one.rows], np.sqrt(fit.sigma2))
    R = dense_covariances(fit, [], one.rows, one.place) / (s[:, :, None] * s[:, None, :])
    return 1.0 - np.einsum("nij,nij->ni", R, P)


@dataclass(frozen=True)
class DenseClusters:
    """H cluster by cluster; E (n, r) and e (n,) as in `Whitened`, and the numbers of each row that `Precision` hands out."""

    batches: Callable[[], Iterable[Batch]]
    E: np.ndarray
    e: np.ndarray
    H: np.ndarray
    hat: np.ndarray

    def diagonal(self) -> np.ndarray:
        return self.H

    def leverages(self) -> np.ndarray:
        return self.hat

    def stacks(self, codes: np.ndarray, n_groups: int) -> Iterator[Stack]:
        """What clusters and groups have in common, set by set."""
        for one in self.batches():
            own = np.where(one.place, codes[one.rows], -1)
            if np.all((own == own[:, :1]) | ~one.place):
                yield self._stack(own[:, 0], one.rows, one.place, one.H)
            else:
                yield from self._parts(one, own)

    def _parts(self, one: Batch, own: np.ndarray) -> Iterator[Stack]:
        """The sets of rows that share a group `own` (N, m) within a cluster."""
        cluster, position = np.nonzero(one.place)
        order = np.lexsort((position, own[cluster, position], cluster))
        cluster, position = cluster[order], position[order]
        group = own[cluster, position]
        new = np.append(True, (cluster[1:] != cluster[:-1]) | (group[1:] != group[:-1]))
        sizes = np.bincount(np.cumsum(new) - 1)
        ends = np.cumsum(sizes)
        for chosen in alike(sizes):
            m = int(sizes[chosen].max())
            step = max(1, int(NUMBERS // (m * m)))
            for some in np.split(chosen, range(step, len(chosen), step)):
                at, place = padded(np.arange(len(group)), sizes, ends, some)
                which, where = cluster[at], position[at]
                H = one.H[which[:, :, None], where[:, :, None], where[:, None, :]]
                yield self._stack(group[at[:, 0]], one.rows[which, where], place, with_unit_diagonal(place, H))

    def _stack(self, groups: np.ndarray, rows: np.ndarray, place: np.ndarray, H: np.ndarray) -> Stack:
        return Stack(groups.astype(np.int64), rows, place, H, taken(place, self.E[rows]), taken(place, self.e[rows]))
