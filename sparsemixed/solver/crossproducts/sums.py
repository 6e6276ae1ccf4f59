"""Cross-products are sums over rows: those of two sets of rows, on the union of their patterns."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.crossproducts.kernels import union_counts, union_sums
from sparsemixed.solver.crossproducts.sparse_products import PairBlocks


def merged(a: CrossProducts, b: CrossProducts) -> CrossProducts:
    """The cross-products of the rows of both; terms, groups and columns of X must be the same."""
    indptr = np.zeros_like(a.indptr)
    union_counts(a.indptr, a.columns, b.indptr, b.columns, indptr)
    indptr = np.cumsum(indptr)
    columns, cross = np.empty(indptr[-1], np.int32), np.zeros((indptr[-1], a.cross.shape[1]))
    union_sums(a.indptr, a.columns, a.cross, b.indptr, b.columns, b.cross, indptr, columns, cross)
    return CrossProducts(
        k=a.k,
        n_groups=a.n_groups,
        first=a.first + b.first,
        indptr=indptr,
        columns=columns,
        cross=cross,
        pairs=tuple(_merged_pair(a, x, y) for x, y in zip(a.pairs, b.pairs, strict=True)),
        ZtXy=a.ZtXy + b.ZtXy,
        XytXy=a.XytXy + b.XytXy,
        n=a.n + b.n,
    )


def _merged_pair(cp: CrossProducts, x: PairBlocks, y: PairBlocks) -> PairBlocks:
    if x.rows.size == y.rows.size and np.array_equal(x.rows, y.rows) and np.array_equal(x.cols, y.cols):
        return x._replace(values=x.values + y.values)
    width = cp.n_groups[x.u + 1]
    keys = np.concatenate([pair.rows.astype(np.int64) * width + pair.cols for pair in (x, y)])
    distinct, place = np.unique(keys, return_inverse=True)
    values = np.zeros((distinct.size, *x.values.shape[1:]))
    np.add.at(values, place, np.concatenate([x.values, y.values]))
    return PairBlocks(x.t, x.u, distinct // width, distinct % width, values)
