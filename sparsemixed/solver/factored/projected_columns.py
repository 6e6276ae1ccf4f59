"""Entries of the eliminated term's rows in the order of columns, and traces of products of matrices that come by columns."""

from __future__ import annotations

from itertools import pairwise
from threading import Lock
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.aligned import aligned
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.elimination_pattern import EliminationPattern

PART_NUMBERS = 1 << 16
"""Numbers (0.5 MB) in the rows of groups that are met in any order: with as many of entries they should stay in a core's own
cache."""
COLUMNS = 16
"""Columns of these rows."""


class ColumnEntries(NamedTuple):
    """Entries (nnz, k0) column by column, each column part by part: arguments of `through_groups`."""

    bounds: np.ndarray
    starts: np.ndarray
    places: np.ndarray
    values: np.ndarray
    neighbours: np.ndarray

    @property
    def most_groups(self) -> int:
        """Of a part."""
        return int(np.diff(self.bounds).max(initial=0))


def column_entries(cp: CrossProducts, pattern: EliminationPattern, entries: np.ndarray) -> ColumnEntries:
    """The entries of F in the order of its columns, for stretches of groups whose rows stay in cache."""
    groups, k0 = cp.n_groups[0], cp.k[0]
    step = max(1, PART_NUMBERS // (COLUMNS * k0))
    bounds = np.array([*range(0, groups, step), groups])
    counts = [np.bincount(cp.columns[i:j], minlength=cp.q_schur) for i, j in pairwise(cp.indptr[bounds])]
    starts = pattern.colptr[:-1] + np.cumsum([np.zeros(cp.q_schur, np.int64), *counts], axis=0)
    within = np.repeat((np.arange(groups) % step * k0).astype(np.int32), np.diff(cp.indptr))
    # Columns of one level meet the same groups: they are taken two by two.
    neighbours = np.concatenate([np.tile(np.arange(k) % 2 == 1, j) for k, j in zip(cp.k[1:], cp.n_groups[1:], strict=True)])
    return ColumnEntries(bounds, starts, within[pattern.entry], entries[pattern.entry], neighbours)


def panels_of(C: np.ndarray) -> np.ndarray:
    """C' (q2, m) as `through_groups` takes it: so many columns, and below them the next ones, zeros beside the last."""
    m, q2 = C.shape
    panels = -(-m // COLUMNS)
    out = aligned(panels * q2, COLUMNS)
    for number in range(panels):
        own = C[number * COLUMNS : (number + 1) * COLUMNS].T
        out[number * q2 : (number + 1) * q2, : own.shape[1]] = own
    out[len(out) - q2 :, m - (panels - 1) * COLUMNS :] = 0.0
    return out


class ColumnTraces:
    """tr(Y_m Y_n) of matrices Y_m (q, q), some columns of all of them at a time, in any order and from any thread.

    What one set of columns has in the rows of another is kept until that one comes, so that of (n, q, q) numbers no more than a
    quarter is there at once. The sums are those of the sets, whoever comes first.

    Parameters
    ----------
    sets : list of slice
        All sets of columns that will come, which between them are all columns.
    memory : (q, q), optional
        Rows `where` of it are free once columns `where` come; what is kept of the first matrix takes their place.
    """

    def __init__(self, sets: list[slice], memory: np.ndarray | None = None):
        self._sets, self._memory = {where.start: where for where in sets}, memory
        self._turn = Lock()
        self._kept: dict[tuple[int, int], np.ndarray] = {}
        self._traces: dict[tuple[int, int], np.ndarray] = {}

    def add(self, where: slice, Y: np.ndarray) -> None:
        """Columns `where` of every Y_m, (n, q, m)."""
        own = where.start
        with self._turn:
            come = [start for start in self._sets if (start, start) in self._traces]
            self._traces[own, own] = np.zeros(0)  # has come
            for start, rows in self._sets.items():
                if start != own and start not in come:
                    self._keep(where, rows, Y[:, rows])
            met = {start: self._taken(self._sets[start], where) for start in come}
        self._traces[own, own] = _traces(Y[:, where], Y[:, where])
        for start, kept in met.items():
            mine = Y[:, self._sets[start]]
            first, second = (kept, mine) if start < own else (mine, kept)  # in the same order whoever came first
            self._traces[min(start, own), max(start, own)] = _traces(first, second)

    def _keep(self, where: slice, rows: slice, block: np.ndarray) -> None:
        if self._memory is None:
            self._kept[where.start, rows.start] = block.copy()
        else:
            self._memory[where, rows] = block[0].T
            self._kept[where.start, rows.start] = block[1:].copy()

    def _taken(self, where: slice, rows: slice) -> np.ndarray:
        """What was kept of columns `where`, in some rows."""
        kept = self._kept.pop((where.start, rows.start))
        return kept if self._memory is None else np.concatenate([self._memory[where, rows].T[None], kept])

    def traces(self) -> np.ndarray:
        """(n, n), once all columns have come."""
        parts = [(i, j, self._traces[i, j]) for i, j in sorted(self._traces)]
        return sum((part if i == j else part + part.T for i, j, part in parts[1:]), parts[0][2])


def _traces(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(n, n) of tr(L_m R_l) for L (n, i, j) and R (n, j, i)."""
    n, numbers = len(left), left.shape[1] * left.shape[2]
    return left.reshape(n, numbers) @ right.transpose(0, 2, 1).reshape(n, numbers).T
