"""Values alone, at many Lambda: log|M| and the sums [X y]'inv(V0)[X y], by one Cholesky factorization of a bordered matrix.

With the first term eliminated the Schur complement is bordered by Lambda'Z'[X y], reduced alike, and by [X y]'[X y]. The
factor's last P = p + 1 rows then hold a root of what remains when everything before is eliminated, which is
[X y]'[X y] - [X y]'ZLambda inv(M) Lambda'Z'[X y] = [X y]'inv(V0)[X y]: no triangular solutions, and nothing kept for derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.dense import FULL_SHARE, MAX_SPREAD_NUMBERS
from sparsemixed.solver.factored.kernels_bordered import (
    eliminate,
    lay_border,
    lay_pairs,
    spread_entries,
    subtract_full,
    subtract_groups,
)
from sparsemixed.solver.unlocked import cholesky

BLOCK = 64
"""Rows of a product whose upper triangle is wanted that are taken at a time."""


class BorderedSchur:
    """The values of one design; not for two threads at once, because its arrays serve one Lambda after another.

    Parameters
    ----------
    cp : CrossProducts
        With at least two terms, and without weights of groups.
    """

    def __init__(self, cp: CrossProducts):
        self.cp, self.P = cp, cp.ZtXy.shape[1]
        q0, q2, j0, k0 = cp.sizes[0], cp.q_schur, cp.n_groups[0], cp.k[0]
        self._order = q2 + self.P
        self._indptr = cp.indptr + self.P * np.arange(j0 + 1)
        border = np.arange(j0 * self.P) % self.P + q2
        self._columns = np.insert(cp.columns, np.repeat(cp.indptr[1:], self.P), border).astype(np.uint32)
        self._half = np.empty((self._columns.size, k0))
        self._out = np.zeros((self._order, self._order))
        self._right = np.ascontiguousarray(cp.ZtXy[:q0].reshape(j0, k0, self.P))
        self._rest = np.ascontiguousarray(cp.ZtXy[q0:])
        self._terms = np.array([*cp.schur_offsets, q2], np.int64)
        self._widths = np.array(cp.k[1:], np.int64)
        self._lambdas = np.zeros((len(cp.k) - 1, max(cp.k[1:]), max(cp.k[1:])))
        cells = float(j0) * q2
        full = cp.columns.size >= FULL_SHARE * cells and cells * k0 <= MAX_SPREAD_NUMBERS
        self._spread = np.zeros((self._order, q0)) if full else None
        self._by_column = None if full else self._columns_of_groups()

    def _columns_of_groups(self) -> tuple[np.ndarray, ...]:
        """For every column its entries, and the ends of their groups."""
        j0 = self.cp.n_groups[0]
        places = np.arange(self._columns.size)
        by_group = sp.csr_array((places, self._columns.astype(np.int32), self._indptr), shape=(j0, self._order))
        by_column = by_group.tocsc()
        entry = by_column.data.astype(np.int64)
        return by_column.indptr.astype(np.int64), entry, self._indptr[by_column.indices + 1]

    def values(self, factors: Sequence[np.ndarray]) -> tuple[float, np.ndarray]:
        """log|M| and [X y]'inv(V0)[X y] (P, P) at `factors` (k, k) of every term; NaN where M is not positive definite."""
        cp, out, P = self.cp, self._out, self.P
        for own, factor in zip(self._lambdas, factors[1:], strict=True):
            own[: len(factor), : len(factor)] = factor
        lambda0 = np.ascontiguousarray(factors[0])
        logdet = eliminate(
            cp.first, self._indptr, self._columns, cp.cross, self._right, lambda0, self._terms, self._widths, self._lambdas,
            self._half,
        )  # fmt: skip
        lay_border(self._rest, cp.full_XytXy, self._terms, self._widths, self._lambdas, out)
        for pair in cp.pairs:
            where = self._terms[pair.t], self._terms[pair.u]
            lay_pairs(pair.t, pair.u, *where, pair.rows, pair.cols, pair.values, self._lambdas, out)
        if self._by_column is None:
            spread_entries(self._indptr, self._columns, self._half, self._spread)
            subtract_full(self._spread, BLOCK, out)
        else:
            subtract_groups(*self._by_column, self._columns, self._half, out)
        root = out.T
        if cholesky(root) or not np.isfinite(logdet):
            return float("nan"), np.full((P, P), np.nan)
        lower = np.tril(root[-P:, -P:])
        return logdet + 2.0 * float(np.log(root.diagonal()[:-P]).sum()), lower @ lower.T
