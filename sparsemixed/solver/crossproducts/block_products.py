"""Left' A Right on the pattern of A = Z'Z, for block-diagonal Left and Right: the only algebra the engine needs.

A block-diagonal Lambda is given as one (k_t, k_t) matrix per term, repeated over the term's groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.linalg import stacked

Factors = Sequence[np.ndarray]
"""One (k_t, k_t) matrix for each term, term 0 first."""


class Pattern(NamedTuple):
    """A symmetric (q, q) matrix restricted to the pattern of Z'Z.

    first (J0, k0, k0): diagonal blocks of term 0; cross (nnz, k0): rows of the remaining terms'
    columns; pairs: one (c, k_t, k_u) array for each pair of remaining terms.
    """

    first: np.ndarray
    cross: np.ndarray
    pairs: tuple[np.ndarray, ...]

    def __add__(self, other: Pattern) -> Pattern:  # type: ignore[override]
        pairs = tuple(a + b for a, b in zip(self.pairs, other.pairs, strict=True))
        return Pattern(self.first + other.first, self.cross + other.cross, pairs)


def repeated_blocks(cp: CrossProducts, blocks: Factors) -> Pattern:
    """The (q, q) matrix that repeats one (k, k) block per term over the term's groups, as a pattern of Z'Z."""
    first = np.broadcast_to(blocks[0], cp.first.shape).copy()
    pairs = tuple(
        np.broadcast_to(blocks[p.t + 1], p.values.shape).copy() if p.t == p.u else np.zeros_like(p.values) for p in cp.pairs
    )
    return Pattern(first, np.zeros_like(cp.cross), pairs)


def quadratic_form(cp: CrossProducts, left: Factors, right: Factors) -> Pattern:
    """Upper blocks of Left' A Right (not symmetric unless Left is Right)."""
    first, pairs = within_parts(cp, left, right)
    return Pattern(first, stacked(remaining_rows(cp, cp.cross, right), left[0]), pairs)


def within_parts(cp: CrossProducts, left: Factors, right: Factors) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """`first` and `pairs` of the same: what does not lie between term 0 and the others."""
    first = stacked(stacked(left[0].T, cp.first), right[0])
    return first, tuple(stacked(stacked(left[p.t + 1].T, p.values), right[p.u + 1]) for p in cp.pairs)


def symmetric_product(cp: CrossProducts, left: Factors, right: Factors) -> Pattern:
    """Left' A Right + Right' A Left."""
    return quadratic_form(cp, left, right) + quadratic_form(cp, right, left)


def stacks(directions: Sequence[Factors], k: Sequence[int]) -> list[np.ndarray]:
    """For each term its part (n, k, k) of n directions."""
    return [np.array([each[t] for each in directions]).reshape(len(directions), size, size) for t, size in enumerate(k)]


def products(stack: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(n, n) traces tr(D_k'matrix D_l) of a stack D (n, k, k) with a matrix (k, k) between.

    Examples
    --------
    >>> products(np.array([[[2.0]], [[3.0]]]), np.array([[10.0]]))
    array([[40., 60.],
           [60., 90.]])
    """
    return stack.reshape(len(stack), -1) @ (matrix @ stack).reshape(len(stack), -1).T


def times_lambda(cp: CrossProducts, factors: Factors, values: np.ndarray, transpose: bool = False) -> np.ndarray:
    """Lambda values, or Lambda'values, for values (q, m)."""
    if len(factors) == 1:  # of one term, which may have thousands of columns, nothing is put together
        lam = factors[0].T if transpose else factors[0]
        return stacked(lam, values.reshape(cp.n_groups[0], cp.k[0], values.shape[1])).reshape(values.shape)
    out = np.empty_like(values)
    for factor, where, k, j in zip(factors, cp.slices, cp.k, cp.n_groups, strict=True):
        lam = factor.T if transpose else factor
        part = values[where].reshape(j, k, values.shape[1])
        out[where] = stacked(lam, part).reshape(j * k, values.shape[1])
    return out


def remaining_rows(cp: CrossProducts, entries: np.ndarray, right: Factors) -> np.ndarray:
    """Apply right_t' to the k_t entries of every cell. entries (nnz, k0) -> (nnz, k0)."""
    if len(cp.k) == 2:
        lam, k0 = right[1], entries.shape[1]
        if lam.shape[0] == 1:
            return entries * lam[0, 0]
        # Cells are rows of k_t k0 numbers: one product for all of them.
        return (entries.reshape(-1, lam.shape[0] * k0) @ np.kron(lam, np.eye(k0))).reshape(entries.shape)
    out = np.empty_like(entries)
    for t, start in enumerate(cp.starts):
        lam = right[t + 1]
        for b in range(lam.shape[0]):
            total = entries[start] * lam[0, b]
            for a in range(1, lam.shape[0]):
                if lam[a, b] != 0.0:
                    total += entries[start + a] * lam[a, b]
            out[start + b] = total
    return out


def cell_products(cp: CrossProducts, t: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(k_t, k_t) sum over the cells of a remaining term of left_a . right_b; left, right (nnz, k0)."""
    k, k0 = cp.k[t + 1], left.shape[1]
    if len(cp.k) > 2:
        entries = cp.starts[t][:, None] + np.arange(k)
        left, right = left[entries], right[entries]
    gram = left.reshape(-1, k * k0).T @ right.reshape(-1, k * k0)
    return np.einsum("axbx->ab", gram.reshape(k, k0, k, k0))


def diagonal_sums(cp: CrossProducts, inverse: Pattern, factors: Factors) -> list[np.ndarray]:
    """For each term t the (k_t, k_t) sum over its groups of the diagonal blocks of N Lambda' A.

    `inverse` holds the entries of a symmetric N on the pattern of A. With it the derivative of log|Lambda' A Lambda + I|
    in a direction D (block-diagonal) is `2 * sum_t trace(sums[t] @ D_t)`; no inverse of Lambda is needed, so it holds on
    the boundary too.
    """
    sums = [np.einsum("iac,icb->ab", inverse.first, stacked(factors[0].T, cp.first))]
    sums[0] += inverse.cross.T @ remaining_rows(cp, cp.cross, factors)
    head = stacked(cp.cross, factors[0])
    sums += [cell_products(cp, t, inverse.cross, head) for t in range(len(cp.k) - 1)]
    for pair, n in zip(cp.pairs, inverse.pairs, strict=True):
        t, u = pair.t + 1, pair.u + 1
        sums[t] += np.einsum("nac,nbc->ab", n, stacked(pair.values, factors[u]))
        if t != u:
            sums[u] += np.einsum("nca,ncb->ab", n, stacked(factors[t].T, pair.values))
    return sums


def diagonal_blocks(cp: CrossProducts, inverse: Pattern, factors: Factors) -> list[np.ndarray]:
    """For each term the (J_t, k_t, k_t) diagonal blocks of N Lambda' A, whose sums over groups `diagonal_sums` gives."""
    first = inverse.first @ (factors[0].T @ cp.first)
    filled = np.flatnonzero(np.diff(cp.indptr))
    if filled.size:
        outer = inverse.cross[:, :, None] * remaining_rows(cp, cp.cross, factors)[:, None, :]
        first[filled] += np.add.reduceat(outer, cp.indptr[filled], axis=0)
    blocks = [first, *(np.zeros((j, k, k)) for j, k in zip(cp.n_groups[1:], cp.k[1:], strict=True))]
    head = stacked(cp.cross, factors[0])
    for t, (start, offset) in enumerate(zip(cp.starts, cp.schur_offsets, strict=True)):
        k = cp.k[t + 1]
        entry = start[:, None] + np.arange(k)
        level = (cp.columns[start] - offset) // k
        np.add.at(blocks[t + 1], level, np.einsum("eax,ebx->eab", inverse.cross[entry], head[entry]))
    for pair, n in zip(cp.pairs, inverse.pairs, strict=True):
        t, u = pair.t + 1, pair.u + 1
        np.add.at(blocks[t], pair.rows, n @ (pair.values @ factors[u]).transpose(0, 2, 1))
        if t != u:
            np.add.at(blocks[u], pair.cols, n.transpose(0, 2, 1) @ (factors[t].T @ pair.values))
    return blocks
