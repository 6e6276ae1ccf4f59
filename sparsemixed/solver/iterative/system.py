"""The penalised system by conjugate gradients: products with M's blocks only, for designs whose Schur complement fills up.

Term 0 is eliminated exactly, as in `solver.factored.system`. The Schur complement S = M_22 - H'H, H = inv(L_00) M_02, is never
formed: in the coordinates of a preconditioner P = R'R its products are x -> inv(R)'S inv(R) x, whose spectrum for crossed
designs is one small eigenvalue and a bulk near one, so that few iterations serve (Pandolfi, Papaspiliopoulos & Zanella
2024; documentation page on iterative fits).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse as sp

from sparsemixed.errors import NumericalError
from sparsemixed.solver.crossproducts.block_products import Factors, Pattern, product
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, own_blocks, rest_matrix
from sparsemixed.solver.factored.elimination_pattern import scalar_rows
from sparsemixed.solver.iterative.conjugate_gradients import conjugate_gradients
from sparsemixed.solver.iterative.preconditioner import Blocks, Coupled, Preconditioner
from sparsemixed.solver.iterative.sparse_operator import SparsePattern
from sparsemixed.solver.kernels import apply_blocks, factor_blocks

MOST_ITERATIONS = 300
"""Products after which conjugate gradients give up: near-nested designs, which little fill makes cheap to factor."""
COUPLED_NUMBERS = 5e7
"""Numbers (0.4 GB) in the exact coupling of small terms up to which it is kept."""


class _Name:
    name = "krylov"
    dense_inverse = None


class KrylovSystem:
    """M at one Lambda; `refactor` moves it to another.

    Parameters
    ----------
    cp : CrossProducts
        With at least two terms.
    tolerance : float
        Relative residual of `solve`.
    most : int, optional
        Products after which conjugate gradients give up; MOST_ITERATIONS by default.
    """

    rest = _Name()
    weighted = False

    def __init__(self, cp: CrossProducts, tolerance: float = 1e-10, most: int | None = None):
        self.cp, self.tolerance, self.most = cp, tolerance, most or MOST_ITERATIONS
        self.factorizations = 0
        expand, (indptr, columns) = scalar_rows(cp, np.diff(cp.indptr))
        self._expand = None if cp.k[0] == 1 else expand
        self.pattern = SparsePattern(indptr, columns, cp.q_rest)
        self._lower, self.inverse_lower = np.empty_like(cp.first), np.empty_like(cp.first)
        self._half = np.empty_like(cp.cross)

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """Every group stands for one."""
        return tuple(np.ones(j) for j in self.cp.n_groups)

    # --- the cross-products themselves -------------------------------------------------------------------------------

    @cached_property
    def _raw_rest(self) -> sp.csr_array:
        return rest_matrix(self.cp, [pair.values for pair in self.cp.pairs])

    def through(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values (q, m) without forming Z'Z."""
        cp, q0 = self.cp, self.cp.sizes[0]
        data = self._entries(cp.cross)
        head = (cp.first @ values[:q0].reshape(cp.n_groups[0], cp.k[0], -1)).reshape(q0, -1)
        head += self.pattern.times(data, values[q0:])
        rest = self.pattern.times_transposed(self.pattern.transposed(data), values[:q0])
        return np.concatenate([head, rest + self._raw_rest @ values[q0:]])

    def _entries(self, blocks: np.ndarray) -> np.ndarray:
        """Cell entries (nnz, k0) in the order of the scalar pattern."""
        return blocks.ravel() if self._expand is None else blocks.ravel()[self._expand]

    # --- at one Lambda -----------------------------------------------------------------------------------------------

    def refactor(self, factors: Factors) -> float:
        """Move to `factors`. The log-determinant is not known here: NaN (see `solver.iterative.lanczos`)."""
        cp = self.cp
        self.factorizations += 1
        m = product(cp, factors, factors)
        bad = factor_blocks(m.first + np.eye(cp.k[0]), self._lower, self.inverse_lower)
        if bad >= 0:
            raise NumericalError(f"the random-effects system broke down in group {bad} of its largest term")
        apply_blocks(self.inverse_lower, cp.indptr, m.cross, False, self._half)
        self._data = self._entries(self._half)
        self._transposed = self.pattern.transposed(self._data)
        self._rest = rest_matrix(cp, m.pairs) + sp.eye_array(cp.q_rest, format="csr")
        self._blocks = [blocks + np.eye(blocks.shape[1]) for blocks in own_blocks(cp, m.first, m.pairs)[1:]]
        self.preconditioner = self._precondition()
        return float("nan")

    @property
    def logdet_head(self) -> float:
        """log|M_00|."""
        return 2.0 * float(np.log(np.einsum("iaa->ia", self._lower)).sum())

    @property
    def half(self) -> np.ndarray:
        """H (nnz, k0), cell by cell."""
        return self._half

    @property
    def jacobi_terms(self) -> int:
        """Number of remaining terms whose blocks alone stand for S: one where the others are coupled exactly."""
        return 1 if isinstance(self.preconditioner, Coupled) else len(self._blocks)

    def _precondition(self) -> Preconditioner:
        q1 = self.cp.sizes[1]
        small = self.cp.q_rest - q1
        if small and small * max(self.cp.sizes[0], q1) <= COUPLED_NUMBERS:
            try:
                S = self.schur(np.eye(self.cp.q_rest, small, -q1))
                return Coupled(Blocks(self._blocks[:1]), S[:q1], S[q1:])
            except NumericalError:
                pass  # D is too small for the coupling; without it P is positive definite whatever D is
        return Blocks(self._blocks)

    def head(self, x: np.ndarray) -> np.ndarray:
        """H x (q0, m)."""
        return self.pattern.times(self._data, x)

    def head_transpose(self, x: np.ndarray) -> np.ndarray:
        """H'x (q2, m)."""
        return self.pattern.times_transposed(self._transposed, x)

    def schur(self, x: np.ndarray) -> np.ndarray:
        """S x (q2, m)."""
        return self._rest @ x - self.head_transpose(self.head(x))

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """inv(R)'S inv(R) x (q2, m)."""
        return self.preconditioner.half_transpose(self.schur(self.preconditioner.half(x)))

    def solve_scaled(self, b: np.ndarray, tolerance: float, start: np.ndarray | None = None) -> np.ndarray:
        """inv(inv(R)'S inv(R)) b (q2, m)."""
        return conjugate_gradients(self.scaled, b, tolerance, self.most, start).x

    def back(self, x: np.ndarray) -> np.ndarray:
        """inv(M_00) M_02 x (q0, m)."""
        return self._heads(self.head(x), transpose=True)

    def _heads(self, x: np.ndarray, transpose: bool) -> np.ndarray:
        """inv(L_00) x, or its transpose, for x (q0, m)."""
        blocks = self.inverse_lower.transpose(0, 2, 1) if transpose else self.inverse_lower
        return (blocks @ x.reshape(self.cp.n_groups[0], self.cp.k[0], -1)).reshape(x.shape)

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(M) b for b (q, m)."""
        q0 = self.cp.sizes[0]
        head = self._heads(b[:q0], transpose=False)
        scaled = self.preconditioner.half_transpose(b[q0:] - self.head_transpose(head))
        rest = self.preconditioner.half(self.solve_scaled(scaled, self.tolerance))
        return np.concatenate([self._heads(head - self.head(rest), transpose=True), rest])

    def inverse_blocks(self) -> Pattern:
        """Refused: entries of inv(M) are what conjugate gradients do not give."""
        raise NumericalError("the iterative solver has no selected inverse; its traces are estimated from probes")
