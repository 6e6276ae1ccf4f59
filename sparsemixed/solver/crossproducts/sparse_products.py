"""Products of sparse blocks with a few columns, cell by cell where the cells stand: no other layout of them is made or kept.

A column is gone through after the other, so that the sum of a row stays in a register.

`scipy.sparse` has such products, and takes 8 MB and a tenth of a second to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sparsemixed.solver.crossproducts.kernels import add_cells_times, add_columns_times, add_rows_times

if TYPE_CHECKING:
    from sparsemixed.solver.crossproducts.crossproducts import CrossProducts


def times(cp: CrossProducts, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
    """H x (q0, m) for entries (nnz, k0) of H (q0, q2) on the pattern of Z_0'Z_2, and x (q2, m)."""
    out = np.zeros((x.shape[1], cp.sizes[0]))
    add_rows_times(cp.indptr, cp.columns, entries, np.ascontiguousarray(x.T), out)
    return np.ascontiguousarray(out.T)


def transposed_times(cp: CrossProducts, entries: np.ndarray, x: np.ndarray) -> np.ndarray:
    """H'x (q2, m), likewise, for x (q0, m)."""
    out = np.zeros((x.shape[1], cp.q_schur))
    add_columns_times(cp.indptr, cp.columns, entries, np.ascontiguousarray(x.T), out)
    return np.ascontiguousarray(out.T)


def remaining_times(cp: CrossProducts, pairs: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """G x (q2, m) for the symmetric G of the remaining terms that has the blocks `pairs`, arranged as `cp.pairs`."""
    x = np.ascontiguousarray(x.T)
    out = np.zeros(x.shape)
    for pair, values in zip(cp.pairs, pairs, strict=True):
        row, col = cp.schur_offsets[pair.t], cp.schur_offsets[pair.u]
        add_cells_times(pair.rows, pair.cols, np.ascontiguousarray(values), row, col, pair.t != pair.u, x, out)
    return np.ascontiguousarray(out.T)
