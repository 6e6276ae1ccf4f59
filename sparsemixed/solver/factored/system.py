"""The penalised system M = Lambda'Z'ZLambda + D = L L': eliminate the first term block-wise, then factor the rest.

With term 0 eliminated, log|M| = log|M_00| + log|S| where S = M_22 - M_20 inv(M_00) M_02 is the Schur complement; entries
of N = inv(M) on the pattern of Z'Z follow from those of inv(S) (Takahashi, Fagan & Chen 1973; two-level form as in the
documentation page on the likelihood).

D is the identity, except where groups have weights: then D_i is the product of the weights of group i and of all groups
that hold it, terms come innermost first, and the determinant becomes the sum of D_i (2 log L_ii - log D_i): the
determinants of the D_i replicates of every group. Its derivative in M is N = inv(L)'D inv(L), whose entries follow from
the same recurrence with D_i in place of the ones on its diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import scipy.sparse as sp

from sparsemixed.errors import NumericalError
from sparsemixed.solver.crossproducts.block_products import Factors, Pattern, product
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.elimination_pattern import Layout
from sparsemixed.solver.kernels import apply_blocks, factor_blocks


class Schur(NamedTuple):
    """Derivative of the Schur complement in one direction: S_k = pairs - left'right - right'left; entries (nnz, k0)."""

    pairs: tuple[np.ndarray, ...]
    left: np.ndarray
    right: np.ndarray


class Rest(Protocol):
    """How the Schur complement S (q2, q2) is stored and factored."""

    name: str

    dense_inverse: np.ndarray | None
    """All of inv(S) (q2, q2) after `invert`, where it is held (then `derivative_times_inverse` is offered too); else None."""

    def factor(self, pairs: Sequence[np.ndarray], half: np.ndarray) -> float:
        """Form S from the rest's pair blocks plus D minus half'half (half (nnz, k0)); factor; return log|S|, weighted by D."""
        ...

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(S) b for b (q2, m)."""
        ...

    def invert(self) -> None:
        """Compute N, which is inv(S) where D is the identity, at least on the pattern of S."""
        ...

    def gather(self, entries: np.ndarray) -> np.ndarray:
        """Entries (nnz, k0) of each group times N among that group's columns."""
        ...

    def inverse_pairs(self) -> tuple[np.ndarray, ...]:
        """N on the rest's pair blocks."""
        ...

    def trace_products(self, directions: Sequence[Schur]) -> np.ndarray:
        """tr(inv(S) S_k inv(S) S_l) for all directions; with D the sum of D_max(i,j) A_k,ij A_l,ij, A_k = inv(L) S_k inv(L)'."""
        ...


class PenalizedSystem:
    """The factored M at one Lambda; `refactor` moves it to another. Its buffers never leave it uncopied.

    Parameters
    ----------
    cp : CrossProducts
    layout : Layout
    rest : Rest
        Storage for the Schur complement, made for the same `cp` and `layout`.
    weights : sequence of (J,) float64, optional
        D of the groups of every term; by default ones.
    """

    def __init__(self, cp: CrossProducts, layout: Layout, rest: Rest, weights: Sequence[np.ndarray] | None = None):
        self.cp, self.layout, self.rest = cp, layout, rest
        self.weighted = weights is not None
        self.weights = tuple(np.ones(j) for j in cp.n_groups) if weights is None else tuple(weights)
        self.factorizations = 0
        self._lower = np.empty_like(cp.first)
        self._inverse_lower = np.empty_like(cp.first)
        self._half = np.empty_like(cp.cross)

    def reset(self, cp: CrossProducts) -> None:
        """Take other cross-products on the same pattern; call `refactor` next."""
        self.cp = cp

    def refactor(self, factors: Factors) -> float:
        """Factor M at `factors` (one (k, k) matrix per term) and return log|M|."""
        cp = self.cp
        self.factorizations += 1
        m = product(cp, factors, factors)
        bad = factor_blocks(with_weights(m.first, self.weights[0]), self._lower, self._inverse_lower)
        if bad >= 0:
            raise NumericalError(f"the random-effects system broke down in group {bad} of its largest term")
        apply_blocks(self._inverse_lower, cp.indptr, m.cross, False, self._half)
        logdet = weighted_logdet(self._lower, self.weights[0])
        self._half_matrix = self._scalar_matrix(self._half)
        return logdet + self.rest.factor(m.pairs, self._half)

    def _scalar_matrix(self, entries: np.ndarray) -> sp.csr_array:
        indptr, indices = self.layout.scalar
        data = entries.ravel()[self.layout.expand]
        return sp.csr_array((data, indices, indptr), shape=(self.cp.sizes[0], self.cp.q_rest))

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(M) b for b (q, m)."""
        j0, k0 = self.cp.n_groups[0], self.cp.k[0]
        q0, m = j0 * k0, b.shape[1]
        head = (self._inverse_lower @ b[:q0].reshape(j0, k0, m)).reshape(q0, m)
        rest = self.rest.solve(b[q0:] - self._half_matrix.T @ head)
        head = head - self._half_matrix @ rest
        head = self._inverse_lower.transpose(0, 2, 1) @ head.reshape(j0, k0, m)
        return np.concatenate([head.reshape(q0, m), rest])

    def inverse_blocks(self) -> Pattern:
        """Entries of N on the pattern of Z'Z, at the Lambda of the last `refactor`."""
        self.rest.invert()
        elimination = self.elimination()
        cross = -self.rest.gather(elimination)
        first = self.weights[0][:, None, None] * self.block_inverse - self._group_products(cross, elimination)
        return Pattern(first, cross, self.rest.inverse_pairs())

    def elimination(self) -> np.ndarray:
        """inv(M_00) M_02, entries (nnz, k0)."""
        out = np.empty_like(self._half)
        apply_blocks(self._inverse_lower, self.cp.indptr, self._half, True, out)
        return out

    @property
    def block_inverse(self) -> np.ndarray:
        """inv(M_00) (J0, k0, k0)."""
        return self._inverse_lower.transpose(0, 2, 1) @ self._inverse_lower

    def _group_products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """(J0, k0, k0): for each group the sum over its entries of outer(left, right)."""
        out = np.zeros_like(self.cp.first)
        filled = np.flatnonzero(np.diff(self.cp.indptr))
        if filled.size:
            outer = left[:, :, None] * right[:, None, :]
            out[filled] = np.add.reduceat(outer, self.cp.indptr[filled], axis=0)
        return out


def with_weights(blocks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Blocks (J, k, k) with D added: weights (J,) on the diagonal of each."""
    return blocks + weights[:, None, None] * np.eye(blocks.shape[-1])


def weighted_logdet(lower: np.ndarray, weights: np.ndarray) -> float:
    """Sum over blocks (J, k, k) of D (2 log L_aa - log D)."""
    return float((weights[:, None] * (2.0 * np.log(np.einsum("iaa->ia", lower)) - np.log(weights)[:, None])).sum())
