"""The rows of independent clusters with their covariance under the model, clusters of like size stacked.

V_j = sigma2 (R_j + sum_t Z_t Lambda_t Lambda_t' Z_t') is formed densely for each cluster j. Two exact devices make that cheap:

- Rows of zeros with variance sigma2 and no covariances change nothing, so clusters of about the same size share one stack.
- With errors sigma2 I, a rotation Q' of a cluster's rows that leaves all of [Z X] in the first rows makes the others exactly
  such rows, which are left out: a cluster of any size has at most as many rows as Z_j and X_j have columns.

Whatever is equivariant under rotations may be computed from these stacks: X'inv(V)X, and the symmetric square roots of
`inference.covariance.cluster_robust`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import DataError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.invisible import hold_invisible_rows
from sparsemixed.estimation.orthonormal import orthonormal_coordinates
from sparsemixed.estimation.parameters import parameters

MAX_CLUSTER_ROWS = 3000
"""Rows of one cluster's dense covariance matrix beyond which it is refused (72 MB, and cubic time)."""
NUMBERS = 4e6
"""Numbers in one stack of covariance matrices (32 MB)."""
SIZE_RATIO = 1.25
"""Ratio of the sizes of clusters that share a stack, at most."""


@dataclass(frozen=True)
class Stack:
    """N clusters of m rows each.

    Attributes
    ----------
    clusters : (N,) int64
    V : (N, m, m) float64
        Covariance of the rows.
    X : (N, m, r) float64
        Columns in coordinates in which the covariance of the coefficients is the identity, X @ Fit.root.
    e : (N, m) float64
        y - X beta.
    """

    clusters: np.ndarray
    V: np.ndarray
    X: np.ndarray
    e: np.ndarray


@dataclass(frozen=True)
class TermCovariance:
    """A random term: group of each row (n,), columns (n, k), covariance (k, k) of one group's effects."""

    codes: np.ndarray
    columns: np.ndarray
    G: np.ndarray


def stacks(fit: Fit) -> Iterator[Stack]:
    """All clusters of `fit.design.clusters`, in some order.

    Raises
    ------
    DataError
        A cluster is too large for a dense covariance matrix.
    """
    clusters, part, weights = fit.design.clusters, fit.design.residual, fit.design.weights
    assert clusters is not None
    X, e = fit.design.X @ fit.root, fit.design.y - fit.design.X @ fit.beta
    terms = term_covariances(fit)
    order = np.argsort(clusters.codes, kind="stable")
    sizes = np.bincount(clusters.codes, minlength=clusters.n_clusters)
    ends = np.cumsum(sizes)
    simple = part is None and weights is None
    widths = _effects(fit) + X.shape[1]
    for chosen in alike(sizes):
        m, width = int(sizes[chosen].max()), int(widths[chosen].max())
        most = min(m, width) if simple else m
        if most > MAX_CLUSTER_ROWS:
            raise DataError(_too_large(fit, most))
        step = max(1, int(NUMBERS // (most * most + m * width)))
        for some in np.split(chosen, range(step, len(chosen), step)):
            place = np.arange(m) < sizes[some, None]
            rows = order[np.where(place, (ends - sizes)[some, None] + np.arange(m), 0)]
            taken = np.where(place[..., None], X[rows], 0.0), np.where(place, e[rows], 0.0)
            if simple:
                yield _compressed(fit, some, terms, rows, place, *taken)
            else:
                yield Stack(some, dense_covariances(fit, terms, rows, place), *taken)


def _too_large(fit: Fit, m: int) -> str:
    name = fit.design.clusters.name if fit.design.clusters is not None else ""
    return (
        f"vce({fit.spec.vce.name}): a cluster{f' of {name}' if name else ''} needs a dense covariance matrix of {m:,} rows, and "
        f"{MAX_CLUSTER_ROWS:,} is the limit; use vce(robust), which needs none, or vce(oim)"
    )


def alike(sizes: np.ndarray) -> Iterator[np.ndarray]:
    """Clusters by size, those within a factor of `SIZE_RATIO` together."""
    order = np.argsort(sizes, kind="stable")
    start = 0
    while start < len(order):
        stop = int(np.searchsorted(sizes[order], max(sizes[order[start]] * SIZE_RATIO, sizes[order[start]] + 1), side="right"))
        yield order[start:stop]
        start = stop


def _effects(fit: Fit) -> np.ndarray:
    """(M,) random effects of each cluster."""
    clusters, total = fit.design.clusters, 0.0
    assert clusters is not None
    for term in fit.design.random:
        of_group = np.zeros(term.n_groups, np.int64)
        of_group[term.codes] = clusters.codes
        total = total + term.k * np.bincount(of_group, minlength=clusters.n_clusters)
    return np.zeros(clusters.n_clusters) + total


def term_covariances(fit: Fit) -> list[TermCovariance]:
    """The random terms in the order of the design, in the engine's columns."""
    reml = fit.spec.estimation.method == "reml"
    layout = hold_invisible_rows(parameters(fit.design.random), fit.design, orthonormal_coordinates(fit.design), reml)
    factors = layout.factors(fit.theta[: layout.n_theta])
    found = {}
    for t, (r, factor) in enumerate(zip(layout.order, factors, strict=True)):
        term = fit.design.random[r]
        found[r] = TermCovariance(term.codes, layout.engine_columns(term.columns, t), fit.sigma2 * factor @ factor.T)
    return [found[r] for r in range(len(found))]


def dense_covariances(fit: Fit, terms: list[TermCovariance], rows: np.ndarray, place: np.ndarray) -> np.ndarray:
    """V (N, m, m) of rows (N, m); those that are not in their `place` (N, m) have variance sigma2 and no covariances."""
    part, weights = fit.design.residual, fit.design.weights
    both = place[:, :, None] & place[:, None, :]
    if part is None:
        V = np.tile(np.eye(rows.shape[1]), (len(rows), 1, 1))
    else:
        rho = fit.theta[len(fit.theta) - part.structure.n_rho :]
        own = part.codes[rows]
        V = np.where(both & (own[:, :, None] == own[:, None, :]), part.structure.covariance(rho, part.t[rows]), 0.0)
        V[:, range(V.shape[1]), range(V.shape[1])] += ~place
    if weights is not None:  # of precision: Var(e_i) = sigma2 / w_i
        half = np.where(place, 1.0 / np.sqrt(weights.rows[rows]), 1.0)
        V = V * half[:, :, None] * half[:, None, :]
    V *= fit.sigma2
    for term in terms:
        codes, z = term.codes[rows], term.columns[rows]
        V += np.where(both & (codes[:, :, None] == codes[:, None, :]), z @ term.G @ z.transpose(0, 2, 1), 0.0)
    return V


def _compressed(
    fit: Fit, some: np.ndarray, terms: list[TermCovariance], rows: np.ndarray, place: np.ndarray, X: np.ndarray, e: np.ndarray
) -> Stack:
    """The stack after a rotation of each cluster's rows, errors sigma2 I."""
    Z, G = [], []
    for term in terms:
        codes = _local(np.where(place, term.codes[rows], -1))
        width = int(codes.max()) + 1
        here = (codes[..., None] == np.arange(width)) & place[..., None]
        Z.append((here[..., None] * term.columns[rows][:, :, None, :]).reshape(*rows.shape, -1))
        G.append(np.kron(np.eye(width), term.G))
    whole = np.concatenate([*Z, X], axis=2)
    if whole.shape[2] < whole.shape[1]:
        Q, whole = np.linalg.qr(whole)
        e = np.einsum("nma,nm->na", Q, e)
    m, V, start = whole.shape[1], np.zeros((len(rows), *whole.shape[1:2] * 2)), 0
    for covariance in G:
        own = whole[:, :, start : start + len(covariance)]
        V += own @ covariance @ own.transpose(0, 2, 1)
        start += len(covariance)
    V[:, range(m), range(m)] += fit.sigma2
    return Stack(some, V, np.ascontiguousarray(whole[:, :, start:]), e)


def _local(codes: np.ndarray) -> np.ndarray:
    """Codes (N, m) numbered anew 0, 1, ... within each row of the array; negative ones stay negative."""
    order = np.argsort(codes, axis=1, kind="stable")
    ordered = np.take_along_axis(codes, order, axis=1)
    new = np.zeros(codes.shape, np.int64)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    number = np.cumsum(new, axis=1)
    number -= np.where(ordered[:, :1] < 0, 1, 0)
    out = np.empty_like(number)
    np.put_along_axis(out, order, number, axis=1)
    return out
