"""Conjugate gradients for several right-hand sides at once (Hestenes & Stiefel 1952; Saad 2003, algorithm 6.18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sparsemixed.errors import NumericalError, SlowConvergenceError
from sparsemixed.solver.iterative.kernels_steps import advance, turn


class Solution(NamedTuple):
    """x (q, m) and the number of products with the operator."""

    x: np.ndarray
    iterations: int


def conjugate_gradients(
    apply: Callable[[np.ndarray], np.ndarray],
    b: np.ndarray,
    tolerance: float,
    most: int,
    start: np.ndarray | None = None,
) -> Solution:
    """Solve A x = b column by column, all columns in step; A symmetric positive definite, its products `apply` (q, m).

    A column rests when its residual is below `tolerance` times its right-hand side. Raises SlowConvergenceError when a column is
    not there after `most` products, NumericalError when A shows itself not positive definite.
    """
    x = np.zeros(b.shape) if start is None else start.copy(order="C")
    r = b.copy(order="C") if start is None else b - apply(x)
    limit = (tolerance * np.linalg.norm(b, axis=0)) ** 2
    square = np.einsum("ic,ic->c", r, r)
    iterations, active = 0 if start is None else 1, np.flatnonzero(square > limit)
    p, square = np.ascontiguousarray(r[:, active]), square[active]
    while active.size:
        if iterations >= most:
            raise SlowConvergenceError(
                f"conjugate gradients did not converge in {most} iterations: the factors are nearly nested in one another, or "
                "nearly collinear. Such designs have little fill: use solver(sparse)"
            )
        through = apply(p)
        iterations += 1
        curvature = np.einsum("ic,ic->c", p, through)
        if not np.all(curvature > 0):
            raise NumericalError("the random effects' system is not positive definite")
        after = advance(active, square / curvature, p, through, x, r)
        kept = np.flatnonzero(after > limit[active])
        active, following = active[kept], np.empty((len(b), kept.size))
        turn(active, kept, after[kept] / square[kept], r, p, following)
        p, square = following, after[kept]
    return Solution(x, iterations)
