"""Few rows with one set of groups, reduced in one compiled call to what a search takes."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.groups.first import as_kernels_take
from sparsemixed.solver.groups.kernels import run_program
from sparsemixed.solver.groups.programs import roots_program
from sparsemixed.solver.groups.roots import CONSTANTS, block_sizes


class ReducedGroups(NamedTuple):
    """What rows come to.

    Attributes
    ----------
    n_groups, k, width, lanes : int
        As of `GroupRoots`.
    data : (blocks, rows, lanes)
        As of `GroupRoots`.
    Q, R, fitted, residual : (n, p), (p, p), (p,), (n,)
        X = QR; y = Q fitted + residual.
    rest : (P, P)
        What random effects do not reach of [Q residual]'[Q residual].
    total, seen : (k, k)
        Squares of the effects' columns, and what X leaves of them.
    visible : bool
        Whether no eigenvalue of `seen`, columns scaled to length one, is as small as the share that was asked about.
    left, whole : float
        Squares of the residual, and of y.
    """

    n_groups: int
    k: int
    width: int
    lanes: int
    data: np.ndarray
    Q: np.ndarray
    R: np.ndarray
    fitted: np.ndarray
    residual: np.ndarray
    rest: np.ndarray
    total: np.ndarray
    seen: np.ndarray
    visible: bool
    left: float
    whole: float


def reduced_groups(
    X: np.ndarray, y: np.ndarray, Z: np.ndarray, codes: np.ndarray, n_groups: int, share: float
) -> ReducedGroups | None:
    """Reduce rows without weights; None where columns of X are nearly combinations of others, or squares are not finite.

    Parameters
    ----------
    X, y, Z, codes : (n, p), (n,), (n, k), (n,)
        The group of every row is one of 0 to n_groups - 1.
    share : float
        See `visible`.
    """
    from sparsemixed.solver.groups.kernels_reduction import reduce_few_rows  # delayed: a process with few fits needs none of it

    k, width = Z.shape[1], X.shape[1] + 1
    (lanes, blocks), program = block_sizes(n_groups), roots_program(k, width)
    data = np.zeros((blocks, k * (width + k), lanes))
    rows = as_kernels_take(X), as_kernels_take(y), as_kernels_take(Z), as_kernels_take(codes, np.int32)
    done, Q, R, fitted, left, gram, total, seen, visible, square, whole = reduce_few_rows(*rows, lanes, share, data)
    if not (done and isfinite(whole)):
        return None
    sums, flat, registers = np.zeros(width**2), data.ravel(), np.empty(program.registers * lanes)
    run_program(program.code, CONSTANTS, flat, data.shape[1], lanes, 0, blocks, registers, sums, flat, program.results)
    rest = gram - sums.reshape(width, width)
    return ReducedGroups(n_groups, k, width, lanes, data, Q, R, fitted, left, rest, total, seen, visible, square, whole)
