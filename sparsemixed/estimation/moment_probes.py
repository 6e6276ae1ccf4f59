"""The Gram matrix of second moments by random probes of the rows, for designs whose cross-products do not hold it.

With Q as in `estimation.identification` and w standard normal, E[(V_k Qw)'Q(V_l Qw)] = tr(QV_k QV_l). The average over a few
probes is a Gram matrix itself: a combination of the V_k that Q takes to zero is in its null space exactly, and any other is
not, but for probes of probability zero. It costs products of V_k with vectors only, whatever the size of the clusters.

A row or a group that weights replicate enters as two copies: how many there are does not matter to what they can tell, only
that copies share the effects of all groups that hold them and have errors of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sparsemixed.delayed import linalg
from sparsemixed.design.values import Design, ResidualPart
from sparsemixed.solver.crossproducts.crossproducts import outer_sums
from sparsemixed.solver.residual.precision import MarkovPrecision
from sparsemixed.solver.residual.whitened import covariance_products, has_recursion
from sparsemixed.structures.residual_errors.base import ResidualStructure

PROBES = 8
"""Enough that an entry of V which a parameter moves alone is not missed by one small number."""


class Direction(NamedTuple):
    """A derivative of V/sigma2 = Z (I x B) Z': the term of the design, its first column, and B (k, k)."""

    term: int
    column: int
    matrix: np.ndarray


@dataclass(frozen=True)
class Copies:
    """The rows of a design, those that weights replicate twice.

    Attributes
    ----------
    rows : (m,) int64
        Places in the design.
    codes : tuple of (m,) int64, one for each random term
        Its groups, those of copies of their own.
    n_groups : tuple of int
    """

    rows: np.ndarray
    codes: tuple[np.ndarray, ...]
    n_groups: tuple[int, ...]

    def twice(self, which: np.ndarray, apart: Sequence[int]) -> Copies:
        """With the rows `which` (m,) bool once more, in new groups of the terms `apart`."""
        rows = np.append(self.rows, self.rows[which])
        codes = [
            np.append(own, own[which] + (n if r in apart else 0))
            for r, (own, n) in enumerate(zip(self.codes, self.n_groups, strict=True))
        ]
        return Copies(rows, tuple(codes), tuple(n * (2 if r in apart else 1) for r, n in enumerate(self.n_groups)))


def probed_gram(design: Design, directions: Sequence[Direction], rho: np.ndarray, reml: bool) -> np.ndarray:
    """(m + n_rho + 1,) square: of the directions, of the errors' parameters, and of log sigma2 last.

    Parameters
    ----------
    directions : sequence of m Directions
    rho : (n_rho,) float64
        Of the errors; none of them need be positive definite.
    """
    copies = _copies(design)
    scale = _row_scale(design)[copies.rows]
    terms = [term.columns[copies.rows] * scale[:, None] for term in design.random]
    basis = _projection(design, copies.rows, scale) if reml else None
    errors = _errors(design.residual, copies.rows, rho)
    out = np.zeros((len(directions) + rho.size + 1,) * 2)
    random = np.random.default_rng(0)
    for _ in range(PROBES):
        w = _projected(random.standard_normal(copies.rows.size), basis)
        moves = [_through_groups(direction, terms, copies, w) for direction in directions]
        every = np.array([_projected(move, basis) for move in (*moves, *errors.times(w))])
        out += every @ every.T
    return (out + out.T) / 2


def _copies(design: Design) -> Copies:
    """Correlated errors come with weights of the top level alone, whose copies share nothing and tell nothing new."""
    n = design.n_rows
    plain = Copies(np.arange(n), tuple(t.codes.astype(np.int64) for t in design.random), tuple(t.n_groups for t in design.random))
    weights, part = design.weights, design.residual
    if weights is None or weights.kind == "precision" or (part is not None and not part.structure.independent_rows):
        return plain
    found, above = plain, np.ones(n)
    order = sorted(range(len(design.random)), key=lambda r: design.random[r].n_groups)
    for k, r in enumerate(order):
        own = weights.groups[r][design.random[r].codes]
        replicated = (own != above)[found.rows]
        if k and replicated.any():
            found = found.twice(replicated, order[k:])
        above = own
    within = (np.abs(weights.rows - above) > 1e-9 * above)[found.rows]
    return found.twice(within, ()) if within.any() else found


def _row_scale(design: Design) -> np.ndarray:
    """(n,) what precision weights multiply a row by, so that errors have one variance."""
    weights = design.weights
    return np.ones(design.n_rows) if weights is None or weights.kind != "precision" else np.sqrt(weights.rows)


def _projection(design: Design, rows: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(m, r) orthonormal basis of the free fixed effects' columns."""
    X = design.X if design.constraints is None else design.X @ design.constraints.T
    return np.linalg.qr(X[rows] * scale[:, None])[0]


def _projected(values: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    return values if basis is None else values - basis @ (basis.T @ values)


def _through_groups(direction: Direction, terms: list[np.ndarray], copies: Copies, w: np.ndarray) -> np.ndarray:
    """Z (I x B) Z'w."""
    codes, stop = copies.codes[direction.term], direction.column + len(direction.matrix)
    z = np.ascontiguousarray(terms[direction.term][:, direction.column : stop])
    sums = outer_sums(codes.astype(np.int32), z, w[:, None], copies.n_groups[direction.term])[..., 0]
    return np.einsum("nk,nk->n", z, (sums @ direction.matrix)[codes])


class _Errors:
    """R and its derivatives as operators; without a structure R is the identity."""

    def times(self, w: np.ndarray) -> list[np.ndarray]:
        """Each dR/drho times w, then Rw, (m,) each."""
        return [w]


class _BlockErrors(_Errors):
    """Dense blocks, group by group."""

    def __init__(self, structure: ResidualStructure, codes: np.ndarray, t: np.ndarray, rho: np.ndarray):
        order = np.lexsort((t if t.ndim == 1 else t[:, 0], codes))
        start = np.append(np.flatnonzero(np.diff(codes[order], prepend=-1)), codes.size)
        widths = np.diff(start)
        self.batches = []
        for m in np.unique(widths):
            rows = order[start[:-1][widths == m][:, None] + np.arange(m)]
            distinct, pattern = np.unique(t[rows].reshape(len(rows), -1), axis=0, return_inverse=True)
            times = distinct.reshape(-1, *t[rows].shape[1:])
            matrices = np.array([*structure.dcovariance(rho, times), structure.covariance(rho, times)])
            self.batches.append((rows, pattern.ravel(), matrices))

    def times(self, w: np.ndarray) -> list[np.ndarray]:
        out = np.empty((len(self.batches[0][2]), w.size))
        for rows, pattern, matrices in self.batches:
            for k, matrix in enumerate(matrices):
                out[k, rows] = np.einsum("gab,gb->ga", matrix[pattern], w[rows])
        return list(out)


class _MarkovErrors(_Errors):
    """Tridiagonal inv(R): R and dR = -R d(inv(R)) R by solutions, however long the groups are."""

    def __init__(self, structure: ResidualStructure, codes: np.ndarray, t: np.ndarray, rho: np.ndarray):
        self.order = np.lexsort((t, codes))
        start = np.append(np.flatnonzero(np.diff(codes[self.order], prepend=-1)), codes.size)
        precision = MarkovPrecision(structure.markov, t[self.order], start, np.ones(len(start) - 1))
        self.inverse = self._banded(precision, precision.values(rho)[0])
        self.change = self._banded(precision, precision.derivatives(rho)[0][0])

    @staticmethod
    def _banded(precision: MarkovPrecision, data: np.ndarray) -> np.ndarray:
        """(2, m): the diagonal, and below it the entry of the next row."""
        out = np.zeros((2, precision.diagonal.size))
        out[0] = data[precision.diagonal]
        out[1, precision.later - 1] = data[precision.indptr[precision.later]]
        return out

    def times(self, w: np.ndarray) -> list[np.ndarray]:
        through = linalg.solveh_banded(self.inverse, w[self.order], lower=True)
        moved = self.change[0] * through
        moved[1:] += self.change[1, :-1] * through[:-1]
        moved[:-1] += self.change[1, :-1] * through[1:]
        out = np.empty((2, w.size))
        out[0, self.order], out[1, self.order] = -linalg.solveh_banded(self.inverse, moved, lower=True), through
        return list(out)


class _RecursiveErrors(_Errors):
    """Errors whose R is banded, or that are part of a Markov process: linear in rows."""

    def __init__(self, structure: ResidualStructure, codes: np.ndarray, t: np.ndarray, rho: np.ndarray):
        self.structure, self.rho = structure, rho
        self.order = np.lexsort((t if t.ndim == 1 else t[:, 0], codes))
        self.t = t[self.order]
        self.start = np.append(np.flatnonzero(np.diff(codes[self.order], prepend=-1)), codes.size)

    def times(self, w: np.ndarray) -> list[np.ndarray]:
        product, change = covariance_products(self.structure, self.t, self.start, self.rho, w[self.order])
        out = np.empty((len(change) + 1, w.size))
        out[:, self.order] = np.vstack([change, product])
        return list(out)


def _errors(part: ResidualPart | None, rows: np.ndarray, rho: np.ndarray) -> _Errors:
    if part is None:
        return _Errors()
    if part.structure.independent_rows:  # copies of a row are rows of their own
        return _BlockErrors(part.structure, np.arange(rows.size), part.t[rows], rho)
    kind = _BlockErrors if part.structure.markov is None else _MarkovErrors
    if kind is _BlockErrors and has_recursion(part.structure):
        kind = _RecursiveErrors
    return kind(part.structure, part.codes[rows], part.t[rows], rho)
