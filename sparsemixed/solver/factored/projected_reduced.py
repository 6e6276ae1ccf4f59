"""A~ = Z'inv(V_1)Z of the eliminated term's rows (see `solver.factored.projected`), and the sums that a head gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.crossproducts.block_products import Factors
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.projected_blocks import Stretch
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.kernels import apply_blocks

LARGEST_CONDITION = 1e4
"""Of a Lambda_0 by which what the system has summed is divided: twelve digits are left."""


class HeadSums(NamedTuple):
    """What a stretch of groups of the eliminated term has in the sums over blocks of H; all but `own` as `pair_sums` has them.

    Attributes
    ----------
    own : (k0, k0)
        Sum of the diagonal blocks.
    inside : (k0 k0, k0 k0)
        Of blocks of H_00 whose transposes are among them.
    beside : (k0 k0, k0 k0)
        Of blocks of H_00 that stand for their transposes too.
    below : sequence of (k k, k0 k0)
        Of H_20, for each remaining term; none where they are taken elsewhere.
    """

    own: np.ndarray
    inside: np.ndarray
    beside: np.ndarray
    below: Sequence[np.ndarray] = ()


Piece = Callable[[], HeadSums]
"""A stretch of rows of H_00 whose sums are to be taken."""
Through = Callable[[Stretch, np.ndarray], np.ndarray]


class Reduced:
    """A~_00 and A~_02: blocks (J0, k0, k0) and entries (nnz, k0)."""

    def __init__(self, system: FactoredSystem, factors: Factors):
        cp = self.cp = system.cp
        self.G = [factor @ factor.T for factor in factors]
        E = np.linalg.inv(np.eye(cp.k[0]) + cp.first @ self.G[0])
        blocks = E @ cp.first
        self.blocks, self.entries = (blocks + blocks.transpose(0, 2, 1)) / 2, np.empty_like(cp.cross)
        apply_blocks(E, cp.indptr, cp.cross, False, self.entries)


class Laid(Reduced):
    """With A~_02 laid out in full (q0, q2) where BLAS takes all cells."""

    def __init__(self, system: FactoredSystem, schur: FactoredDense, factors: Factors):
        super().__init__(system, factors)
        self.full = schur.storage.spread(self.entries) if schur.storage.full else None


def block_sums(left: np.ndarray, right: np.ndarray, k: int) -> np.ndarray:
    """(k k, k k): sums over the blocks L, R (k, k) of left, right (J k, k) of L_ac R_bd, at place (a, b), (c, d)."""
    products = left.reshape(-1, k * k).T @ right.reshape(-1, k * k)
    return products.reshape(k, k, k, k).transpose(0, 2, 1, 3).reshape(k * k, k * k)


def through_inverse(system: FactoredSystem, schur: FactoredDense, rows: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """(J0, k0, k0): diagonal blocks of A~_02 C G A~_20 = R inv(S) R', R = A~_02 Lambda_2 with entries `rows` (nnz, k0).

    The system's own sums are of F = Lambda_0'R, which they tell unless Lambda_0 is nearly singular.
    """
    known = np.linalg.cond(factor) <= LARGEST_CONDITION
    through = system.inverse_blocks.cross @ -np.linalg.inv(factor) if known else schur.gather(np.ascontiguousarray(rows))
    return system.group_products(through, rows)
