"""What is computed for every group, as programs of a few instructions on numbers: `solver.groups.kernels` carries them out.

The shape of a group's matrices, k effects by P columns of [X y], is known before the first number. So all their arithmetic can be
written down once, entry by entry and without branches, and be carried out for many groups side by side, each in its own lane.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from sparsemixed.solver.groups.kernels import (
    ADD_GRAM,
    ADD_PRODUCT,
    ADD_SCALED,
    INVERSE_ROOT,
    LOAD,
    MULTIPLY,
    SET,
    STORE,
    SUBTRACT_PRODUCT,
)

ZERO, ONE, FIRST = 0, 1, 2
"""Places of the constants 0 and 1, and the first of those that a call brings."""


@dataclass(frozen=True)
class Program:
    """Instructions, and the room that they take.

    Attributes
    ----------
    code : (4 n,) uint64
    registers, results, sums : int
        Rows to work on, rows of results, and numbers that are summed over groups.
    """

    code: np.ndarray
    registers: int
    results: int
    sums: int


class Writer:
    """A program being written; matrices are arrays of row numbers."""

    def __init__(self) -> None:
        self.code: list[tuple[int, int, int, int]] = []
        self.registers = self.results = self.sums = 0

    def rows(self, *shape: int) -> np.ndarray:
        """New registers."""
        size = int(np.prod(shape))
        self.registers += size
        return np.arange(self.registers - size, self.registers).reshape(shape)

    def load(self, *rows: np.ndarray) -> None:
        """Fill registers with the data's rows, in order."""
        for source, row in enumerate(row for each in rows for row in each.ravel()):
            self.code.append((LOAD, row, source, 0))

    def fill(self, row: int, constant: int) -> None:
        """Row = constant."""
        self.code.append((SET, row, constant, 0))

    def products(self, row: int, pairs: Iterable[tuple[int, int]], constant: int = ZERO) -> None:
        """Row = constant + sum of the products of pairs of rows."""
        self.fill(row, constant)
        self.code += [(ADD_PRODUCT, row, a, b) for a, b in pairs]

    def scaled(self, row: int, pairs: Iterable[tuple[int, int]]) -> None:
        """Row = sum of other rows times constants."""
        self.fill(row, ZERO)
        self.code += [(ADD_SCALED, row, a, b) for a, b in pairs]

    def subtract(self, row: int, a: int, b: int) -> None:
        """Row -= a b."""
        self.code.append((SUBTRACT_PRODUCT, row, a, b))

    def multiply(self, row: int, by: int) -> None:
        """Row *= by."""
        self.code.append((MULTIPLY, row, by, 0))

    def inverse_root(self, row: int, of: int, beside: int) -> None:
        """Row = 1 / sqrt(of), zero where `of` is rounding beside another."""
        self.code.append((INVERSE_ROOT, row, of, beside))

    def store(self, *rows: int) -> None:
        """Append to the results."""
        for row in rows:
            self.code.append((STORE, self.results, row, 0))
            self.results += 1

    def gram(self, place: int, rows: np.ndarray) -> None:
        """Inner products of successive rows, added to sums from a place on."""
        self.code.append((ADD_GRAM, place, int(rows.flat[0]), int(rows.flat[-1]) + 1))

    def done(self) -> Program:
        """The program."""
        return Program(np.array(self.code, np.uint64).ravel(), self.registers, self.results, self.sums)


@cache
def roots_program(k: int, width: int) -> Program:
    """Results: [q R] (k, P + k) from [Z'(X y) Z'Z], R'R = Z'Z; a row is zero where earlier columns make up its own. Sums: q'q."""
    write = Writer()
    A, inverse, whole = write.rows(k, width + k), *write.rows(2)
    write.load(A)
    for c in range(k):
        pivot, after = A[c, width + c], [*range(width), *range(width + c, width + k)]
        write.scaled(whole, [(pivot, ONE)])
        for e in after:
            for m in range(c):
                write.subtract(A[c, e], A[m, width + c], A[m, e])
        write.inverse_root(inverse, pivot, whole)
        for e in after:
            write.multiply(A[c, e], inverse)
        for e in range(width, width + c):
            write.fill(A[c, e], ZERO)
    write.store(*A.ravel())
    for row in A[:, :width]:
        write.gram(0, row)
    write.sums = width**2
    return write.done()


def _root_times(write: Writer, R: np.ndarray) -> np.ndarray:
    """T = R lambda (k, k); the constants that a call brings begin with lambda."""
    k = len(R)
    T = write.rows(k, k)
    for r in range(k):
        for c in range(k):
            write.scaled(T[r, c], [(R[r, d], FIRST + d * k + c) for d in range(r, k)])
    return T


def _eliminate(write: Writer, T: np.ndarray, right: np.ndarray) -> np.ndarray:
    """inv(U')right in place of right (k, c), with U'U = I + TT'; the inverses of U's diagonal (k,)."""
    k = len(T)
    S, pivots = write.rows(k, k), write.rows(k)
    for r in range(k):
        for c in range(r, k):
            write.products(S[r, c], [(T[r, d], T[c, d]) for d in range(k)], ONE if r == c else ZERO)
    for s in range(k):
        write.inverse_root(pivots[s], S[s, s], S[s, s])
        for row in (*S[s, s + 1 :], *right[s]):
            write.multiply(row, pivots[s])
        for r in range(s + 1, k):
            for c in range(r, k):
                write.subtract(S[r, c], S[s, r], S[s, c])
            for own, other in zip(right[r], right[s], strict=True):
                write.subtract(own, S[s, r], other)
    return pivots


@cache
def deviance_program(k: int, width: int) -> Program:
    """Sums: (P, P) of q'inv(I + TT')q. Results: 1 / sqrt|I + TT'|."""
    write = Writer()
    q, R = write.rows(k, width), write.rows(k, k)
    A = np.concatenate([q, R], axis=1)
    write.load(A)
    pivots = _eliminate(write, _root_times(write, R), q)
    for pivot in pivots[1:]:
        write.multiply(pivots[0], pivot)
    write.store(pivots[0])
    for row in q:
        write.gram(0, row)
    write.sums = width**2
    return write.done()


def upper_pairs(k: int) -> list[tuple[int, int]]:
    """Places (a, b), a <= b, of the upper triangle of a matrix (k, k), column by column."""
    return [(a, b) for b in range(k) for a in range(b + 1)]


def _squares(write: Writer, matrix: np.ndarray, out: np.ndarray) -> None:
    """out (k (k + 1) / 2,) = the upper triangle of matrix'matrix, for a matrix (r, k)."""
    for row, (a, b) in zip(out, upper_pairs(matrix.shape[1]), strict=True):
        write.products(row, zip(matrix[:, a], matrix[:, b], strict=True))


def _combined(write: Writer, left: np.ndarray, right: np.ndarray, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """B = left'right (P, k) and C = columns'B (c, k); the constants that a call brings go on with columns (P, c)."""
    k = right.shape[1]
    B, C = write.rows(left.shape[1], k), write.rows(n_columns, k)
    for a in range(k):
        for x, row in enumerate(B[:, a]):
            write.products(row, zip(left[:, x], right[:, a], strict=True))
        for j, row in enumerate(C[:, a]):
            write.scaled(row, [(b, FIRST + k * k + x * n_columns + j) for x, b in enumerate(B[:, a])])
    return B, C


@cache
def derivatives_program(k: int, width: int, n_columns: int, weighted: bool) -> Program:
    """Sums: the Gram matrices of B (P k, P k), B' = Z'inv(V)[X y], and of [1, H, C'C], with H = Z'inv(V)Z and C = columns'B.

    Of groups that stand for D of the same kind, with rows sqrt(D) and 1 / sqrt(D) of weights behind q and R.
    """
    write = Writer()
    q, R, weights = write.rows(k, width), write.rows(k, k), write.rows(2 if weighted else 0)
    right = np.concatenate([q, R], axis=1)
    write.load(right, weights)
    _eliminate(write, _root_times(write, R), right)
    B, C = _combined(write, q, R, n_columns)
    pairs = k * (k + 1) // 2
    together = write.rows(1 + 2 * pairs)
    write.fill(together[0], ONE)
    _squares(write, R, together[1 : 1 + pairs])
    _squares(write, C, together[1 + pairs :])
    if weighted:
        for row in together[: 1 + pairs]:
            write.multiply(row, weights[0])
        for row in together[1 + pairs :]:
            write.multiply(row, weights[1])
    write.gram(0, B)
    write.gram(B.size**2, together)
    write.sums = B.size**2 + together.size**2
    return write.done()


@cache
def predictions_program(k: int, width: int, n_columns: int, weighted: bool) -> Program:
    """Results: the first row of C (k,), and the upper triangle of lambda inv(I + T'T) lambda' and of C'C without that row.

    C = columns'B with B' = lambda inv(I + T'T) T'q = lambda lambda'Z'inv(V)[X y]: the inverse is taken without differences.
    """
    write = Writer()
    q, R, weights = write.rows(k, width), write.rows(k, k), write.rows(2 if weighted else 0)
    write.load(np.concatenate([q, R], axis=1), weights)
    T = _root_times(write, R).T
    left, lam = write.rows(k, width), write.rows(k, k)
    for r in range(k):
        for x in range(width):
            write.products(left[r, x], [(T[r, d], q[d, x]) for d in range(k)])
        for c in range(k):
            write.fill(lam[r, c], FIRST + c * k + r)
    _eliminate(write, T, np.concatenate([left, lam], axis=1))
    _, C = _combined(write, left, lam, n_columns)
    if weighted:
        for row in C.ravel():
            write.multiply(row, weights[1])
    own, spread = write.rows(2, k * (k + 1) // 2)
    _squares(write, lam, own)
    _squares(write, C[1:], spread)
    write.store(*C[0], *own, *spread)
    return write.done()
