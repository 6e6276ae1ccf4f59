"""What every independent cluster adds to the deviance and to its derivatives, so that any of them can be taken off again.

With V_0 = V / sigma2 of a cluster and W = [X y]'inv(V_0)[X y], of orthonormal X:

- log|V_0|: first derivatives tr(A_k), second ones tr(inv(V_0)V_kl) - tr(A_k A_l), with A_k = inv(V_0)V_k;
- W: -Y'V_k Y and Y'(V_k inv(V_0)V_l + V_l inv(V_0)V_k - V_kl)Y, with Y = inv(V_0)[X y].

Where all random effects belong to one set of groups and errors are independent, all of it follows from Z'Z, Z'[X y] and
[X y]'[X y] of the groups, by H = Z'inv(V_0)Z and B = Z'inv(V_0)[X y] (see `objectives.groups`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates, engine_terms
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.inference.covariance.cluster_blocks import alike
from sparsemixed.postestimation.influence.whitened import padded, taken, with_unit_diagonal
from sparsemixed.solver.crossproducts.crossproducts import TermData, outer_sums
from sparsemixed.structures.residual_errors.base import COMPLEX_STEP


@dataclass(frozen=True)
class Moments:
    """Of N clusters, or of N groups of them; n_theta parameters t, P = p + 1 columns of [X y].

    Attributes
    ----------
    n : (N,) float64
        Observations.
    W : (N, P, P);  W1 : (N, t, P, P);  W2 : (N, t, t, P, P)
        [X y]'inv(V_0)[X y] and its derivatives.
    log1 : (N, t);  log2 : (N, t, t)
        Derivatives of log|V_0|.
    """

    n: np.ndarray
    W: np.ndarray
    W1: np.ndarray
    W2: np.ndarray
    log1: np.ndarray
    log2: np.ndarray

    def summed(self, codes: np.ndarray, size: int) -> Moments:
        """Sums by codes (N,)."""
        return Moments(*(_summed(each, codes, size) for each in vars(self).values()))

    def total(self) -> Moments:
        """Of all N together, with N = 1."""
        return Moments(*(each.sum(axis=0, keepdims=True) for each in vars(self).values()))

    def __add__(self, other: Moments) -> Moments:
        return Moments(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def __sub__(self, other: Moments) -> Moments:
        return Moments(*(a - b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


def _summed(values: np.ndarray, codes: np.ndarray, size: int) -> np.ndarray:
    if size == len(values) and np.array_equal(codes, np.arange(size)):
        return values
    out = np.zeros((size, *values.shape[1:]))
    np.add.at(out, codes, values)
    return out


class ClusterMoments(Protocol):
    """Where the moments of clusters come from."""

    def of(self, clusters: np.ndarray) -> Moments:
        """Of some clusters (N,)."""
        ...


class GroupMoments:
    """Of the groups of one term with independent errors; the clusters are the groups."""

    def __init__(self, fit: Fit, objective: PenalizedObjective, orthogonal: OrthonormalCoordinates, counts: np.ndarray):
        cp = objective.cp
        k, P = cp.k[0], cp.ZtXy.shape[1]
        codes = fit.design.random[0].codes
        Xy = np.column_stack([orthogonal.Q, orthogonal.residual])
        self.A, self.C = cp.first, cp.ZtXy.reshape(-1, k, P)
        self.T = outer_sums(codes, Xy, Xy, cp.n_groups[0])
        self.n = np.bincount(codes, counts, cp.n_groups[0])
        layout = objective.parameters
        self.factor = layout.factors(fit.theta[: layout.n_theta])[0]
        self.D = np.array([direction[0] for direction in layout.directions()])

    def of(self, clusters: np.ndarray) -> Moments:
        A, C, D, factor = self.A[clusters], self.C[clusters], self.D, self.factor
        k = A.shape[1]
        AL = A @ factor
        inner = np.linalg.solve(np.eye(k) + factor.T @ AL, np.concatenate([AL.transpose(0, 2, 1), factor.T @ C], axis=2))
        H, B = A - AL @ inner[..., :k], C - AL @ inner[..., k:]
        W = self.T[clusters] - (C.transpose(0, 2, 1) @ factor) @ inner[..., k:]
        half = D @ factor.T
        S = half + half.transpose(0, 2, 1)
        SB, Bt = S @ B[:, None], B.transpose(0, 2, 1)[:, None]
        cross = SB.transpose(0, 1, 3, 2)[:, :, None] @ (H[:, None] @ SB)[:, None]
        DB = D.transpose(0, 2, 1) @ B[:, None]
        direct = DB.transpose(0, 1, 3, 2)[:, :, None] @ DB[:, None]
        HS = H[:, None] @ S
        log2 = 2.0 * np.einsum("kab,nac,lcb->nkl", D, H, D, optimize=True) - np.einsum("nkab,nlba->nkl", HS, HS, optimize=True)
        return Moments(self.n[clusters], W, -(Bt @ SB), _both(cross - direct), np.einsum("nkaa->nk", HS), log2)


def _both(half: np.ndarray) -> np.ndarray:
    """(N, t, t, P, P): what stands for (k, l) with what stands for (l, k), the transpose of the former."""
    return half + half.transpose(0, 2, 1, 4, 3)


class DenseMoments:
    """Of small clusters, each V_0 formed and inverted: any structures."""

    def __init__(self, fit: Fit, layout: ThetaMap, orthogonal: OrthonormalCoordinates, clusters: np.ndarray, counts: np.ndarray):
        self.fit, self.layout = fit, layout
        self.terms: Sequence[TermData] = engine_terms(fit.design, layout)
        self.rows = np.column_stack([orthogonal.Q, orthogonal.residual])
        self.order, self.sizes = np.argsort(clusters, kind="stable"), np.bincount(clusters)
        self.ends, self.n = np.cumsum(self.sizes), np.bincount(clusters, counts)
        self.factors, self.directions = layout.factors(fit.theta[: layout.n_theta]), layout.directions()
        self.rho = fit.theta[layout.n_theta :]

    def of(self, clusters: np.ndarray) -> Moments:
        parts, places = [], []
        for chosen in alike(self.sizes[clusters]):
            parts.append(self._stack(clusters[chosen]))
            places.append(chosen)
        back = np.argsort(np.concatenate(places))
        return Moments(*(np.concatenate(each)[back] for each in zip(*(vars(p).values() for p in parts), strict=True)))

    def _stack(self, clusters: np.ndarray) -> Moments:
        rows, place = padded(self.order, self.sizes, self.ends, clusters)
        V, first, second = self._derivatives(rows, place)
        t, N = len(first), len(rows)
        Xy = taken(place, self.rows[rows])
        inverse = np.linalg.inv(with_unit_diagonal(place, V))
        Y = inverse @ Xy
        moves = [inverse @ own for own in first]
        P = Xy.shape[2]
        W1, W2 = np.zeros((N, t, P, P)), np.zeros((N, t, t, P, P))
        log1, log2 = np.zeros((N, t)), np.zeros((N, t, t))
        Yt = Y.transpose(0, 2, 1)
        for k in range(t):
            moved = first[k] @ Y
            W1[:, k] = -Yt @ moved
            log1[:, k] = np.einsum("nii->n", moves[k])
            for l in range(k + 1):
                half = moved.transpose(0, 2, 1) @ inverse @ (first[l] @ Y)
                W2[:, k, l] = half + half.transpose(0, 2, 1)
                log2[:, k, l] = -np.einsum("nij,nji->n", moves[k], moves[l])
                if (k, l) in second:
                    W2[:, k, l] -= Yt @ second[k, l] @ Y
                    log2[:, k, l] += np.einsum("nij,nji->n", inverse, second[k, l])
                W2[:, l, k], log2[:, l, k] = W2[:, k, l], log2[:, k, l]
        return Moments(self.n[clusters], Xy.transpose(0, 2, 1) @ Y, W1, W2, log1, log2)

    def _derivatives(self, rows: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], dict]:
        """V_0 (N, m, m), its first derivatives, and those of the second ones that are not zero."""
        both = place[:, :, None] & place[:, None, :]
        V, first, second = self._errors(rows, both)
        own: list[np.ndarray] = [np.zeros((0, 0))] * len(self.directions)
        for t, (term, factor) in enumerate(zip(self.terms, self.factors, strict=True)):
            codes, z = term.codes[rows], term.columns[rows]
            shared = both & (codes[:, :, None] == codes[:, None, :])
            half = z @ factor
            V += np.where(shared, half @ half.transpose(0, 2, 1), 0.0)
            moved = {k: z @ direction[t] for k, direction in enumerate(self.directions) if direction[t].any()}
            for k, zD in moved.items():
                one = np.where(shared, zD @ half.transpose(0, 2, 1), 0.0)
                own[k] = one + one.transpose(0, 2, 1)
                for l, other in moved.items():
                    if l <= k:
                        one = np.where(shared, zD @ other.transpose(0, 2, 1), 0.0)
                        second[k, l] = one + one.transpose(0, 2, 1)
        zero = np.zeros_like(V)
        return V, [each if each.size else zero for each in own] + first, second

    def _errors(self, rows: np.ndarray, both: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], dict]:
        """R and its derivatives by rho."""
        part = self.fit.design.residual
        if part is None:
            return np.tile(np.eye(rows.shape[1]), (len(rows), 1, 1)), [], {}
        codes, t, n = part.codes[rows], part.t[rows], len(self.directions)
        linked = both & (codes[:, :, None] == codes[:, None, :])
        first = [np.where(linked, change, 0.0) for change in part.structure.dcovariance(self.rho, t)]
        second = {}
        for l, move in enumerate(np.eye(self.rho.size)):
            turned = part.structure.dcovariance(self.rho + 1j * COMPLEX_STEP * move, t)
            for k in range(l, self.rho.size):
                second[n + k, n + l] = np.where(linked, turned[k].imag / COMPLEX_STEP, 0.0)
        return np.where(linked, part.structure.covariance(self.rho, t), 0.0), first, second
