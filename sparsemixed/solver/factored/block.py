"""The Schur complement as a block-diagonal matrix: nested designs, and designs with a single term."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.solver.blocks import factored_blocks
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.elimination_pattern import EliminationPattern
from sparsemixed.solver.factored.schur import SchurDerivative
from sparsemixed.solver.factored.weights import weighted_logdet, with_weights
from sparsemixed.solver.kernels import scatter_outer
from sparsemixed.solver.linalg import stacked


def is_block_diagonal(cp: CrossProducts) -> bool:
    """Whether at most one term remains and every eliminated group meets at most one of its levels."""
    if len(cp.k) == 1:
        return True
    alone = all(pair.own.size == pair.rows.size for pair in cp.pairs)
    return len(cp.k) == 2 and alone and int(np.diff(cp.indptr).max()) <= cp.k[1]


class BlockSchur:
    """S as (J, k, k) blocks; with no remaining term everything is empty."""

    name = "block"

    def __init__(self, cp: CrossProducts, pattern: EliminationPattern, weights: np.ndarray | None = None):
        self.cp, self.pattern = cp, pattern
        self.weights = np.ones(cp.n_groups[1] if len(cp.k) > 1 else 0) if weights is None else weights
        self.k = cp.k[1] if len(cp.k) > 1 else 0
        start = cp.starts[0] if cp.starts else np.empty(0, np.int64)
        self.entry = start[:, None] + np.arange(self.k)
        self.level = (cp.columns[start] // self.k).astype(np.int32) if self.k else np.empty(0, np.int32)

    @property
    def numbers(self) -> float:
        """Numbers in one factored S with its inverse, about."""
        return 2.0 * self.weights.size * self.k**2

    def factor(self, pairs: Sequence[np.ndarray], half: np.ndarray) -> FactoredBlocks:
        return FactoredBlocks(self, self.assemble(pairs, [(half, half)]))

    def assemble(self, pairs: Sequence[np.ndarray], products: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """The pair blocks less the sum of left'right over `products`, (J, k, k)."""
        if not self.k:
            return np.empty((0, 0, 0))
        out = -pairs[0]
        for left, right in products:
            for a in range(left.shape[1]):
                scatter_outer(self.level, left[self.entry, a], right[self.entry, a], out)
        return -out


class FactoredBlocks:
    """S, of which `blocks` (J, k, k) lack D, factored block by block."""

    def __init__(self, storage: BlockSchur, blocks: np.ndarray):
        self._storage, self.logdet = storage, 0.0
        lower, self._inverse_lower = np.empty_like(blocks), np.empty_like(blocks)
        if blocks.size:
            bad = factored_blocks(with_weights(blocks, storage.weights), lower, self._inverse_lower)
            if bad >= 0:
                raise NumericalError(f"the random-effects system broke down in group {bad} of its second term")
            self.logdet = weighted_logdet(lower, storage.weights)

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(S) b for b (q2, m)."""
        if not self._storage.k:
            return b
        x = stacked(self._inverse_lower, b.reshape(-1, self._storage.k, b.shape[1]))
        return stacked(self._inverse_lower.transpose(0, 2, 1), x).reshape(b.shape)

    def half_solve(self, z: np.ndarray) -> np.ndarray:
        """inv(L') z for z (q2, m)."""
        if not self._storage.k:
            return z
        return (self._inverse_lower.transpose(0, 2, 1) @ z.reshape(-1, self._storage.k, z.shape[1])).reshape(z.shape)

    @cached_property
    def _inverse(self) -> np.ndarray:
        """N (J, k, k)."""
        return self._storage.weights[:, None, None] * stacked(self._inverse_lower.transpose(0, 2, 1), self._inverse_lower)

    def gather(self, entries: np.ndarray) -> np.ndarray:
        """Entries (nnz, k0) of each group times N among that group's columns."""
        out, storage = np.empty_like(entries), self._storage
        if storage.k:
            out[storage.entry] = stacked(self._inverse[storage.level], entries[storage.entry])
        return out

    def inverse_pairs(self) -> tuple[np.ndarray, ...]:
        """N on the remaining terms' pair blocks."""
        return (self._inverse,) if self._storage.k else ()

    def sandwich(self, columns: np.ndarray, rows: np.ndarray, together: bool = True) -> np.ndarray:
        """(G, m, m) of G sets: rows (G, m, w) N rows', N among the columns (G, w) of each."""
        level, place = np.divmod(columns, self._storage.k)
        entries = self._inverse[level[:, :, None], place[:, :, None], place[:, None, :]]
        return rows @ np.where(level[:, :, None] == level[:, None, :], entries, 0.0) @ rows.transpose(0, 2, 1)

    def trace_products(self, directions: Sequence[SchurDerivative]) -> np.ndarray:
        """tr(inv(S) S_k inv(S) S_l) for all directions, weighted by D."""
        storage = self._storage
        schur = [storage.assemble(pairs, [(left, right), (right, left)]) for pairs, left, right in directions]
        weighted = [stacked(self._inverse, s) for s in schur]
        plain = [w / storage.weights[:, None, None] for w in weighted]
        return np.array([[np.einsum("iab,iba->", a, b) for b in plain] for a in weighted])
