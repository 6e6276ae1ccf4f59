"""Compiled loop of `solver.factored.projected`: sparse rows of groups times dense columns, and back.

Conventions of `solver.kernels`. Sixteen columns are taken at a time, two vectors of the processor side by side. Both ways sums
stay in registers: there they run along the entries of a group, back along those of one or two columns of a level, which meet the
same groups. What stands between the two, and the entries both ways, are those of as many groups at a time as stay in the
processor's cache while all columns pass.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_apart, compiled_part, compiled_within
from sparsemixed.solver.kernels_panels import rows_times_panel
from sparsemixed.solver.vectors import WIDTH, load, plus, store, zeros

ZERO, ONE, TWO, EIGHT = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(WIDTH)


@compiled_within
def columns_times_rows(begin, end, places, values, a, b, R, x, y):
    """Sums over the entries of a column of their numbers a and b times the rows x and y of R that belong to their groups."""
    ax, ax1, ay, ay1 = zeros(), zeros(), zeros(), zeros()
    bx, bx1, by, by1 = zeros(), zeros(), zeros(), zeros()
    for e in range(begin, end):
        row, first, second = np.uint64(places[e]), values[e, a], values[e, b]
        left, left1 = load(R, row + x, ZERO), load(R, row + x, EIGHT)
        right, right1 = load(R, row + y, ZERO), load(R, row + y, EIGHT)
        ax, ax1, ay, ay1 = plus(ax, first, left), plus(ax1, first, left1), plus(ay, first, right), plus(ay1, first, right1)
        bx, bx1, by, by1 = plus(bx, second, left), plus(bx1, second, left1), plus(by, second, right), plus(by1, second, right1)
    return ax, ax1, ay, ay1, bx, bx1, by, by1


@compiled_within
def two_columns_times_rows(begin, end, other, places, values, a, b, R, x, y):
    """As `columns_times_rows`, of two columns that meet the same groups; `other`: from an entry of one to that of the other."""
    ax, ax1, ay, ay1 = zeros(), zeros(), zeros(), zeros()
    bx, bx1, by, by1 = zeros(), zeros(), zeros(), zeros()
    cx, cx1, cy, cy1 = zeros(), zeros(), zeros(), zeros()
    dx, dx1, dy, dy1 = zeros(), zeros(), zeros(), zeros()
    for e in range(begin, end):
        row, first, second = np.uint64(places[e]), values[e, a], values[e, b]
        third, fourth = values[e + other, a], values[e + other, b]
        left, left1 = load(R, row + x, ZERO), load(R, row + x, EIGHT)
        right, right1 = load(R, row + y, ZERO), load(R, row + y, EIGHT)
        ax, ax1, ay, ay1 = plus(ax, first, left), plus(ax1, first, left1), plus(ay, first, right), plus(ay1, first, right1)
        bx, bx1, by, by1 = plus(bx, second, left), plus(bx1, second, left1), plus(by, second, right), plus(by1, second, right1)
        cx, cx1, cy, cy1 = plus(cx, third, left), plus(cx1, third, left1), plus(cy, third, right), plus(cy1, third, right1)
        dx, dx1, dy, dy1 = plus(dx, fourth, left), plus(dx1, fourth, left1), plus(dy, fourth, right), plus(dy1, fourth, right1)
    return ax, ax1, ay, ay1, bx, bx1, by, by1, cx, cx1, cy, cy1, dx, dx1, dy, dy1


@compiled_part
def add_members(basis, a, b, x, y, ax, ax1, ay, ay1, bx, bx1, by, by1, out, q2, column, s):
    """out[n q2 + column, s : s + 16] += for every member n of the basis its entries at a or b, x or y times these sums.

    Where b is a, or y is x, it has stood in for a neighbour that there is not, and is left out.
    """
    for n in range(np.uint64(basis.shape[0])):
        first = basis[n, a, x]
        second = basis[n, a, y] if y > x else 0.0
        third = basis[n, b, x] if b > a else 0.0
        fourth = basis[n, b, y] if b > a and y > x else 0.0
        if first != 0.0 or second != 0.0 or third != 0.0 or fourth != 0.0:
            row = n * q2 + column
            total, total1 = load(out, row, s), load(out, row, s + EIGHT)
            total, total1 = plus(total, first, ax), plus(total1, first, ax1)
            total, total1 = plus(total, second, ay), plus(total1, second, ay1)
            total, total1 = plus(total, third, bx), plus(total1, third, bx1)
            store(out, row, s, plus(total, fourth, by))
            store(out, row, s + EIGHT, plus(total1, fourth, by1))


@compiled_part
def add_back(begin, end, places, values, basis, R, out, q2, column, s):
    """out[n q2 + column, s : s + 16] += sums over the entries of a column, for every member of the basis, of F B R; n its number.

    Two rows of B and two columns of it at a time; of an odd number the last stands in for its neighbour, and is left out.
    """
    k0, a = np.uint64(basis.shape[1]), ZERO
    while a < k0:
        b = a + ONE if a + ONE < k0 else a
        x = ZERO
        while x < k0:
            y = x + ONE if x + ONE < k0 else x
            ax, ax1, ay, ay1, bx, bx1, by, by1 = columns_times_rows(begin, end, places, values, a, b, R, x, y)
            add_members(basis, a, b, x, y, ax, ax1, ay, ay1, bx, bx1, by, by1, out, q2, column, s)
            x += TWO
        a += TWO


@compiled_part
def add_two_back(begin, end, other, places, values, basis, R, out, q2, column, s):
    """As `add_back`, of a column and the next one, which meet the same groups."""
    k0, a = np.uint64(basis.shape[1]), ZERO
    while a < k0:
        b = a + ONE if a + ONE < k0 else a
        x = ZERO
        while x < k0:
            y = x + ONE if x + ONE < k0 else x
            ax, ax1, ay, ay1, bx, bx1, by, by1, cx, cx1, cy, cy1, dx, dx1, dy, dy1 = two_columns_times_rows(
                begin, end, other, places, values, a, b, R, x, y
            )
            add_members(basis, a, b, x, y, ax, ax1, ay, ay1, bx, bx1, by, by1, out, q2, column, s)
            add_members(basis, a, b, x, y, cx, cx1, cy, cy1, dx, dx1, dy, dy1, out, q2, column + ONE, s)
            x += TWO
        a += TWO


@compiled_apart
def through_groups(indptr, columns, entries, bounds, starts, places, values, neighbours, basis, panels, R, out):
    """Add F'B F C' to out for every B of a basis (n, k0, k0), repeated over groups: F (q0, q2) of `entries` (nnz, k0), C (m, q2).

    bounds (parts + 1,): the groups that are taken at a time; starts (parts + 1, q2): where those of each part begin among the
    entries column by column, `values` (nnz, k0); places (nnz,): k0 times the number of their group within its part; neighbours
    (q2,) bool: columns that are taken together with the one before; panels (m'/16 q2, 16): C', sixteen columns below sixteen, m'
    the least multiple of sixteen that is not below m; R (rows of the largest part, 16): scratch; out (n q2, m').
    """
    q2, k0 = np.uint64(starts.shape[1]), np.uint64(entries.shape[1])
    for part in range(bounds.size - 1):
        start = np.uint64(bounds[part])
        for number in range(np.uint64(out.shape[1] // (2 * WIDTH))):
            s, panel = number * np.uint64(2 * WIDTH), panels[number * q2 : (number + ONE) * q2]
            for i in range(start, np.uint64(bounds[part + 1])):
                rows_times_panel(i, indptr, columns, entries, panel, R, (i - start) * k0, ZERO)
            for c in range(q2):
                first, last = np.uint64(starts[part, c]), np.uint64(starts[part + 1, c])
                if first == last or neighbours[c]:
                    continue
                if c + ONE < q2 and neighbours[c + ONE]:
                    other = np.uint64(starts[part, c + ONE]) - first
                    add_two_back(first, last, other, places, values, basis, R, out, q2, c, s)
                else:
                    add_back(first, last, places, values, basis, R, out, q2, c, s)
