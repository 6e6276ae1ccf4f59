"""Compiled loops over two patterns of cross-products; conventions of `solver.kernels`."""

from __future__ import annotations

from sparsemixed.solver.compiled import compiled


@compiled
def union_counts(a_indptr, a_columns, b_indptr, b_columns, out):
    """out[i + 1] = number of distinct columns of row i in either pattern; out (n + 1,) int64."""
    for i in range(a_indptr.size - 1):
        e, f, count = a_indptr[i], b_indptr[i], 0
        while e < a_indptr[i + 1] or f < b_indptr[i + 1]:
            left = a_columns[e] if e < a_indptr[i + 1] else 2147483647
            right = b_columns[f] if f < b_indptr[i + 1] else 2147483647
            if left <= right:
                e += 1
            if right <= left:
                f += 1
            count += 1
        out[i + 1] = count


@compiled
def union_sums(a_indptr, a_columns, a, b_indptr, b_columns, b, indptr, out_columns, out):
    """Columns (nnz,) and sums (nnz, k) of the union, rows as in `union_counts`; a and b (nnz, k)."""
    for i in range(a_indptr.size - 1):
        e, f = a_indptr[i], b_indptr[i]
        for g in range(indptr[i], indptr[i + 1]):
            left = a_columns[e] if e < a_indptr[i + 1] else 2147483647
            right = b_columns[f] if f < b_indptr[i + 1] else 2147483647
            out_columns[g] = min(left, right)
            if left <= right:
                for c in range(a.shape[1]):
                    out[g, c] += a[e, c]
                e += 1
            if right <= left:
                for c in range(b.shape[1]):
                    out[g, c] += b[f, c]
                f += 1
