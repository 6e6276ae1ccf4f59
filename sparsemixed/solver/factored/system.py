"""The penalised system M = Lambda'Z'ZLambda + D = L L': eliminate the first term block-wise, then factor what remains.

With term 0 eliminated, log|M| = log|M_00| + log|S| where S = M_22 - M_20 inv(M_00) M_02 is the Schur complement; entries
of N = inv(M) on the pattern of Z'Z follow from those of inv(S) (Takahashi, Fagan & Chen 1973; two-level form as in the
documentation page on the likelihood).

D is the identity, except where groups have weights: then D_i is the product of the weights of group i and of all groups
that hold it, terms come innermost first, and the determinant becomes the sum of D_i (2 log L_ii - log D_i): the
determinants of the D_i replicates of every group. Its derivative in M is N = inv(L)'D inv(L), whose entries follow from
the same recurrence with D_i in place of the ones on its diagonal.

A `PenalizedSystem` holds what all Lambda have in common; `factor` makes values of it, which do not change.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.solver.blocks import factored_blocks
from sparsemixed.solver.buffers import Buffers
from sparsemixed.solver.crossproducts.block_products import Factors, Pattern, quadratic_form
from sparsemixed.solver.crossproducts.crossproducts import FULL_SHARE, MOST_FULL, CrossProducts, laid_out
from sparsemixed.solver.crossproducts.sparse_products import times, transposed_times
from sparsemixed.solver.factored.elimination_pattern import EliminationPattern
from sparsemixed.solver.factored.schur import SchurStorage
from sparsemixed.solver.factored.weights import weighted_logdet, with_weights
from sparsemixed.solver.kernels import apply_blocks, scatter_outer
from sparsemixed.solver.linalg import stacked


class PenalizedSystem:
    """The systems of one design at all Lambda.

    Parameters
    ----------
    cp : CrossProducts
    pattern : EliminationPattern
    schur : SchurStorage
        Storage for the Schur complement, made for the same `cp` and `pattern`.
    weights : sequence of (J,) float64, optional
        D of the groups of every term; by default ones.
    """

    def __init__(
        self, cp: CrossProducts, pattern: EliminationPattern, schur: SchurStorage, weights: Sequence[np.ndarray] | None = None
    ):
        self.cp, self.pattern, self.schur = cp, pattern, schur
        self.weighted = weights is not None
        self.weights = tuple(np.ones(j) for j in cp.n_groups) if weights is None else tuple(weights)
        self.buffers = Buffers()

    @property
    def name(self) -> str:
        """How the Schur complement is stored."""
        return self.schur.name

    @property
    def numbers(self) -> float:
        """Numbers in one factored system, about."""
        return self.cp.first.size + 2.0 * self.cp.cross.size + self.schur.numbers

    def with_products(self, cp: CrossProducts) -> PenalizedSystem:
        """The systems of other cross-products on the same pattern."""
        other = copy.copy(self)
        other.cp = cp
        return other

    def factor(self, factors: Factors) -> FactoredSystem:
        """M at `factors` (one (k, k) matrix per term), factored.

        Raises
        ------
        NumericalError
            M is not positive definite.
        """
        return FactoredSystem(self, factors)

    def times_ZtZ(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values (q, m)."""
        return self.cp.times(values)


class FactoredSystem:
    """M at one Lambda, factored: a value. Its buffers never leave it uncopied.

    Attributes
    ----------
    cp : CrossProducts
    weights : tuple of (J,) float64
        D of the groups of every term.
    schur : FactoredSchur
    logdet : float
        log|M|, weighted by D.
    inverse_lower : (J0, k0, k0)
        inv(L_00).
    """

    def __init__(self, system: PenalizedSystem, factors: Factors):
        cp = system.cp
        self.cp, self.weights, self._pattern = cp, system.weights, system.pattern
        self.inverse_lower = system.buffers.lend(self, cp.first.shape)
        self._half = system.buffers.lend(self, cp.cross.shape)
        m = quadratic_form(cp, factors, factors)
        lower = np.empty_like(m.first)
        bad = factored_blocks(with_weights(m.first, self.weights[0]), lower, self.inverse_lower)
        if bad >= 0:
            raise NumericalError(f"the random-effects system broke down in group {bad} of its largest term")
        apply_blocks(self.inverse_lower, cp.indptr, m.cross, False, self._half)
        self.schur = system.schur.factor(m.pairs, self._half)
        full = cp.q <= MOST_FULL and cp.cross.size >= FULL_SHARE * cp.sizes[0] * cp.q_schur
        self._full_half = laid_out(cp, self._half) if full and cp.q_schur else None
        self.logdet = weighted_logdet(lower, self.weights[0]) + self.schur.logdet

    def _half_times(self, x: np.ndarray) -> np.ndarray:
        """inv(L_00) M_02 x (q0, m): by BLAS where the entries are laid out, being many of few numbers."""
        if self._full_half is not None:
            return self._full_half @ x
        return times(self.cp.indptr, self.cp.columns, self._half, x)

    def _half_transposed_times(self, x: np.ndarray) -> np.ndarray:
        """Its transpose times x, (q2, m)."""
        if self._full_half is not None:
            return self._full_half.T @ x
        return transposed_times(self.cp.indptr, self.cp.columns, self._half, x, self.cp.q_schur)

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(M) b for b (q, m)."""
        j0, k0 = self.cp.n_groups[0], self.cp.k[0]
        q0, m = j0 * k0, b.shape[1]
        head = stacked(self.inverse_lower, b[:q0].reshape(j0, k0, m)).reshape(q0, m)
        if not self.cp.q_schur:  # nothing is left: no copies, where b may have thousands of columns
            return stacked(self.inverse_lower.transpose(0, 2, 1), head.reshape(j0, k0, m)).reshape(q0, m)
        tail = self.schur.solve(b[q0:] - self._half_transposed_times(head))
        head = head - self._half_times(tail)
        head = stacked(self.inverse_lower.transpose(0, 2, 1), head.reshape(j0, k0, m))
        return np.concatenate([head.reshape(q0, m), tail])

    def half_solve(self, z: np.ndarray) -> np.ndarray:
        """inv(L') z for z (q, m), M = LL' in some order: standard normal z become draws with covariance inv(M); without D."""
        j0, k0 = self.cp.n_groups[0], self.cp.k[0]
        q0, m = j0 * k0, z.shape[1]
        tail = self.schur.half_solve(z[q0:])
        head = (z[:q0] - self._half_times(tail)).reshape(j0, k0, m)
        return np.concatenate([(self.inverse_lower.transpose(0, 2, 1) @ head).reshape(q0, m), tail])

    def times_ZtZ(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values (q, m)."""
        return self.cp.times(values)

    @cached_property
    def inverse_blocks(self) -> Pattern:
        """Entries of N on the pattern of Z'Z."""
        F = self.elimination()
        cross = self.schur.gather(F)
        np.negative(cross, out=cross)
        first = self.weights[0][:, None, None] * self.block_inverse - self.group_products(cross, F)
        return Pattern(first, cross, self.schur.inverse_pairs())

    def elimination(self) -> np.ndarray:
        """F = inv(M_00) M_02, entries (nnz, k0)."""
        out = np.empty_like(self._half)
        apply_blocks(self.inverse_lower, self.cp.indptr, self._half, True, out)
        return out

    @property
    def block_inverse(self) -> np.ndarray:
        """inv(M_00) (J0, k0, k0)."""
        return stacked(self.inverse_lower.transpose(0, 2, 1), self.inverse_lower)

    def group_products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """(J0, k0, k0): for each group the sum over its entries of outer(left, right)."""
        out = np.zeros_like(self.cp.first)
        scatter_outer(self._pattern.group, left, right, out)
        return out
