"""Which storage for the Schur complement: the cheapest by predicted work, or the one asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.errors import NotAvailableError, SparseMixedError
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.crossproducts.kernels import meet
from sparsemixed.solver.factored.block import BlockSchur, is_block_diagonal
from sparsemixed.solver.factored.elimination_pattern import EliminationPattern, elimination_pattern
from sparsemixed.solver.factored.system import PenalizedSystem

SMALL_DENSE_ORDER = 400
"""Up to this order a dense factorization costs less than any analysis."""
DENSE_SHARE = 0.1
"""Share of nonzeros in S above which fill makes a sparse factor pointless (measured: dense BLAS runs 20-50 times faster
per operation than sparse loops, and fill at least doubles such a share)."""
MOST_DENSE = 20_000
"""Order above which a dense factorization with its inverse takes minutes, and the two of them 6 GB."""
MOST_ENTRIES, MOST_FACTOR = 5e7, 4e8
"""Nonzeros of S above which its factor is not even predicted, and of a sparse factor (5 GB) above which it is out of reach."""
DENSE_FLOPS = 0.1
"""Share of a dense factorization's multiplications above which it is faster than a sparse one, in loops over entries."""


def penalized_system(cp: CrossProducts, solver: str = "auto", weights: Sequence[np.ndarray] | None = None) -> PenalizedSystem:
    """The system with the storage that `solver` names: auto, block, dense or sparse.

    Parameters
    ----------
    weights : sequence of (J,) arrays, optional
        D of the groups of every term, for nested terms, innermost first; storage is then block or sparse.
    """
    if weights is not None:
        return _weighted_system(cp, elimination_pattern(cp), solver, weights)
    name = choose(cp) if solver == "auto" else solver
    if name == "krylov":
        raise NotAvailableError(
            f"this needs a factorization of order {cp.q_schur:,}, which is out of reach; of the degrees of freedom only "
            "dfmethod(satterthwaite, oim) does without"
        )
    pattern = elimination_pattern(cp)
    if name == "block":
        if not is_block_diagonal(cp):
            raise SparseMixedError("solver(block) needs a nested design; this one is crossed. Use auto, dense or sparse.")
        return PenalizedSystem(cp, pattern, BlockSchur(cp, pattern))
    if cp.q_schur == 0:
        return PenalizedSystem(cp, pattern, BlockSchur(cp, pattern))
    if name == "dense":
        from sparsemixed.solver.factored.dense import DenseSchur  # storages and their kernels load only when they are used

        return PenalizedSystem(cp, pattern, DenseSchur(cp, pattern))
    from sparsemixed.solver.factored.sparse import SparseSchur

    return PenalizedSystem(cp, pattern, SparseSchur(cp, pattern))


def _weighted_system(
    cp: CrossProducts, pattern: EliminationPattern, solver: str, weights: Sequence[np.ndarray]
) -> PenalizedSystem:
    if solver == "dense":
        raise SparseMixedError("solver(dense) is not available with weights of groups; use auto")
    if cp.q_schur == 0 or (is_block_diagonal(cp) and solver != "sparse"):
        return PenalizedSystem(cp, pattern, BlockSchur(cp, pattern, weights[1] if len(weights) > 1 else None), weights)
    from sparsemixed.solver.factored.sparse import SparseSchur

    columns = np.concatenate([np.repeat(w, k) for w, k in zip(weights[1:], cp.k[1:], strict=True)])
    return PenalizedSystem(cp, pattern, SparseSchur(cp, pattern, columns), weights)


def choose(cp: CrossProducts) -> str:
    """Predict the cheapest storage; `krylov` where no factorization is within reach."""
    if is_block_diagonal(cp):
        return "block"
    if cp.q_schur <= SMALL_DENSE_ORDER:
        return "dense"
    entries = expected_entries(cp)
    may_be_dense = cp.q_schur <= MOST_DENSE
    if entries > DENSE_SHARE * float(cp.q_schur) ** 2 or entries > MOST_ENTRIES:
        return "dense" if may_be_dense else "krylov"
    from sparsemixed.solver.factored.fill import predicted_fill  # sparse factors and their kernels load only when they are used
    from sparsemixed.solver.factored.sparse import schur_pattern

    # A few cells in every row are enough to fill a factor: only its own pattern tells.
    fill = predicted_fill(schur_pattern(cp), MOST_FACTOR)
    if may_be_dense:
        return "dense" if fill.flops > DENSE_FLOPS * float(cp.q_schur) ** 3 else "sparse"
    return "sparse" if np.isfinite(fill.nonzeros) else "krylov"


def solver_note(name: str) -> str:
    """What users should know of how a fit with this storage was factored; empty where that is nothing."""
    if name != "sparse":
        return ""
    from sparsemixed.solver.factored import sparse_factor  # loaded already: the fit used it

    return sparse_factor.LIBRARY.note


def expected_entries(cp: CrossProducts) -> float:
    """Nonzeros of the Schur complement, from a sample of its columns."""
    return _share(cp) * float(cp.q_schur) ** 2


def _share(cp: CrossProducts, sample: int = 64) -> float:
    """Share of nonzeros in S, from an even sample of its columns."""
    picked = np.unique(np.linspace(0, cp.q_schur - 1, sample).astype(int))
    place = np.full(cp.q_schur, -1)
    place[picked] = np.arange(picked.size)
    met = np.zeros((picked.size, cp.q_schur), bool)
    meet(cp.indptr, cp.columns, place, met)
    return float(met.mean())
