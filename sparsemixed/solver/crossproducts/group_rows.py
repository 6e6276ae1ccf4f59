"""Cross-products from the small matrices C'inv(R)C of residual groups, with C their columns of every term, of X and y.

For terms whose groups are unions of residual groups: then one such matrix holds all that a residual group adds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, TermData, cells_of
from sparsemixed.solver.crossproducts.sparse_products import PairBlocks


class GroupRows:
    """Residual groups, each as one row, ready to be weighted again and again.

    Parameters
    ----------
    terms : sequence of TermData
        Of the rows, sorted by residual group; all constant within residual groups.
    Xy : (n, P) float64
    start : (J + 1,) int64
        Rows of each residual group.
    n : float
        Observations that the rows stand for.

    Attributes
    ----------
    columns : (n, c) float64
        C: the columns of the terms one after the other, then [X y].
    terms : list of TermData
        Of the residual groups: the group of each one, and its columns left out.
    first : (J,) int64
        The first row of each.
    where : list of slice
        Columns of each term in C, and of [X y] last.
    row : (J c c,) int64
        The residual group of every entry.
    """

    def __init__(self, terms: Sequence[TermData], Xy: np.ndarray, start: np.ndarray, n: float):
        self.n, self.first = n, start[:-1]
        self.columns = np.column_stack([*(term.columns for term in terms), Xy])
        self.k = tuple(term.columns.shape[1] for term in terms)
        ends = np.cumsum((*self.k, Xy.shape[1]))
        self.where = [slice(int(e - w), int(e)) for e, w in zip(ends, (*self.k, Xy.shape[1]), strict=True)]
        J = start.size - 1
        self.shape, self.start, self.row = (
            (J, int(ends[-1]), int(ends[-1])),
            np.arange(J + 1),
            np.repeat(np.arange(J), ends[-1] ** 2),
        )
        codes = [np.ascontiguousarray(term.codes[self.first]) for term in terms]
        self.terms = [TermData(c, t.n_groups, np.empty((J, k))) for c, t, k in zip(codes, terms, self.k, strict=True)]
        head, *remaining = self.terms
        self.indptr, self.places, self.cells = cells_of(head, remaining)
        self.pairs = [self._pair(t, u) for t in range(len(remaining)) for u in range(t, len(remaining))]

    def _pair(self, t: int, u: int) -> tuple[int, int, np.ndarray, np.ndarray, np.ndarray]:
        """(t, u, rows, cols, cell of each residual group)."""
        left, right, size = self.terms[t + 1].codes, self.terms[u + 1].codes, self.terms[u + 1].n_groups
        if t == u:
            levels = np.arange(size)
            return t, u, levels, levels, left
        distinct, cell = np.unique(left.astype(np.int64) * size + right, return_inverse=True)
        return t, u, distinct // size, distinct % size, cell.ravel()

    def cross_products(self, data: np.ndarray) -> CrossProducts:
        """All cross-products at the matrices `data` (J c c,) of the groups."""
        G = data.reshape(self.shape)
        head, fixed = self.where[0], self.where[-1]
        cross = np.zeros((self.places.size, head.stop))
        for where, cell in zip(self.where[1:-1], self.cells, strict=True):
            for a in range(where.stop - where.start):
                np.add.at(cross, cell + a, G[:, where.start + a, head])
        ZtXy = [_sums(term.codes, G[:, w, fixed], term.n_groups) for w, term in zip(self.where[:-1], self.terms, strict=True)]
        pairs = (
            PairBlocks(t, u, rows, cols, _sums(cell, G[:, self.where[t + 1], self.where[u + 1]], rows.size))
            for t, u, rows, cols, cell in self.pairs
        )
        return CrossProducts(
            k=self.k,
            n_groups=tuple(term.n_groups for term in self.terms),
            first=_sums(self.terms[0].codes, G[:, head, head], self.terms[0].n_groups),
            indptr=self.indptr,
            columns=self.places,
            cross=cross,
            pairs=tuple(pairs),
            ZtXy=np.concatenate([each.reshape(-1, each.shape[-1]) for each in ZtXy]),
            XytXy=G[:, fixed, fixed].sum(axis=0),
            n=self.n,
        )


def _sums(index: np.ndarray, blocks: np.ndarray, size: int) -> np.ndarray:
    """(size, a, b) sums of blocks (J, a, b) by index (J,)."""
    out = np.zeros((size, *blocks.shape[1:]))
    np.add.at(out, index, blocks)
    return out
