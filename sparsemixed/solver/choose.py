"""Which storage for the Schur complement: the cheapest by predicted work, or the one asked for."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from sparsemixed.errors import SparseMixedError
from sparsemixed.solver.block import BlockRest, is_block_diagonal
from sparsemixed.solver.crossproducts import CrossProducts
from sparsemixed.solver.dense import DenseRest
from sparsemixed.solver.layout import Layout, layout
from sparsemixed.solver.system import PenalizedSystem

SMALL = 400
"""Up to this order a dense factorization costs less than any analysis."""
DENSE_SHARE = 0.1
"""Share of nonzeros in S above which fill makes a sparse factor pointless (measured: dense BLAS runs 20-50 times faster
per operation than sparse loops, and fill at least doubles such a share)."""
MEMORY = 16e9
"""Bytes of dense storage beyond which only the sparse factor is considered."""


def penalized_system(cp: CrossProducts, solver: str = "auto") -> PenalizedSystem:
    """The system with the storage that `solver` names: auto, block, dense or sparse."""
    lay = layout(cp)
    name = choose(cp, lay) if solver == "auto" else solver
    if name == "block":
        if not is_block_diagonal(cp):
            raise SparseMixedError("solver(block) needs a nested design; this one is crossed. Use auto, dense or sparse.")
        return PenalizedSystem(cp, lay, BlockRest(cp, lay))
    if cp.q_rest == 0:
        return PenalizedSystem(cp, lay, BlockRest(cp, lay))
    if name == "dense":
        return PenalizedSystem(cp, lay, DenseRest(cp, lay))
    from sparsemixed.solver.sparse import SparseRest  # CHOLMOD and its kernels load only when they are used

    return PenalizedSystem(cp, lay, SparseRest(cp, lay))


def choose(cp: CrossProducts, lay: Layout) -> str:
    """Predict the cheapest storage."""
    if is_block_diagonal(cp):
        return "block"
    if cp.q_rest <= SMALL:
        return "dense"
    if 8.0 * cp.q_rest**2 * 3 > MEMORY:
        return "sparse"
    return "dense" if _share(cp) > DENSE_SHARE else "sparse"


def _share(cp: CrossProducts, sample: int = 64) -> float:
    """Share of nonzeros in S, from an even sample of its columns."""
    picked = np.unique(np.linspace(0, cp.q_rest - 1, sample).astype(int))
    ones = np.ones(cp.columns.size, np.float32)
    cross = sp.csr_matrix((ones, cp.columns, cp.indptr), shape=(cp.n_groups[0], cp.q_rest))
    met = cross.tocsc()[:, picked].T @ cross
    return met.nnz / (picked.size * cp.q_rest)
