"""inv(V) at the fitted parameters, row by row and on sets of rows: what every deletion of rows is computed from.

With Phi = root root' the covariance of the coefficients and P = inv(V) - inv(V)X Phi X'inv(V), deleting the rows I changes the
coefficients and their covariance, at given variance parameters, by (Christensen, Pearson & Johnson 1992, Technometrics 34)

    beta - beta_(I) = Phi X'inv(V)_I inv(P_II) (inv(V)(y - X beta))_I,
    Phi_(I) = Phi + Phi X'inv(V)_I inv(P_II) inv(V)_I X Phi.

Everything here is scaled to errors of standard deviation one: row i is divided by `scale`_i = sigma / sqrt(w_i), so that H below
stands for inv(V) times the scales of both of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

MOST_ROWS = 4000
"""Rows of a group beyond which H_II is not formed (128 MB, and cubic time)."""
NUMBERS = 4e6
"""Numbers in one stack of matrices (32 MB)."""


@dataclass(frozen=True)
class Stack:
    """N sets of at most m rows each; places that are not taken have ones on the diagonal of H and zeros elsewhere.

    Attributes
    ----------
    groups : (N,) int64
        The group that each set belongs to. Between sets of one group H is zero.
    rows : (N, m) int64
    place : (N, m) bool
        Which places are taken.
    H : (N, c, c) float64
    E : (N, c, r) float64
    e : (N, c) float64
    Q : (N, m, c) float64 or None
        Where there are many rows and few effects the rows were turned, and c < m coordinates hold all that differs from errors
        without effects: orthonormal columns that take these to rows.
    """

    groups: np.ndarray
    rows: np.ndarray
    place: np.ndarray
    H: np.ndarray
    E: np.ndarray
    e: np.ndarray
    Q: np.ndarray | None = None


class Precision(Protocol):
    """Where H on sets of rows comes from."""

    def diagonal(self) -> np.ndarray:
        """(n,) diagonal of H."""
        ...

    def leverages(self) -> np.ndarray:
        """(n,) diagonal of I - RP, the derivative of the fitted values by the response, with R the covariance of the errors."""
        ...

    def stacks(self, codes: np.ndarray, n_groups: int) -> Iterator[Stack]:
        """H on the rows of each group, codes (n,); groups of more than `MOST_ROWS` rows that would be formed are left out."""
        ...


@dataclass(frozen=True)
class Whitened:
    """A fit's rows, n of them, with r free coefficients.

    Attributes
    ----------
    root : (p, r) float64
        Phi = root root'.
    X : (n, r) float64
        X root over scale.
    residual : (n,) float64
        y - X beta over scale.
    E : (n, r) float64
        inv(V)X root times scale.
    e : (n,) float64
        inv(V)(y - X beta) times scale.
    scale : (n,) float64
        sigma / sqrt(w).
    clusters : (n,) int64
        Independent cluster of each row, numbered from 0.
    precision : Precision
    """

    root: np.ndarray
    X: np.ndarray
    residual: np.ndarray
    E: np.ndarray
    e: np.ndarray
    scale: np.ndarray
    clusters: np.ndarray
    precision: Precision

    @property
    def P(self) -> np.ndarray:
        """(n,) diagonal of P times scale squared."""
        return self.precision.diagonal() - np.einsum("ia,ia->i", self.E, self.E)

    def whole(self, codes: np.ndarray) -> bool:
        """Whether every group of codes (n,) is made of whole clusters."""
        own = np.empty(int(self.clusters.max()) + 1, codes.dtype)
        own[self.clusters] = codes
        return bool(np.array_equal(own[self.clusters], codes))


def padded(order: np.ndarray, sizes: np.ndarray, ends: np.ndarray, some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, m) of some groups side by side, from rows sorted by group; and which places are taken (N, m)."""
    m = int(sizes[some].max())
    place = np.arange(m) < sizes[some, None]
    return order[np.where(place, (ends - sizes)[some, None] + np.arange(m), 0)], place


def taken(place: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (N, m, ...) with zeros in the places that are not taken."""
    return np.where(place.reshape(*place.shape, *(1,) * (values.ndim - 2)), values, 0.0)


def with_unit_diagonal(place: np.ndarray, H: np.ndarray) -> np.ndarray:
    """H (N, m, m), which it changes, with rows and columns of the identity in the places that are not taken."""
    if not place.all():
        H *= place[:, :, None] & place[:, None, :]
        H[:, range(H.shape[1]), range(H.shape[1])] += ~place
    return H
