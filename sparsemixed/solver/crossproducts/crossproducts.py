"""Cross-products of the design in one pass: after this nothing scales with the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.solver.crossproducts.pattern import LONG, pattern_by_groups, pattern_by_levels
from sparsemixed.solver.crossproducts.sparse_products import PairBlocks, remaining_times, times, transposed_times
from sparsemixed.solver.kernels import find_cells, lay_out, scatter_outer
from sparsemixed.solver.linalg import stacked
from sparsemixed.solver.rows import group_products, inner_products, suits
from sparsemixed.solver.stretches import runs, spread

MOST_FULL, FULL_SHARE = 2000, 0.1
"""Order (32 MB) up to which Z'Z is laid out in full, and the share of it that must not be zero."""


class TermData(NamedTuple):
    """What the engine needs of one random term: codes (n,) int32, number of groups J, columns (n, k) float64."""

    codes: np.ndarray
    n_groups: int
    columns: np.ndarray


@dataclass(frozen=True)
class CrossProducts:
    """Z'Z, Z'[X y] and [X y]'[X y], in blocks: term 0 will be eliminated, Z_2 has the columns of the remaining terms.

    Attributes
    ----------
    k, n_groups : tuples
        Columns and groups of each term. The columns of Z_2 are numbered term by term, level by level.
    first : (J0, k0, k0)
        Diagonal blocks of Z_0'Z_0.
    indptr, columns, cross : (J0 + 1,), (nnz,), (nnz, k0)
        Z_0'Z_2 by groups of term 0; columns ascend within a group, and all k_t columns of a level stand together.
    pairs : tuple of PairBlocks
        Z_2'Z_2.
    ZtXy : (q, p + 1)
    XytXy : (p + 1, p + 1)
        Or its diagonal (p + 1,) where the rest of it is zero, as that of very many orthonormal columns.
    n : float
        Observations that the rows stand for.
    """

    k: tuple[int, ...]
    n_groups: tuple[int, ...]
    first: np.ndarray
    indptr: np.ndarray
    columns: np.ndarray
    cross: np.ndarray
    pairs: tuple[PairBlocks, ...]
    ZtXy: np.ndarray
    XytXy: np.ndarray
    n: float

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of random effects of each term."""
        return tuple(k * j for k, j in zip(self.k, self.n_groups, strict=True))

    @cached_property
    def q(self) -> int:
        """Number of random effects of all terms: the order of Z'Z."""
        return sum(self.sizes)

    @cached_property
    def q_schur(self) -> int:
        """The same without the term that is eliminated: the order of the Schur complement."""
        return sum(self.sizes[1:])

    @cached_property
    def schur_offsets(self) -> tuple[int, ...]:
        """First scalar column of each remaining term."""
        return tuple(int(x) for x in np.cumsum((0, *self.sizes[1:-1]))) if len(self.k) > 1 else ()

    @cached_property
    def starts(self) -> tuple[np.ndarray, ...]:
        """For each remaining term the first entry of each of its cells."""
        if len(self.k) == 2:
            return (np.arange(0, self.columns.size, self.k[1]),)
        out = []
        for offset, size, k in zip(self.schur_offsets, self.sizes[1:], self.k[1:], strict=True):
            place = self.columns - offset
            out.append(np.flatnonzero((place >= 0) & (place < size) & (place % k == 0)))
        return tuple(out)

    @property
    def own_blocks(self) -> list[np.ndarray]:
        """For each term the (J, k, k) diagonal blocks of Z'Z."""
        return own_blocks(self, self.first, [pair.values for pair in self.pairs])

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each term stands in a vector of all random effects."""
        return tuple(slice(end - size, end) for end, size in zip(accumulate(self.sizes), self.sizes, strict=True))

    @property
    def square(self) -> float:
        """y'y."""
        return float(self.XytXy.flat[-1])

    @property
    def full_XytXy(self) -> np.ndarray:
        """[X y]'[X y] (p + 1, p + 1)."""
        return np.diag(self.XytXy) if self.XytXy.ndim == 1 else self.XytXy

    @property
    def nnz(self) -> int:
        """Nonzeros of Z'Z."""
        return self.first.size + 2 * self.cross.size + sum(pair.values.size * (1 + (pair.t != pair.u)) for pair in self.pairs)

    def times(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values, for values (q, m)."""
        q0, m = self.sizes[0], values.shape[1]
        own = stacked(self.first, values[:q0].reshape(self.n_groups[0], self.k[0], m)).reshape(q0, m)
        if not self.q_schur:
            return own
        head, tail = values[:q0], values[q0:]
        if self._laid_out is not None:
            cross, remaining = self._laid_out
            return np.concatenate([own + cross @ tail, cross.T @ head + remaining @ tail])
        own += times(self.indptr, self.columns, self.cross, tail)
        rest = remaining_times(self.pairs, self.schur_offsets, tail)
        rest += transposed_times(self.indptr, self.columns, self.cross, head, self.q_schur)
        return np.concatenate([own, rest])

    @cached_property
    def matrix(self) -> sp.csr_array:
        """Z'Z as one sparse (q, q) matrix."""
        first = block_diagonal(self.first)
        if not self.q_schur:
            return first
        cross = cross_matrix(self)
        return sp.csr_array(sp.block_array([[first, cross], [cross.T, remaining_matrix(self)]], format="csr"))

    @cached_property
    def _laid_out(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Z_0'Z_2 and Z_2'Z_2 with their zeros where Z'Z is small and full enough for BLAS to be faster."""
        small = self.q <= MOST_FULL and self.nnz >= FULL_SHARE * float(self.q) ** 2
        return (laid_out(self, self.cross), laid_out_remaining(self)) if small else None


def own_blocks(cp: CrossProducts, first: np.ndarray, pairs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """For each term the (J, k, k) diagonal blocks of a symmetric matrix on the pattern of Z'Z, given as in `cp`."""
    return [first, *(values[pair.own] for pair, values in zip(cp.pairs, pairs, strict=True) if pair.t == pair.u)]


def pair_indices(cp: CrossProducts, pair: PairBlocks) -> tuple[np.ndarray, np.ndarray]:
    """Scalar rows and columns of every number in `pair.values`; both (c, k_t, k_u)."""
    kt, ku = cp.k[pair.t + 1], cp.k[pair.u + 1]
    row = cp.schur_offsets[pair.t] + pair.rows[:, None] * kt + np.arange(kt)
    col = cp.schur_offsets[pair.u] + pair.cols[:, None] * ku + np.arange(ku)
    shape = (pair.rows.size, kt, ku)
    return np.broadcast_to(row[:, :, None], shape), np.broadcast_to(col[:, None, :], shape)


def laid_out(cp: CrossProducts, entries: np.ndarray) -> np.ndarray:
    """Entries (nnz, k0) on the pattern of Z_0'Z_2 as (q0, q2) with its zeros."""
    out = np.zeros((cp.sizes[0], cp.q_schur))
    lay_out(cp.indptr, cp.columns, entries, out)
    return out


def laid_out_remaining(cp: CrossProducts) -> np.ndarray:
    """Z_2'Z_2 (q2, q2) with its zeros."""
    out = np.zeros((cp.q_schur, cp.q_schur))
    for pair in cp.pairs:
        row, col = pair_indices(cp, pair)
        out[row, col] = out[col, row] = pair.values
    return out


def cross_matrix(cp: CrossProducts) -> sp.csr_array:
    """Z_0'Z_2 as one sparse (q0, q2) matrix."""
    k0, shape = cp.k[0], (cp.sizes[0], cp.q_schur)
    if k0 == 1:
        return sp.csr_array((cp.cross.ravel(), cp.columns, cp.indptr), shape=shape)
    rows = np.repeat(np.arange(cp.n_groups[0]), np.diff(cp.indptr)) * k0
    entries = [(cp.cross[:, a], (rows + a, cp.columns)) for a in range(k0)]
    value, row, col = (np.concatenate(x) for x in zip(*((v, r, c) for v, (r, c) in entries), strict=True))
    return sp.csr_array((value, (row, col)), shape=shape)


def remaining_matrix(cp: CrossProducts) -> sp.csr_array:
    """Z_2'Z_2 as one sparse (q2, q2) matrix."""
    rows, cols, values = [], [], []
    for pair in cp.pairs:
        row, col = (index.ravel() for index in pair_indices(cp, pair))
        rows.append(row)
        cols.append(col)
        values.append(pair.values.ravel())
        if pair.t != pair.u:
            rows.append(col)
            cols.append(row)
            values.append(pair.values.ravel())
    coo = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols)))
    return sp.csr_array(coo, shape=(cp.q_schur, cp.q_schur))


def cross_products(
    terms: Sequence[TermData], X: np.ndarray, y: np.ndarray, n: float | None = None, XytXy: np.ndarray | None = None
) -> CrossProducts:
    """Accumulate all cross-products; `terms` must be ordered, the one to eliminate first.

    Parameters
    ----------
    terms : sequence of TermData, at least one
    X : (n, p) float64
    y : (n,) float64
    n : float, optional
        Observations that the rows stand for; by default one each.
    XytXy : (p + 1, p + 1), optional
        [X y]'[X y] where it is known.
    """
    head, remaining = terms[0], terms[1:]
    first, *own, ZtXy, XytXy = _own_products(terms, X, y, XytXy)
    indptr, columns, cells = _cells(head, remaining)
    k0 = head.columns.shape[1]
    cross = np.zeros((columns.size, k0))
    for term, cell in zip(remaining, cells, strict=True):
        accumulate_cells(cell, term.columns, head.columns, cross)
    return CrossProducts(
        k=tuple(t.columns.shape[1] for t in terms),
        n_groups=tuple(t.n_groups for t in terms),
        first=first,
        indptr=indptr,
        columns=columns,
        cross=cross,
        pairs=tuple(_pairs(remaining, own)),
        ZtXy=ZtXy,
        XytXy=XytXy,
        n=float(y.size if n is None else n),
    )


def _own_products(terms: Sequence[TermData], X: np.ndarray, y: np.ndarray, XytXy: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """Z_i'Z_i (J, k, k) of every term, then Z'[X y] and [X y]'[X y]."""
    p = X.shape[1]
    if suits(X) and all(suits(term.columns) for term in terms):
        sums = [group_products(t.codes, t.columns, X, y, t.n_groups) for t in terms]
        ZtXy = [each[:, :, : p + 1].reshape(-1, p + 1) for each in sums]
        return *(each[:, :, p + 1 :] for each in sums), np.concatenate(ZtXy), inner_products(X, y) if XytXy is None else XytXy
    Xy = np.ascontiguousarray(np.column_stack([X, y]))
    ZtXy = [outer_sums(t.codes, t.columns, Xy, t.n_groups).reshape(-1, p + 1) for t in terms]
    own = (outer_sums(t.codes, t.columns, t.columns, t.n_groups) for t in terms)
    return *own, np.concatenate(ZtXy), Xy.T @ Xy if XytXy is None else XytXy


def outer_sums(index: np.ndarray, left: np.ndarray, right: np.ndarray, size: int) -> np.ndarray:
    """(size, a, b) sums over rows of left (n, a) times right (n, b), by index (n,)."""
    out = np.zeros((size, left.shape[1], right.shape[1]))
    scatter_outer(index, np.ascontiguousarray(left), np.ascontiguousarray(right), out)
    return out


def cells_of(head: TermData, remaining: Sequence[TermData]) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Pattern of Z_0'Z_2: indptr, columns, and for each remaining term the first entry of each row's cell."""
    if not remaining:
        return np.zeros(head.n_groups + 1, np.int64), np.empty(0, np.int32), []
    levels = [(term.codes, term.n_groups, term.columns.shape[1]) for term in remaining]
    found = pattern_by_groups if head.codes.size >= LONG else pattern_by_levels
    return found(head.codes, head.n_groups, levels)


def _cells(head: TermData, remaining: Sequence[TermData]) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """`cells_of` from one row of each stretch in the same groups."""
    n, begins = head.codes.size, runs(head.codes, *(term.codes for term in remaining)) if remaining else None
    if begins is not None:
        head, *remaining = (term._replace(codes=term.codes[begins]) for term in (head, *remaining))
    indptr, columns, cells = cells_of(head, remaining)
    return indptr, columns, cells if begins is None else [spread(cell, begins, n) for cell in cells]


def cells_in(cp: CrossProducts, terms: Sequence[TermData]) -> list[np.ndarray]:
    """For each remaining term the first entry of each row's cell (n,) in a pattern that is there."""
    found = []
    for term, offset, k in zip(terms[1:], cp.schur_offsets, cp.k[1:], strict=True):
        cell = np.empty(term.codes.size, np.int32)
        find_cells(terms[0].codes, offset + term.codes.astype(np.int64) * k, cp.indptr, cp.columns, cell)
        found.append(cell)
    return found


def accumulate_cells(cell: np.ndarray, left: np.ndarray, right: np.ndarray, cross: np.ndarray) -> None:
    """cross[cell[row] + a] += left[row, a] * right[row], for each column a of the remaining term."""
    for a in range(left.shape[1]):
        scatter_outer(cell + a if a else cell, np.ascontiguousarray(left[:, a : a + 1]), right, cross[:, None, :])


def _pairs(remaining: Sequence[TermData], own: Sequence[np.ndarray]):
    for t, term in enumerate(remaining):
        levels = np.arange(term.n_groups)
        yield PairBlocks(t, t, levels, levels, own[t])
        for u in range(t + 1, len(remaining)):
            other = remaining[u]
            scalar = TermData(other.codes, other.n_groups, np.empty((0, 1)))
            indptr, cols, (cell,) = cells_of(term, [scalar])
            values = outer_sums(cell, term.columns, other.columns, cols.size)
            rows = np.repeat(levels, np.diff(indptr))
            yield PairBlocks(t, u, rows, cols.astype(np.int64), values)


def block_diagonal(blocks: np.ndarray) -> sp.csr_array:
    """(J, k, k) -> sparse (J k, J k)."""
    j, k, _ = blocks.shape
    indices = (np.arange(j)[:, None, None] * k + np.arange(k)[None, None, :]).repeat(k, axis=1)
    return sp.csr_array((blocks.ravel(), indices.ravel(), np.arange(0, j * k * k + 1, k)), shape=(j * k, j * k))
