"""The Schur complement as a block-diagonal matrix: nested designs, and designs with a single term."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.elimination_pattern import Layout
from sparsemixed.solver.factored.system import Schur, weighted_logdet, with_weights
from sparsemixed.solver.kernels import factor_blocks, scatter_outer


def is_block_diagonal(cp: CrossProducts) -> bool:
    """Whether the rest is at most one term and every eliminated group meets at most one of its levels."""
    if len(cp.k) == 1:
        return True
    alone = all(pair.own.size == pair.rows.size for pair in cp.pairs)
    return len(cp.k) == 2 and alone and int(np.diff(cp.indptr).max()) <= cp.k[1]


class BlockRest:
    """S as (J, k, k) blocks; with no remaining term everything is empty."""

    name = "block"
    dense_inverse: np.ndarray | None = None

    def __init__(self, cp: CrossProducts, layout: Layout, weights: np.ndarray | None = None):
        self.cp, self.layout = cp, layout
        self._weights = np.ones(cp.n_groups[1] if len(cp.k) > 1 else 0) if weights is None else weights
        self._k = cp.k[1] if len(cp.k) > 1 else 0
        start = cp.starts[0] if cp.starts else np.empty(0, np.int64)
        self._entry = start[:, None] + np.arange(self._k)
        self._level = (cp.columns[start] // self._k).astype(np.int32) if self._k else np.empty(0, np.int32)
        blocks = cp.pairs[0].values if cp.pairs else np.empty((0, 0, 0))
        self._lower, self._inverse_lower = np.empty_like(blocks), np.empty_like(blocks)
        self._inverse = blocks

    def _assemble(self, pairs: Sequence[np.ndarray], products: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        if not self._k:
            return np.empty((0, 0, 0))
        out = -pairs[0]
        for left, right in products:
            for a in range(left.shape[1]):
                scatter_outer(self._level, left[self._entry, a], right[self._entry, a], out)
        return -out

    def factor(self, pairs: Sequence[np.ndarray], half: np.ndarray) -> float:
        if not self._k:
            return 0.0
        blocks = with_weights(self._assemble(pairs, [(half, half)]), self._weights)
        bad = factor_blocks(blocks, self._lower, self._inverse_lower)
        if bad >= 0:
            raise NumericalError(f"the random-effects system broke down in group {bad} of its second term")
        return weighted_logdet(self._lower, self._weights)

    def solve(self, b: np.ndarray) -> np.ndarray:
        if not self._k:
            return b
        x = self._inverse_lower @ b.reshape(-1, self._k, b.shape[1])
        return (self._inverse_lower.transpose(0, 2, 1) @ x).reshape(b.shape)

    def invert(self) -> None:
        self._inverse = self._weights[:, None, None] * (self._inverse_lower.transpose(0, 2, 1) @ self._inverse_lower)

    def gather(self, entries: np.ndarray) -> np.ndarray:
        out = np.empty_like(entries)
        if self._k:
            out[self._entry] = self._inverse[self._level] @ entries[self._entry]
        return out

    def inverse_pairs(self) -> tuple[np.ndarray, ...]:
        return (self._inverse,) if self._k else ()

    def trace_products(self, directions: Sequence[Schur]) -> np.ndarray:
        schur = [self._assemble(pairs, [(left, right), (right, left)]) for pairs, left, right in directions]
        weighted = [self._inverse @ s for s in schur]
        plain = [w / self._weights[:, None, None] for w in weighted]
        return np.array([[np.einsum("iab,iba->", a, b) for b in plain] for a in weighted])
