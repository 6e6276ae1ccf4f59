"""The inverse of a definite matrix by blocks, whose products threads share out.

At orders around a thousand BLAS's own threads do not pay yet (WORTH_THREADS), for they wait for each other at every step. The two
halves of an inverse, and pieces of the products between them, need not wait; the pieces depend on the order alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from sparsemixed.solver.linalg import mirrored
from sparsemixed.solver.threads import WORTH_THREADS, shared_out
from sparsemixed.solver.unlocked import add_product, inverse_of_factor, times_inverse

BLOCK = 256
"""Order up to which LAPACK's routine is taken as it is."""
FIRST_SHARE = 0.4
"""Of the rows that make the first block: its half of the work is as large as that of the second one then."""
PIECES = 4
"""Of a product that is shared out."""


def inverted(lower: np.ndarray) -> int:
    """Replace a Cholesky factor L (n, n), stored by columns, by inv(LL'), both triangles of it; not zero where L is singular.

    With L = [[A, 0], [B, C]], T = B inv(A) and N_22 = inv(CC'), the other blocks are N_12 = -T'N_22 and N_11 = inv(AA') - N_12 T.
    """
    n = len(lower)
    if not 2 * BLOCK < n < WORTH_THREADS:
        return _inverted_block(lower)
    m = int(FIRST_SHARE * n)
    parts = partial(_first, lower, m), partial(_inverted_alone, lower[m:, m:])
    failed = max(shared_out(lambda part, _: parts[part](), range(2), range(2)))
    if not failed:
        _shared(n - m, partial(_multiplied, lower, m))
        _shared(m, partial(_corrected, lower, m))
        mirrored(lower[:m, :m].T)
    return failed


def _first(lower: np.ndarray, m: int) -> int:
    """T in the place of B, and inv(AA') in that of A, of order m."""
    times_inverse(lower[m:, :m], lower[:m, :m])
    return _inverted_alone(lower[:m, :m])


def _inverted_alone(lower: np.ndarray) -> int:
    """As `inverted`, on this thread."""
    n, m = len(lower), len(lower) // 2
    if n <= BLOCK:
        return _inverted_block(lower)
    failed = max(_first(lower, m), _inverted_alone(lower[m:, m:]))
    if not failed:
        _multiplied(lower, m, 0, n - m)
        _corrected(lower, m, 0, m)
        mirrored(lower[:m, :m].T)
    return failed


def _inverted_block(lower: np.ndarray) -> int:
    failed = inverse_of_factor(lower)
    mirrored(lower.T)
    return failed


def _multiplied(matrix: np.ndarray, m: int, begin: int, end: int) -> None:
    """Columns begin to end of N_12, from T and N_22."""
    add_product(matrix[:m, m + begin : m + end], matrix[m:, :m].T, matrix[m:, m + begin : m + end], -1.0, 0.0)


def _corrected(matrix: np.ndarray, m: int, begin: int, end: int) -> None:
    """Columns begin to end of N_11, from their diagonal block on, and of N_21."""
    for at in range(begin, end, BLOCK):
        columns = slice(at, min(at + BLOCK, end))
        add_product(matrix[at:m, columns], matrix[at:m, m:], matrix[m:, columns], -1.0)
        matrix[m:, columns] = matrix[columns, m:].T


def _shared(n: int, work: Callable[[int, int], None]) -> None:
    """Columns in pieces: more of them than threads, because some take longer than others."""
    bounds = np.linspace(0, n, PIECES + 1).astype(int).tolist()
    shared_out(work, bounds[:-1], bounds[1:])
