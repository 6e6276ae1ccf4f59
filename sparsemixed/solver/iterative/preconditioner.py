"""A preconditioner P = R'R of the Schur complement S: block diagonal, with the small terms' part of S exact.

S = M_22 - H'H with H = inv(L_00) M_02. The columns of the remaining terms fall into a Jacobi set J, whose diagonal blocks
of M_22 are taken for S, and a small set K, which is coupled exactly where it has few columns: P = [[D, C], [C', S_KK]] with
C = S_JK.
Eliminating term 0 exactly and taking D for the others is the symmetric Gauss-Seidel preconditioner of the whole system.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.lapack import solve_triangular
from sparsemixed.solver.blocks import factored_blocks


class Blocks:
    """D = blocks (J, k, k) for each of consecutive sets of columns, D = R_D'R_D; `logdet` is log|D|."""

    def __init__(self, blocks: list[np.ndarray]):
        self.inverse_lower, self.logdet = [], 0.0
        for values in blocks:
            lower, inverse = np.empty_like(values), np.empty_like(values)
            if factored_blocks(np.ascontiguousarray(values), lower, inverse) >= 0:
                raise NumericalError("a diagonal block of the random effects' system is not positive definite")
            self.inverse_lower.append(inverse)
            self.logdet += 2.0 * float(np.log(np.einsum("iaa->ia", lower)).sum())

    @property
    def size(self) -> int:
        """Number of columns."""
        return sum(b.shape[0] * b.shape[1] for b in self.inverse_lower)

    @property
    def inverses(self) -> list[np.ndarray]:
        """inv(D), block by block."""
        return [b.transpose(0, 2, 1) @ b for b in self.inverse_lower]

    def _apply(self, x: np.ndarray, transpose: bool) -> np.ndarray:
        out, start = np.empty_like(x), 0
        for inverse in self.inverse_lower:
            j, k, _ = inverse.shape
            stop = start + j * k
            if k == 1:
                np.multiply(inverse.reshape(j, 1), x[start:stop], out=out[start:stop])
            else:
                matrix = inverse.transpose(0, 2, 1) if transpose else inverse
                out[start:stop] = (matrix @ x[start:stop].reshape(j, k, -1)).reshape(j * k, -1)
            start = stop
        return out

    def half(self, x: np.ndarray) -> np.ndarray:
        """inv(R_D) x = inv(L)'x, where D = L L'."""
        return self._apply(x, True)

    def half_transpose(self, x: np.ndarray) -> np.ndarray:
        """inv(R_D)'x = inv(L) x."""
        return self._apply(x, False)


class Coupled:
    """P with an exact small part; `logdet` is log|P|.

    Parameters
    ----------
    blocks : Blocks
        D, of the first q_J columns.
    coupling : (q_J, q_K)
        C.
    corner : (q_K, q_K)
        S_KK.

    Raises
    ------
    NumericalError
        P is not positive definite.
    """

    def __init__(self, blocks: Blocks, coupling: np.ndarray, corner: np.ndarray):
        self.blocks = blocks
        self.scaled = blocks.half_transpose(coupling)
        try:
            self.lower = np.linalg.cholesky(corner - self.scaled.T @ self.scaled)
        except np.linalg.LinAlgError as error:
            raise NumericalError("the coupled preconditioner is not positive definite") from error
        self.logdet = blocks.logdet + 2.0 * float(np.log(np.diag(self.lower)).sum())

    def half(self, x: np.ndarray) -> np.ndarray:
        """inv(R) x (q2, m)."""
        q = self.blocks.size
        small = solve_triangular(self.lower, x[q:], lower=True, transposed=True)
        return np.concatenate([self.blocks.half(x[:q] - self.scaled @ small), small])

    def half_transpose(self, x: np.ndarray) -> np.ndarray:
        """inv(R)'x (q2, m)."""
        q = self.blocks.size
        large = self.blocks.half_transpose(x[:q])
        return np.concatenate([large, solve_triangular(self.lower, x[q:] - self.scaled.T @ large, lower=True)])
