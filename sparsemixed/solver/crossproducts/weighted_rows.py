"""Cross-products weighted by a block-diagonal precision matrix: Z'QZ, Z'Q[X y], [X y]'Q[X y] on one fixed pattern.

A term whose groups are unions of residual groups keeps its block-diagonal cross-product; one that changes within them
(weeks, when errors correlate over weeks) gets cells between any two levels that meet in a residual group.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.solver.crossproducts.crossproducts import (
    CrossProducts,
    PairBlocks,
    TermData,
    accumulate_cells,
    cells_of,
    outer_sums,
)


def constant_within(codes: np.ndarray, start: np.ndarray) -> bool:
    """Whether a grouping does not change within any of the stretches of rows."""
    change = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    return bool(np.isin(change, start).all())


class WeightedRows:
    """Rows sorted by residual group, ready to be weighted again and again.

    Parameters
    ----------
    terms : sequence of TermData
        Ordered; the first must be constant within residual groups (or have a single group of zeros).
    Xy : (n, P) float64
    start : (J + 1,) int64
        Rows of each residual group.
    indptr, indices : CSR pattern of the precision matrix
    n : float, optional
        Observations that the rows stand for; by default one each.
    """

    def __init__(
        self,
        terms: Sequence[TermData],
        Xy: np.ndarray,
        start: np.ndarray,
        indptr: np.ndarray,
        indices: np.ndarray,
        n: float | None = None,
    ):
        self.terms, self.Xy, self.indptr, self.indices = list(terms), Xy, indptr, indices
        self.start, self.n = start, float(len(Xy) if n is None else n)
        head, remaining = terms[0], list(terms[1:])
        self.row = np.repeat(np.arange(len(Xy)), np.diff(indptr))
        self.empty_head = not head.columns.any()
        if self.empty_head:
            self.cells = [np.empty(0, np.int32) for _ in remaining]
            self.cell_indptr, self.columns = np.zeros(head.n_groups + 1, np.int64), np.empty(0, np.int32)
        else:
            self.cell_indptr, self.columns, self.cells = cells_of(head, remaining)
        self.constant = [constant_within(t.codes, start) for t in remaining]
        self.pairs = [self._pair(t, u) for t in range(len(remaining)) for u in range(t, len(remaining))]

    def _pair(self, t: int, u: int) -> tuple:
        """(t, u, rows, cols, cell of each row or of each entry, whether by entry)."""
        left, right = self.terms[t + 1], self.terms[u + 1]
        by_entry = not (self.constant[t] or self.constant[u])
        if t == u and not by_entry:
            levels = np.arange(left.n_groups)
            return t, u, levels, levels, left.codes, False
        if by_entry:
            key = left.codes[self.row].astype(np.int64) * right.n_groups + right.codes[self.indices]
        else:
            key = left.codes.astype(np.int64) * right.n_groups + right.codes
        distinct, cell = np.unique(key, return_inverse=True)
        return t, u, distinct // right.n_groups, distinct % right.n_groups, cell.ravel().astype(np.int32), by_entry

    def matrix(self, data: np.ndarray) -> sp.csr_array:
        """The (n, n) precision matrix, or a derivative of it, with these entries."""
        return sp.csr_array((data, self.indices, self.indptr), shape=(len(self.Xy),) * 2)

    def cross_products(self, data: np.ndarray) -> CrossProducts:
        """All cross-products at precision entries `data` (nnz,)."""
        Q = self.matrix(data)
        weighted = [np.ascontiguousarray(Q @ term.columns) for term in self.terms]
        wXy = np.ascontiguousarray(Q @ self.Xy)
        head = self.terms[0]
        cross = np.zeros((self.columns.size, head.columns.shape[1]))
        if not self.empty_head:
            for term, cell in zip(self.terms[1:], self.cells, strict=True):
                accumulate_cells(cell, term.columns, weighted[0], cross)
        ZtXy = [outer_sums(t.codes, t.columns, wXy, t.n_groups).reshape(-1, wXy.shape[1]) for t in self.terms]
        XytXy = self.Xy.T @ wXy
        return CrossProducts(
            k=tuple(t.columns.shape[1] for t in self.terms),
            n_groups=tuple(t.n_groups for t in self.terms),
            first=outer_sums(head.codes, head.columns, weighted[0], head.n_groups),
            indptr=self.cell_indptr,
            columns=self.columns,
            cross=cross,
            pairs=tuple(self._pair_blocks(pair, data, weighted) for pair in self.pairs),
            ZtXy=np.concatenate(ZtXy),
            XytXy=(XytXy + XytXy.T) / 2,
            n=self.n,
        )

    def _pair_blocks(self, pair: tuple, data: np.ndarray, weighted: list[np.ndarray]) -> PairBlocks:
        t, u, rows, cols, cell, by_entry = pair
        left, right = self.terms[t + 1].columns, self.terms[u + 1].columns
        if by_entry:
            values = outer_sums(cell, left[self.row] * data[:, None], right[self.indices], rows.size)
        elif self.constant[t]:
            values = outer_sums(cell, weighted[t + 1], right, rows.size)
        else:
            values = outer_sums(cell, left, weighted[u + 1], rows.size)
        return PairBlocks(t, u, rows, cols, values)
