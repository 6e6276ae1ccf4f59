"""The precision matrix inv(R) of all rows as one sparse block-diagonal matrix, with exact derivatives.

A group with weight w counts w times in log|R|; the rows' own weights are in the cross-products.

Rows are sorted by group, then time. Two storages share one interface: dense blocks factored once per time pattern, and
the tridiagonal precision of a Markov process, O(m) in the length of a group with any gaps.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.solver.linalg import inverse_and_logdet
from sparsemixed.structures.residual_errors.base import COMPLEX_STEP, ResidualStructure

MOST_DETERMINED = 1e10
"""Variance of an error over what the others of its group leave of it, from which log likelihoods lose the sixth decimal."""


class Products(Protocol):
    """Numbers that are linear in inv(R(rho)): its entries on a pattern, or products of the columns of every group with it."""

    def values(self, rho: np.ndarray) -> tuple[np.ndarray, float]:
        """The numbers (nnz,), and log|R|."""
        ...

    def derivatives(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of the numbers (n_rho, nnz) and of every group's part of log|R| (n_rho, J)."""
        ...

    def second(self, rho: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(n_rho, n_rho): second derivatives of log|R| plus those of the numbers summed with weights (nnz,)."""
        ...


class BlockPrecision:
    """inv(R) with one dense block for each group; groups with the same times share one inverse.

    Parameters
    ----------
    structure : ResidualStructure
    t : (n,) or (n, 2) float64
        Sorted rows' times.
    start : (J + 1,) int64
        Rows of each group.
    weights : (J,) float64
        How many groups each one stands for.
    """

    def __init__(self, structure: ResidualStructure, t: np.ndarray, start: np.ndarray, weights: np.ndarray):
        self.structure, self.weights = structure, weights
        widths = np.diff(start)
        offsets = np.concatenate([[0], np.cumsum(widths**2)])
        row_width = np.repeat(widths, widths)
        self.indptr = np.concatenate([[0], np.cumsum(row_width)])
        first = np.repeat(start[:-1], widths)
        self.indices = np.repeat(first - self.indptr[:-1], row_width) + np.arange(self.indptr[-1])
        self.batches = []
        for m in np.unique(widths):
            groups = np.flatnonzero(widths == m)
            times = t[start[groups][:, None] + np.arange(m)]
            distinct, pattern = np.unique(times.reshape(len(groups), -1), axis=0, return_inverse=True)
            places = offsets[groups][:, None] + np.arange(m * m)
            self.batches.append((distinct.reshape(-1, *times.shape[1:]), pattern.ravel(), places, groups))

    def _inverses(self, rho: np.ndarray):
        """For each batch: times, pattern of each group, places of its entries, groups, inv(R) and log|R| of each pattern."""
        for t, pattern, places, groups in self.batches:
            R = self.structure.covariance(rho, t)
            if not np.all(np.isfinite(R)):
                raise NumericalError("the residual covariance matrix of a group overflowed")
            try:
                inverse, logs = inverse_and_logdet(R)
            except np.linalg.LinAlgError as error:
                raise NumericalError("the residual covariance matrix of a group is not positive definite") from error
            if np.any(np.einsum("gaa,gaa->ga", inverse, R) > MOST_DETERMINED):
                raise NumericalError("errors of a group determine one another: sums with inv(R) have no digits left")
            yield t, pattern, places, groups, inverse, logs

    def values(self, rho: np.ndarray) -> tuple[np.ndarray, float]:
        data, logdet = np.empty(self.indptr[-1]), 0.0
        for _, pattern, places, groups, Q, logs in self._inverses(rho):
            data[places] = Q.reshape(len(Q), -1)[pattern]
            logdet += float(self.weights[groups] @ logs[pattern])
        return data, logdet

    def derivatives(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        data, logdet = np.empty((rho.size, self.indptr[-1])), np.empty((rho.size, len(self.weights)))
        for t, pattern, places, groups, Q, _ in self._inverses(rho):
            for k, change in enumerate(self.structure.dcovariance(rho, t)):
                data[k][places] = -(Q @ change @ Q).reshape(len(Q), -1)[pattern]
                logdet[k, groups] = self.weights[groups] * np.einsum("gab,gba->g", Q, change)[pattern]
        return data, logdet

    def second(self, rho: np.ndarray, weights: np.ndarray) -> np.ndarray:
        out = np.zeros((rho.size, rho.size))
        for t, pattern, places, groups, Q, _ in self._inverses(rho):
            counts = np.bincount(pattern, self.weights[groups], len(Q))[:, None, None]
            S = np.zeros_like(Q)
            np.add.at(S, pattern, weights[places].reshape(-1, *Q.shape[1:]))
            S = (S + S.transpose(0, 2, 1)) / 2
            QV = Q @ self.structure.dcovariance(rho, t)
            weighted = QV @ (2.0 * Q @ S - counts * np.eye(Q.shape[-1]))
            n = rho.size
            products = weighted.reshape(n, -1) @ QV.transpose(0, 1, 3, 2).reshape(n, -1).T
            out += (products + products.T) / 2 + self.structure.second(rho, t, counts * Q - Q @ S @ Q)
        return out


class MarkovPrecision:
    """Tridiagonal precision of Markov errors, AR(1) and exponential ones: corr(e_j, e_{j-1}) = phi_j, a power of the gap.

    Row j adds 1 / (1 - phi_j^2) to its own diagonal, phi_j^2 / (1 - phi_j^2) to the row before and -phi_j / (1 - phi_j^2)
    between them; log|R| = sum log(1 - phi_j^2). Exact for any gaps, because the process is Markov.

    Parameters
    ----------
    correlation : callable
        phi, its derivative and 1 - phi^2 of rho[0] and gaps; see `ResidualStructure.markov`.
    t : (n,) float64
        Sorted rows' times.
    start : (J + 1,) int64
    weights : (J,) float64
    """

    def __init__(self, correlation, t: np.ndarray, start: np.ndarray, weights: np.ndarray):
        self.correlation, self.n_groups = correlation, len(weights)
        self.group = np.repeat(np.arange(len(weights)), np.diff(start))
        n = t.size
        inner = np.ones(n, bool)
        inner[start[:-1]] = False
        self.later = np.flatnonzero(inner)
        self.group = self.group[self.later]
        self.weights = weights[self.group]
        self.gap = t[self.later] - t[self.later - 1]
        widths = 1 + inner.astype(np.int64) + np.append(inner[1:], False)
        self.indptr = np.concatenate([[0], np.cumsum(widths)])
        self.diagonal = self.indptr[:-1] + inner
        self.indices = np.empty(self.indptr[-1], np.int64)
        self.indices[self.diagonal] = np.arange(n)
        self.indices[self.indptr[self.later]] = self.later - 1
        self.indices[self.diagonal[self.later - 1] + 1] = self.later

    def _fill(self, own: np.ndarray, before: np.ndarray, between: np.ndarray, constant: float) -> np.ndarray:
        data = np.zeros(self.indptr[-1], own.dtype)
        data[self.diagonal] = constant
        data[self.diagonal[self.later]] += own
        data[self.diagonal[self.later - 1]] += before
        data[self.indptr[self.later]] = between
        data[self.diagonal[self.later - 1] + 1] = between
        return data

    def values(self, rho: np.ndarray) -> tuple[np.ndarray, float]:
        phi, _, room = self.correlation(rho[0], self.gap)
        if not np.all(room > 0):
            raise NumericalError("the residual correlation reached one")
        extra = phi**2 / room
        return self._fill(extra, extra, -phi / room, 1.0), float(self.weights @ np.log(room))

    def _first(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of the entries (nnz,), and of the part of log|R| of every row that has one before it."""
        phi, change, room = self.correlation(rho[0], self.gap)
        square = 2.0 * phi * change / room**2
        between = -change * (1.0 + phi**2) / room**2
        return self._fill(square, square, between, 0.0), -2.0 * self.weights * phi * change / room

    def derivatives(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        data, logdet = self._first(rho)
        return data[None], np.bincount(self.group, np.real(logdet), self.n_groups)[None]

    def second(self, rho: np.ndarray, weights: np.ndarray) -> np.ndarray:
        data, logdet = self._first(rho.astype(complex) + 1j * COMPLEX_STEP)
        return np.array([[(data.imag @ weights + logdet.imag.sum()) / COMPLEX_STEP]])


def precision(
    structure: ResidualStructure, t: np.ndarray, start: np.ndarray, weights: np.ndarray | None = None
) -> BlockPrecision | MarkovPrecision:
    """The cheapest storage for a structure: tridiagonal where the errors are a Markov process; weights are ones by default."""
    if weights is None:
        weights = np.ones(len(start) - 1)
    if structure.markov is not None:
        return MarkovPrecision(structure.markov, t, start, weights)
    return BlockPrecision(structure, t, start, weights)
