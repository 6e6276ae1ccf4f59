"""The penalised system by conjugate gradients: products with M's blocks only, for designs whose Schur complement fills up.

Term 0 is eliminated exactly, as in `solver.factored.system`. The Schur complement S = M_22 - H'H, H = inv(L_00) M_02, is never
formed: in the coordinates of a preconditioner P = R'R its products are x -> inv(R)'S inv(R) x, whose spectrum for crossed
designs is one small eigenvalue and a bulk near one, so that few iterations serve (Pandolfi, Papaspiliopoulos & Zanella
2024; documentation page on iterative fits).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.solver.blocks import factored_blocks
from sparsemixed.solver.buffers import Buffers
from sparsemixed.solver.crossproducts.block_products import Factors, remaining_rows, within_parts
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, own_blocks
from sparsemixed.solver.crossproducts.sparse_products import remaining_times
from sparsemixed.solver.iterative.conjugate_gradients import conjugate_gradients
from sparsemixed.solver.iterative.preconditioner import Blocks, Coupled
from sparsemixed.solver.iterative.sparse_operator import SparseCells
from sparsemixed.solver.linalg import stacked

MOST_ITERATIONS = 300
"""Products after which conjugate gradients give up: near-nested designs, which little fill makes cheap to factor."""
COUPLED_NUMBERS = 5e7
"""Numbers (0.4 GB) in the exact coupling of small terms up to which it is kept."""


class KrylovSystem:
    """The systems of one design at all Lambda.

    Parameters
    ----------
    cp : CrossProducts
        With at least two terms.
    tolerance : float
        Relative residual of `solve`.
    most : int, optional
        Products after which conjugate gradients give up; MOST_ITERATIONS by default.
    """

    name = "krylov"
    weighted = False

    def __init__(self, cp: CrossProducts, tolerance: float = 1e-10, most: int | None = None):
        self.cp, self.tolerance, self.most = cp, tolerance, most or MOST_ITERATIONS
        self.cells = SparseCells(cp.indptr, cp.columns, cp.q_schur)
        self.buffers = Buffers()

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """Every group stands for one."""
        return tuple(np.ones(j) for j in self.cp.n_groups)

    @property
    def numbers(self) -> float:
        """Numbers in one preconditioned system, about."""
        return 2.0 * self.cp.first.size + 1.0 * self.cp.cross.size

    def factor(self, factors: Factors) -> KrylovFactored:
        """M at `factors`, preconditioned.

        Raises
        ------
        NumericalError
            M is not positive definite.
        """
        return KrylovFactored(self, factors)

    def times_ZtZ(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values (q, m) without forming Z'Z."""
        cp, q0 = self.cp, self.cp.sizes[0]
        head = stacked(cp.first, values[:q0].reshape(cp.n_groups[0], cp.k[0], -1)).reshape(q0, -1)
        head += self.cells.times(cp.cross, values[q0:])
        tail = self.cells.times_transposed(cp.cross, values[:q0])
        return np.concatenate([head, tail + remaining_times(cp.pairs, cp.schur_offsets, values[q0:])])


class ExactBlocks(NamedTuple):
    """Of N = inv(M) what is known without probes (see `solver.iterative.probe_traces`).

    Attributes
    ----------
    head : (J0, k0, k0)
        Diagonal blocks of the first term.
    remaining : list of (J, k, k)
        Those of the others.
    defect : float
        tr(I - inv(R)'S inv(R)).
    """

    head: np.ndarray
    remaining: list[np.ndarray]
    defect: float


class KrylovFactored:
    """M at one Lambda, its first term eliminated and the Schur complement preconditioned: a value.

    Attributes
    ----------
    cp : CrossProducts
    logdet : float
        NaN: the determinant is not known here (see `solver.iterative.lanczos`).
    logdet_head : float
        log|M_00|.
    half : (nnz, k0)
        H, cell by cell; a buffer, not to be kept.
    inverse_lower : (J0, k0, k0)
        inv(L_00); a buffer, not to be kept.
    preconditioner : Blocks or Coupled
    cells : SparseCells
    exact : ExactBlocks or None
        Once they have been asked for.
    """

    logdet = float("nan")

    def __init__(self, system: KrylovSystem, factors: Factors):
        cp = system.cp
        self.cp, self._system, self.cells = cp, system, system.cells
        self.exact: ExactBlocks | None = None
        self.inverse_lower = system.buffers.lend(self, cp.first.shape)
        self.half = system.buffers.lend(self, cp.cross.shape)
        first, pairs = within_parts(cp, factors, factors)
        lower = np.empty_like(first)
        bad = factored_blocks(first + np.eye(cp.k[0]), lower, self.inverse_lower)
        if bad >= 0:
            raise NumericalError(f"the random-effects system broke down in group {bad} of its largest term")
        self.logdet_head = 2.0 * float(np.log(np.einsum("iaa->ia", lower)).sum())
        self._scale_cells(factors)
        self._pairs = [pair._replace(values=values) for pair, values in zip(cp.pairs, pairs, strict=True)]
        self._blocks = [blocks + np.eye(blocks.shape[1]) for blocks in own_blocks(cp, first, pairs)[1:]]
        self.preconditioner = self._precondition()

    def _scale_cells(self, factors: Factors) -> None:
        """H = inv(L_00) Lambda_0'Z_0'Z_2 Lambda_2; a Lambda_2 of one number goes into the blocks, and spares a pass."""
        cp, blocks = self.cp, stacked(self.inverse_lower, factors[0].T)
        if len(cp.k) == 2 and cp.k[1] == 1:
            self.cells.scale(blocks * factors[1][0, 0], cp.cross, self.half)
        else:
            self.cells.scale(blocks, remaining_rows(cp, cp.cross, factors), self.half)

    @property
    def jacobi_terms(self) -> int:
        """Number of remaining terms whose blocks alone stand for S: one where the others are coupled exactly."""
        return 1 if isinstance(self.preconditioner, Coupled) else len(self._blocks)

    def _precondition(self) -> Blocks | Coupled:
        q1 = self.cp.sizes[1]
        small = self.cp.q_schur - q1
        if small and small * max(self.cp.sizes[0], q1) <= COUPLED_NUMBERS:
            try:
                S = self.schur(np.eye(self.cp.q_schur, small, -q1))
                return Coupled(Blocks(self._blocks[:1]), S[:q1], S[q1:])
            except NumericalError:
                pass  # D is too small for the coupling; without it P is positive definite whatever D is
        return Blocks(self._blocks)

    def times_ZtZ(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values (q, m) without forming Z'Z."""
        return self._system.times_ZtZ(values)

    def head(self, x: np.ndarray) -> np.ndarray:
        """H x (q0, m)."""
        return self.cells.times(self.half, x)

    def head_transpose(self, x: np.ndarray) -> np.ndarray:
        """H'x (q2, m)."""
        return self.cells.times_transposed(self.half, x)

    def square(self, x: np.ndarray) -> np.ndarray:
        """H'H x (q2, m)."""
        return self.cells.times_square(self.half, x)

    def schur(self, x: np.ndarray) -> np.ndarray:
        """S x (q2, m)."""
        return remaining_times(self._pairs, self.cp.schur_offsets, x) + x - self.square(x)

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """inv(R)'S inv(R) x (q2, m)."""
        return self.preconditioner.half_transpose(self.schur(self.preconditioner.half(x)))

    def solve_scaled(self, b: np.ndarray, tolerance: float, start: np.ndarray | None = None) -> np.ndarray:
        """inv(inv(R)'S inv(R)) b (q2, m)."""
        return conjugate_gradients(self.scaled, b, tolerance, self._system.most, start).x

    def back(self, x: np.ndarray) -> np.ndarray:
        """inv(M_00) M_02 x (q0, m)."""
        return self._heads(self.head(x), transpose=True)

    def _heads(self, x: np.ndarray, transpose: bool) -> np.ndarray:
        """inv(L_00) x, or its transpose, for x (q0, m)."""
        blocks = self.inverse_lower.transpose(0, 2, 1) if transpose else self.inverse_lower
        return stacked(blocks, x.reshape(self.cp.n_groups[0], self.cp.k[0], -1)).reshape(x.shape)

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(M) b for b (q, m)."""
        q0 = self.cp.sizes[0]
        head = self._heads(b[:q0], transpose=False)
        scaled = self.preconditioner.half_transpose(b[q0:] - self.head_transpose(head))
        tail = self.preconditioner.half(self.solve_scaled(scaled, self._system.tolerance))
        return np.concatenate([self._heads(head - self.head(tail), transpose=True), tail])
