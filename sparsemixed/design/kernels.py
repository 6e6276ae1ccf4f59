"""Compiled loops over the columns of small data: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled


@compiled
def number_whole(values, most):
    """Number whole numbers (n,) in sorted order, where they span no more than `most`: how many there are, 0 where they span more.

    Then codes (n,) int32, and in the first places of arrays (n,) the distinct values and how often each occurs.
    """
    n = values.size
    codes, distinct, counts = np.empty(n, np.int32), np.empty(n, np.int64), np.zeros(n, np.int64)
    low, high = values[0], values[0]
    for i in range(n):
        low, high = min(low, values[i]), max(high, values[i])
    # Of numbers far apart the difference may overflow.
    if not (high - low <= most and high - low >= 0):
        return 0, codes, distinct, counts
    rank = np.full(high - low + 1, -1, np.int32)
    for i in range(n):
        rank[values[i] - low] = 0
    found = 0
    for place in range(rank.size):
        if rank[place] == 0:
            rank[place], distinct[found] = found, low + place
            found += 1
    for i in range(n):
        codes[i] = rank[values[i] - low]
        counts[codes[i]] += 1
    return found, codes, distinct, counts


@compiled
def keep_their_norm(X, p, constant, clearly, rounding):
    """Whether every one of the first p columns of X (n, c) keeps more than a part `clearly` of its norm beside those before it.

    With the constant first where there is one: columns are then centred. Their Gram matrix is factored in units of its diagonal;
    `rounding` is the relative error of a value, and columns whose norm it may have made are not kept either.
    """
    n = X.shape[0]
    if n < p + constant:
        return False
    centre, gram = np.zeros(p), np.zeros((p, p))
    if constant:
        for i in range(n):
            for a in range(p):
                centre[a] += X[i, a]
        for a in range(p):
            centre[a] /= n
    rest = np.zeros(p)
    for i in range(n):
        for a in range(p):
            x = X[i, a] - centre[a]
            rest[a] += x
            for b in range(a + 1):
                gram[a, b] += x * (X[i, b] - centre[b])
    for a in range(p):
        norm = np.sqrt(gram[a, a])
        # What is left of the constant in the centred column counts against it.
        if not (np.isfinite(norm) and rounding * np.sqrt(n * centre[a] ** 2 + gram[a, a]) < clearly * norm):
            return False
        if constant and not abs(rest[a]) < clearly * np.sqrt(n) * norm:
            return False
    for a in range(p):
        whole = gram[a, a]
        for b in range(a + 1):
            total = gram[a, b]
            for c in range(b):
                total -= gram[a, c] * gram[b, c]
            if a == b:
                if not total > clearly * clearly * whole:
                    return False
                gram[a, a] = np.sqrt(total)
            else:
                gram[a, b] = total / gram[b, b]
    return True
