"""Compiled loops over pieces of rows, from begin to end, which threads share out: `solver.rows`."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_sums

BLOCK = 128
"""Rows whose columns are worked on one after the other, each as a vector: rows of few columns alone make loops too short."""


@compiled_sums
def times_matrix(rows, matrix, begin, end, out):
    """out[row] = rows[row] matrix; rows (n, a), matrix (a, b), from the last column to the first."""
    # A signed place might be negative, and count from the end, which is looked at again and again.
    columns, last, stop, step = (
        np.uint64(rows.shape[1]),
        np.uint64(matrix.shape[1]) - np.uint64(1),
        np.uint64(end),
        np.uint64(BLOCK),
    )
    product, start = np.empty(BLOCK), np.uint64(begin)
    while start < stop:
        size = min(step, stop - start)
        for back in range(last + np.uint64(1)):
            j = last - back
            for r in range(size):
                product[r] = rows[start + r, 0] * matrix[0, j]
            for i in range(np.uint64(1), columns):
                for r in range(size):
                    product[r] += rows[start + r, i] * matrix[i, j]
            for r in range(size):
                out[start + r, j] = product[r]
        start += step


@compiled_sums
def add_products_of_columns(columns, size, gram):
    """gram (c, c) += the inner products of the first numbers of columns (c, BLOCK), on and below its diagonal."""
    for a in range(np.uint64(columns.shape[0])):
        for b in range(a + np.uint64(1)):
            total = 0.0
            for r in range(size):
                total += columns[a, r] * columns[b, r]
            gram[a, b] += total


@compiled_sums
def orthonormalize(X, y, matrix, fitted, begin, end, Q, out, gram):
    """Q[row] = X[row] matrix, upper triangular, and out[row] = y[row] - Q[row] fitted; Q may be X, and out y.

    gram (p + 1, p + 1) += [Q out]'[Q out], on and below its diagonal.
    """
    p, stop, step = np.uint64(X.shape[1]), np.uint64(end), np.uint64(BLOCK)
    old, new, start, one = np.empty((X.shape[1], BLOCK)), np.empty((X.shape[1] + 1, BLOCK)), np.uint64(begin), np.uint64(1)
    while start < stop:
        size = min(step, stop - start)
        for r in range(size):
            for i in range(p):
                old[i, r] = X[start + r, i]
            new[p, r] = y[start + r]
        for j in range(p):
            for r in range(size):
                new[j, r] = old[0, r] * matrix[0, j]
            for i in range(one, j + one):
                for r in range(size):
                    new[j, r] += old[i, r] * matrix[i, j]
            for r in range(size):
                new[p, r] -= new[j, r] * fitted[j]
        for r in range(size):
            for i in range(p):
                Q[start + r, i] = new[i, r]
            out[start + r] = new[p, r]
        add_products_of_columns(new, size, gram)
        start += step


@compiled_sums
def add_inner_products(rows, begin, end, gram):
    """gram (c, c) += rows'rows of rows (n, c), on and below its diagonal."""
    c, stop, step, start = np.uint64(rows.shape[1]), np.uint64(end), np.uint64(BLOCK), np.uint64(begin)
    columns = np.empty((rows.shape[1], BLOCK))
    while start < stop:
        size = min(step, stop - start)
        for r in range(size):
            for i in range(c):
                columns[i, r] = rows[start + r, i]
        add_products_of_columns(columns, size, gram)
        start += step


@compiled_sums
def subtract_fitted(Q, fitted, y, begin, end, out):
    """out[row] = y[row] - Q[row] fitted."""
    for row in range(np.uint64(begin), np.uint64(end)):
        total = y[row]
        for i in range(np.uint64(Q.shape[1])):
            total -= Q[row, i] * fitted[i]
        out[row] = total


@compiled_sums
def add_group_products(codes, Z, X, y, begin, end, out):
    """out[group] = Z_i'[X y Z] of the groups whose rows, which stand together, are those from begin to end.

    Two columns of Z beside two others at a time: every number is loaded once for two products. One that is left is taken twice.
    """
    k, p = np.uint64(Z.shape[1]), np.uint64(X.shape[1])
    none, one, two, start, stop = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(begin), np.uint64(end)
    while start < stop:
        i, behind = np.uint64(codes[start]), start + one
        while behind < stop and codes[behind] == i:
            behind += one
        for a in range(none, k, two):
            c = min(a + one, k - one)
            ay = cy = aa = ac = cc = 0.0
            for row in range(start, behind):
                za, zc = Z[row, a], Z[row, c]
                ay += za * y[row]
                cy += zc * y[row]
                aa += za * za
                ac += za * zc
                cc += zc * zc
            out[i, a, p], out[i, c, p] = ay, cy
            out[i, a, p + one + c] = out[i, c, p + one + a] = ac
            out[i, a, p + one + a], out[i, c, p + one + c] = aa, cc
            for b in range(none, p, two):
                d = min(b + one, p - one)
                ab = ad = cb = cd = 0.0
                for row in range(start, behind):
                    za, zc, xb, xd = Z[row, a], Z[row, c], X[row, b], X[row, d]
                    ab += za * xb
                    ad += za * xd
                    cb += zc * xb
                    cd += zc * xd
                out[i, a, b], out[i, a, d], out[i, c, b], out[i, c, d] = ab, ad, cb, cd
            for b in range(none, a):
                ab = cb = 0.0
                for row in range(start, behind):
                    ab += Z[row, a] * Z[row, b]
                    cb += Z[row, c] * Z[row, b]
                out[i, a, p + one + b] = out[i, b, p + one + a] = ab
                out[i, c, p + one + b] = out[i, b, p + one + c] = cb
        start = behind


@compiled_sums
def add_scattered_products(codes, Z, X, y, out):
    """out[group] += Z_i'[X y Z] of groups whose rows stand anywhere."""
    k, p, one = np.uint64(Z.shape[1]), np.uint64(X.shape[1]), np.uint64(1)
    for row in range(np.uint64(codes.size)):
        i = np.uint64(codes[row])
        for a in range(k):
            z = Z[row, a]
            for b in range(p):
                out[i, a, b] += z * X[row, b]
            out[i, a, p] += z * y[row]
            for b in range(k):
                out[i, a, p + one + b] += z * Z[row, b]
