"""The fixed pattern of the elimination: which entries meet in which columns, and how threads share them."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts


@dataclass(frozen=True)
class EliminationPattern:
    """Index arrays derived from the cross block's pattern, computed once.

    Attributes
    ----------
    colptr (q2 + 1,), entry (nnz,) : entries of each column of the Schur complement, by ascending group
    begin, end (nnz,) : in the order of `entry`, the stretch of the entry's group
    schedule (parts, width) : columns shared out to threads by work, -1 padded
    scalar : indptr and indices of the (J0 k0, q2) sparse matrix whose data are a (nnz, k0) array, each group's part transposed
    """

    colptr: np.ndarray
    entry: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    schedule: np.ndarray
    scalar: tuple[np.ndarray, np.ndarray]


def elimination_pattern(cp: CrossProducts) -> EliminationPattern:
    """Derive the pattern of a design's cross block."""
    if not cp.q_schur:
        none = np.zeros(0, np.int64)
        return EliminationPattern(none[:1], none, none, none, none[None], (np.zeros(cp.sizes[0] + 1, np.int64), none))
    nnz, indptr = cp.columns.size, cp.indptr
    if nnz <= np.iinfo(np.int32).max:  # most of the arrays have a number for every entry
        indptr = indptr.astype(np.int32)
    places = sp.csr_array((np.arange(nnz, dtype=indptr.dtype), cp.columns, indptr), shape=(cp.n_groups[0], cp.q_schur)).tocsc()
    groups, entry = places.indices, places.data.astype(indptr.dtype, copy=False)
    begin, end = indptr[groups], indptr[groups + 1]
    work = np.bincount(cp.columns[entry], weights=end - begin, minlength=cp.q_schur) if nnz else np.zeros(cp.q_schur)
    return EliminationPattern(
        colptr=places.indptr.astype(np.int64),
        entry=entry,
        begin=begin,
        end=end,
        schedule=_share_out(work, numba.get_num_threads()),
        scalar=cp.scalar_pattern,
    )


def _share_out(work: np.ndarray, parts: int) -> np.ndarray:
    """Deal columns, heaviest first, to and fro over the parts."""
    order = np.argsort(-work, kind="stable")
    rows = -(-order.size // parts)
    dealt = np.full(rows * parts, -1, np.int64)
    dealt[: order.size] = order
    dealt = dealt.reshape(rows, parts)
    dealt[1::2] = dealt[1::2, ::-1]
    return np.ascontiguousarray(dealt.T)
