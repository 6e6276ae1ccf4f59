"""The eliminated term's part of H = Z'inv(V0)Z (see `solver.factored.projected`): H_00 itself, or what gives its sums."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import numpy as np

from sparsemixed.solver.crossproducts.block_products import Factors
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.projected_basis import BasisHead
from sparsemixed.solver.factored.projected_blocks import (
    Stretch,
    add_own_blocks,
    blocks_times,
    own_sum,
    pair_sums,
    scalar_rows,
    stretches,
)
from sparsemixed.solver.factored.projected_intercepts import InterceptHead
from sparsemixed.solver.factored.projected_pairs import PairHead
from sparsemixed.solver.factored.projected_reduced import HeadSums, Laid, Piece, Through
from sparsemixed.solver.factored.projected_remainder import Remainder
from sparsemixed.solver.factored.system import FactoredSystem

PAIRED = 1.5
"""Time of a product in sums over pairs of groups, with what they take besides, in units of one on the way back to columns."""


class Head(Protocol):
    """Takes in C row by row, or does without, and then knows the sums of H_00."""

    @property
    def through(self) -> Through | None:
        """`pair_sums` of H_20 at a stretch of rows, from C' (m, q2) there; of every stretch once. None where C is not needed."""
        ...

    def pieces(self, most: int) -> list[Piece]:
        """What is left to do once all of C is through, about `most` rows at a time: the shares of stretches of rows of H_00."""
        ...

    def rest(self) -> tuple[np.ndarray, np.ndarray]:
        """The sum of H_00's diagonal blocks (k0, k0) and the traces (n, n) that the pieces have no part in."""
        ...


def head_of(
    system: FactoredSystem,
    schur: FactoredDense,
    factors: Factors,
    weights: np.ndarray,
    remainder: Remainder,
    ahead: list[Stretch],
) -> Head:
    """The head that is the least work, by H_00 itself, by intercepts, by pairs or by a basis of what the W_k are.

    Parameters
    ----------
    weights : (n, k0 k0)
        The W_k of the first term.
    remainder : Remainder
        It lends memory, and has the inverses of Lambda that pairs need.
    ahead : list of Stretch
        All of the remaining terms' rows, as they will come through.
    """
    cp = system.cp
    if has_intercepts(schur):
        return InterceptHead(system, schur, factors, weights, remainder.spent)
    basis, coordinates = symmetric_basis(weights, cp.k[0])
    if schur.storage.full:
        if less_work(cp, len(basis)):
            return ExplicitHead(system, schur, factors)
    elif remainder.factor_inverses is not None and pairs_are_less_work(cp, basis):
        return PairHead(system, schur, factors, remainder.factor_inverses)
    return BasisHead(system, schur, factors, basis, coordinates, ahead, remainder.spent if len(basis) else None)


def takes_rows(schur: FactoredDense, weights: np.ndarray) -> bool:
    """Whether each row of inv(S) is made use of once, so that its memory is free for another."""
    cp, full = schur.storage.cp, schur.storage.full
    return not full and (cp.k[0] == 1 or not pairs_are_less_work(cp, symmetric_basis(weights, cp.k[0])[0]))


def has_intercepts(schur: FactoredDense) -> bool:
    """Whether an `InterceptHead` serves: one effect for each group of the first term, cells not laid out."""
    return schur.storage.cp.k[0] == 1 and not schur.storage.full


def less_work(cp: CrossProducts, members: int) -> bool:
    """Whether H_00 itself takes fewer multiplications than a basis of so many members, all cells being laid out."""
    return cp.sizes[0] * (1.0 + cp.k[0] ** 2 / cp.q_schur) <= 2.0 * members * cp.q_schur


def pairs_are_less_work(cp: CrossProducts, basis: np.ndarray) -> bool:
    """Whether to go from entries to half of all rows of H_00 is less work than back to all columns with every member."""
    return bool(len(basis)) and PAIRED * 0.5 * cp.sizes[0] <= cp.q_schur * cp.k[0]


class ExplicitHead(Laid):
    """H_00 row by row, from all of C G A~_20 (q2, q0)."""

    def __init__(self, system: FactoredSystem, schur: FactoredDense, factors: Factors):
        super().__init__(system, schur, factors)
        self.through_G = np.empty((self.cp.q_schur, self.cp.sizes[0]))

    def through(self, stretch: Stretch, C: np.ndarray) -> np.ndarray:
        """Rows of C G A~_20, and `pair_sums` of H_20."""
        assert self.full is not None
        R = C @ self.full.T
        self.through_G[scalar_rows(self.cp, stretch)] = blocks_times(self.G[stretch.t], R)
        return pair_sums(R, self.cp.k[stretch.t], self.cp.k[0])

    def pieces(self, most: int) -> list[Piece]:
        return [partial(self._sums, stretch) for stretch in stretches(self.cp, 0, most)]

    def _sums(self, stretch: Stretch) -> HeadSums:
        assert self.full is not None
        where, k = scalar_rows(self.cp, stretch), self.cp.k[0]
        H = self.full[where] @ -self.through_G[:, where.start :]  # from the diagonal blocks on
        add_own_blocks(H, 0, self.blocks[stretch.begin : stretch.end])
        square = H[:, : len(H)]
        return HeadSums(own_sum(square, k), pair_sums(square, k, k), pair_sums(H[:, len(H) :], k, k))

    def rest(self) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros_like(self.G[0]), np.zeros(())


def symmetric_basis(weights: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """A basis (m, k, k) of symmetric matrices, and coordinates (n, m) in it of those in `weights` (n, k k).

    It has the fewest members, and of those that have, the ones with the fewest entries.

    Examples
    --------
    >>> basis, coordinates = symmetric_basis(np.array([[2.0, 0.0, 0.0, 0.0], [1.0, 3.0, 3.0, 1.0]]), 2)
    >>> len(basis), np.allclose(coordinates @ basis.reshape(-1, 4), [[2.0, 0.0, 0.0, 0.0], [1.0, 3.0, 3.0, 1.0]])
    (2, True)
    """
    size = np.abs(weights).max(axis=1, keepdims=True)
    values, directions = np.linalg.svd(weights / np.where(size > 0, size, 1.0), full_matrices=False)[1:]
    rank = int((values > 1e-12 * values.max(initial=0.0)).sum()) if values.size else 0
    a, b = np.nonzero(np.triu(weights.any(axis=0).reshape(k, k)))
    if rank < len(a):
        basis = directions[:rank].reshape(rank, k, k)
    else:
        basis = np.zeros((len(a), k, k))
        basis[np.arange(len(a)), a, b] = basis[np.arange(len(a)), b, a] = 1.0
    flat = basis.reshape(len(basis), k * k)
    return basis, weights @ flat.T / (flat * flat).sum(axis=1)
