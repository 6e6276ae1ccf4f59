"""The fixed pattern of the elimination: which entries meet in which columns, and how threads share them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.stretches import sorted_rows
from sparsemixed.solver.threads import number_of_threads


@dataclass(frozen=True)
class EliminationPattern:
    """Index arrays derived from the cross block's pattern, computed once.

    Attributes
    ----------
    colptr (q2 + 1,), entry (nnz,) : entries of each column of the Schur complement, by ascending group
    group (nnz,) int32 : of each entry
    begin, end (nnz,) : in the order of `entry`, the stretch of the entry's group
    schedule (parts, width) : columns shared out to threads by work, -1 padded
    """

    colptr: np.ndarray
    entry: np.ndarray
    group: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    schedule: np.ndarray


def elimination_pattern(cp: CrossProducts) -> EliminationPattern:
    """Derive the pattern of a design's cross block."""
    if not cp.q_schur:
        none = np.zeros(0, np.int64)
        return EliminationPattern(none[:1], none, none.astype(np.int32), none, none, none[None])
    indptr = cp.indptr
    if cp.columns.size <= np.iinfo(np.int32).max:  # most of the arrays have a number for every entry
        indptr = indptr.astype(np.int32)
    group = np.repeat(np.arange(cp.n_groups[0], dtype=np.int32), np.diff(indptr))
    entry, colptr = sorted_rows(cp.columns, cp.q_schur)
    groups = group[entry]
    begin, end = indptr[groups], indptr[groups + 1]
    work = np.bincount(cp.columns[entry], weights=end - begin, minlength=cp.q_schur)
    return EliminationPattern(
        colptr=colptr,
        entry=entry,
        group=group,
        begin=begin,
        end=end,
        schedule=_share_out(work, number_of_threads()),
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
