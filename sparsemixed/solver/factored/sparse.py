"""The Schur complement as a sparse matrix, by CHOLMOD; its selected inverse by Takahashi's recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, pair_indices
from sparsemixed.solver.factored.cholmod import SparseFactor
from sparsemixed.solver.factored.elimination_pattern import Layout
from sparsemixed.solver.factored.kernels import (
    column_positions,
    factor_in_place,
    gather_sparse,
    selected_inverse,
    subtract_sparse,
)
from sparsemixed.solver.factored.system import Schur

STEP = 1e-100
"""Imaginary step of complex differentiation: no subtraction takes place, so it may be tiny."""


def schur_pattern(cp: CrossProducts) -> sp.csc_matrix:
    """Lower triangle of the Schur complement's pattern: pair blocks and the clique of every eliminated group."""
    ones = np.ones(cp.columns.size, np.int32)
    cross = sp.csr_matrix((ones, cp.columns, cp.indptr), shape=(cp.n_groups[0], cp.q_rest))
    pattern = sp.tril(cross.T @ cross)
    for pair in cp.pairs:
        row, col = pair_indices(cp, pair)
        keep = (row >= col) if pair.t == pair.u else np.ones(row.shape, bool)
        low, high = np.minimum(row[keep], col[keep]), np.maximum(row[keep], col[keep])
        pattern = pattern + sp.csc_matrix((np.ones(low.size, np.int32), (high, low)), shape=pattern.shape)
    pattern = sp.csc_matrix(pattern)
    pattern.sort_indices()
    return pattern


class SparseRest:
    """S as the lower triangle of a fixed CSC pattern."""

    name = "sparse"
    dense_inverse: np.ndarray | None = None

    def __init__(self, cp: CrossProducts, layout: Layout, weights: np.ndarray | None = None):
        self.cp, self.layout = cp, layout
        self._weights = np.ones(cp.q_rest) if weights is None else weights
        pattern = schur_pattern(cp)
        self._matrix = sp.csc_matrix((np.zeros(pattern.nnz), pattern.indices, pattern.indptr), shape=pattern.shape)
        self._places = [self._pair_positions(*pair_indices(cp, pair)) for pair in cp.pairs]
        # Weighted determinants are defined innermost group first, which is the order of the columns and fills nothing in.
        self._cholmod = SparseFactor(self._matrix, natural=weights is not None)
        self._inverse = np.empty(0)

    def _pair_positions(self, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        return self._positions(np.maximum(row, col).ravel(), np.minimum(row, col).ravel()).reshape(row.shape)

    def _positions(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        out = np.empty(rows.size, np.int64)
        column_positions(self._matrix.indptr, self._matrix.indices, rows.astype(np.int64), cols.astype(np.int64), out)
        return out

    def _assemble(self, pairs: Sequence[np.ndarray], products: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        data, lay = np.zeros(self._matrix.nnz), self.layout
        for place, values in zip(self._places, pairs, strict=True):
            data[place] = values
        for left, right in products:
            subtract_sparse(
                lay.schedule, lay.colptr, lay.entry, lay.end, self.cp.columns, left, right,
                self._matrix.indptr, self._matrix.indices, data,
            )  # fmt: skip
        return data

    def factor(self, pairs: Sequence[np.ndarray], half: np.ndarray) -> float:
        self._matrix.data = self._assemble(pairs, [(half, half)])
        self._matrix.data[self._matrix.indptr[:-1]] += self._weights
        self._cholmod.factor(self._matrix)
        self._lower = self._cholmod.lower()
        pivots = self._lower.diagonal()
        return float(self._ordered_weights @ (2.0 * np.log(pivots) - np.log(self._ordered_weights)))

    @property
    def _ordered_weights(self) -> np.ndarray:
        """D in the order of the factor's columns."""
        return self._weights[self._cholmod.permutation()]

    def solve(self, b: np.ndarray) -> np.ndarray:
        return self._cholmod.solve(b)

    @cached_property
    def _in_factor(self) -> np.ndarray:
        """Where each entry of S stands in the permuted factor, whose pattern never changes."""
        place = np.empty(self.cp.q_rest, np.int64)
        place[self._cholmod.permutation()] = np.arange(self.cp.q_rest)
        rows = place[self._matrix.indices]
        cols = place[np.repeat(np.arange(self.cp.q_rest), np.diff(self._matrix.indptr))]
        out = np.empty(rows.size, np.int64)
        low, high = np.minimum(rows, cols), np.maximum(rows, cols)
        column_positions(self._lower.indptr, self._lower.indices, high, low, out)
        return out

    def _selected(self, lower: np.ndarray) -> np.ndarray:
        """N on the pattern of S, from the values of the factor."""
        q, weights = self.cp.q_rest, self._ordered_weights
        out = np.empty_like(lower)
        selected_inverse(self._lower.indptr, self._lower.indices, lower, weights, np.zeros(q, lower.dtype), np.full(q, -1), out)
        return out[self._in_factor]

    def invert(self) -> None:
        self._inverse = self._selected(self._lower.data)

    @cached_property
    def _full(self) -> sp.csc_matrix:
        """Both triangles: values are 1 + positions in the lower triangle."""
        pattern = self._matrix
        positions = sp.csc_matrix((np.arange(1.0, pattern.nnz + 1), pattern.indices, pattern.indptr), shape=pattern.shape)
        full = sp.csc_matrix(positions + sp.tril(positions, -1).T)
        full.sort_indices()
        return full

    def gather(self, entries: np.ndarray) -> np.ndarray:
        out, lay, full = np.empty_like(entries), self.layout, self._full
        inverse = self._inverse[full.data.astype(np.int64) - 1]
        gather_sparse(
            lay.schedule, lay.colptr, lay.entry, lay.begin, lay.end, self.cp.columns, entries,
            full.indptr, full.indices, inverse, out,
        )  # fmt: skip
        return out

    def inverse_pairs(self) -> tuple[np.ndarray, ...]:
        return tuple(self._inverse[place] for place in self._places)

    def trace_products(self, directions: Sequence[Schur]) -> np.ndarray:
        """By the derivative of the selected inverse, -inv(S) S_k inv(S), which is needed on the pattern of S only."""
        schur = [self._assemble(pairs, [(left, right), (right, left)]) for pairs, left, right in directions]
        weights = np.full(self._matrix.nnz, 2.0)
        weights[self._matrix.indptr[:-1]] = 1.0
        traces = np.empty((len(schur), len(schur)))
        for k, direction in enumerate(schur):
            lower = np.zeros(self._lower.nnz, complex)
            lower[self._in_factor] = self._matrix.data + 1j * STEP * direction
            factor_in_place(self._lower.indptr, self._lower.indices, lower, np.zeros(self.cp.q_rest, complex))
            derivative = self._selected(lower).imag / STEP
            traces[k] = [-np.dot(weights * derivative, other) for other in schur]
        return traces
