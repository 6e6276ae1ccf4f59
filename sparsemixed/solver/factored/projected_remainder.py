"""H_22 and C = I - G H_22 of the remaining terms, a few rows at a time (see `solver.factored.projected`)."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sparsemixed.solver.crossproducts.block_products import Factors
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.projected_blocks import Stretch, add_own_blocks, blocks_times, scalar_rows, times_blocks
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.kernels import apply_blocks

SMALLEST_SHARE = 1e-5
"""Least eigenvalue of Lambda'H Lambda = I - N, the mean over a term's groups, down to which inv(Lambda)'(I - N)inv(Lambda) keeps
enough digits of H."""


class Remainder(Protocol):
    """What makes rows of H_22 and of C'.

    Attributes
    ----------
    spent : (q2, q2) or None
        Memory of which row by row nothing is needed any more once `rows` has made something of it.
    """

    spent: np.ndarray | None

    def rows(self, stretch: Stretch) -> tuple[np.ndarray, np.ndarray]:
        """H_22 and C' at the rows of a stretch of a remaining term, (m, q2) each."""
        ...


def remainder_of(system: FactoredSystem, schur: FactoredDense, factors: Factors, spend: bool = False) -> Remainder:
    """From inv(S) alone where no Lambda of a remaining term is nearly singular, else by dense products.

    Parameters
    ----------
    spend : bool
        Whether to give up inv(S) for the memory, if its rows are all that is needed of it.
    """
    cp = system.cp
    own = [values for values, pair in zip(schur.inverse_pairs(), cp.pairs, strict=True) if pair.t == pair.u]
    places = [pair.own for pair in cp.pairs if pair.t == pair.u]
    means = [values[place].mean(axis=0) for values, place in zip(own, places, strict=True)]
    if all(np.linalg.eigvalsh(np.eye(len(mean)) - mean)[0] >= SMALLEST_SHARE for mean in means):
        return ByInverse(cp, schur.spent_inverse() if spend else schur.inverse, factors[1:], spend)
    half = np.empty_like(cp.cross)
    apply_blocks(system.inverse_lower, cp.indptr, np.ascontiguousarray(cp.cross @ factors[0]), False, half)
    return ByProducts(cp, schur.projected([pair.values for pair in cp.pairs], half, factors[1:]), factors[1:])


class ByInverse:
    """From N_22 = inv(S) (q2, q2)."""

    def __init__(self, cp: CrossProducts, inverse: np.ndarray, factors: Factors, own: bool):
        self.cp, self.inverse, self.factors = cp, inverse, factors
        self.spent = inverse if own else None
        self.factor_inverses = [np.linalg.inv(factor) for factor in factors]

    def rows(self, stretch: Stretch) -> tuple[np.ndarray, np.ndarray]:
        where = scalar_rows(self.cp, stretch)
        left = self.factor_inverses[stretch.t - 1].T
        through = blocks_times(left, self.inverse[where])
        C = times_blocks(self.cp, through, [factor.T for factor in self.factors])
        np.negative(through, out=through)
        add_own_blocks(through, where.start, left)
        return times_blocks(self.cp, through, self.factor_inverses), C


class ByProducts:
    """From H_22 (q2, q2) itself."""

    spent: np.ndarray | None = None

    def __init__(self, cp: CrossProducts, H: np.ndarray, factors: Factors):
        self.cp, self.H, self.G = cp, H, [factor @ factor.T for factor in factors]

    def rows(self, stretch: Stretch) -> tuple[np.ndarray, np.ndarray]:
        where = scalar_rows(self.cp, stretch)
        H = self.H[where]
        C = -times_blocks(self.cp, H, self.G)
        add_own_blocks(C, where.start, np.eye(self.cp.k[stretch.t]))
        return H, C
