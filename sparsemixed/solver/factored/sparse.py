"""The Schur complement as a sparse matrix, factored as such; its selected inverse by Takahashi's recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from sparsemixed.delayed import sp, sparse_linalg
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, pair_indices
from sparsemixed.solver.factored.elimination_pattern import EliminationPattern
from sparsemixed.solver.factored.kernels import factor_in_place, gather_sparse, selected_inverse, subtract_sparse
from sparsemixed.solver.factored.places import places, places_in_factor
from sparsemixed.solver.factored.schur import SchurDerivative
from sparsemixed.solver.factored.sparse_factor import SparseFactor, analyse

COMPLEX_STEP = 1e-100
"""Imaginary step of complex differentiation: no subtraction takes place, so it may be tiny."""


def schur_pattern(cp: CrossProducts) -> sp.csc_matrix:
    """Lower triangle of the Schur complement's pattern: pair blocks and the clique of every eliminated group."""
    ones = np.ones(cp.columns.size, np.int32)
    cross = sp.csr_matrix((ones, cp.columns, cp.indptr), shape=(cp.n_groups[0], cp.q_schur))
    pattern = sp.tril(cross.T @ cross)
    for pair in cp.pairs:
        row, col = pair_indices(cp, pair)
        keep = (row >= col) if pair.t == pair.u else np.ones(row.shape, bool)
        low, high = np.minimum(row[keep], col[keep]), np.maximum(row[keep], col[keep])
        pattern = pattern + sp.csc_matrix((np.ones(low.size, np.int32), (high, low)), shape=pattern.shape)
    pattern = sp.csc_matrix(pattern)
    pattern.sort_indices()
    return pattern


class SparseSchur:
    """S as the lower triangle of a fixed CSC pattern, analysed once."""

    name = "sparse"

    def __init__(self, cp: CrossProducts, pattern: EliminationPattern, weights: np.ndarray | None = None):
        self.cp, self.pattern = cp, pattern
        self.weights = np.ones(cp.q_schur) if weights is None else weights
        self.lower = schur_pattern(cp)
        self.places = [self.positions(*pair_indices(cp, pair)) for pair in cp.pairs]
        # Weighted determinants are defined innermost group first, which is the order of the columns and fills nothing in.
        self.symbolic = analyse(self.matrix(np.zeros(self.lower.nnz)), natural=weights is not None)
        self.permutation = self.symbolic.permutation()
        self.ordered_weights = self.weights[self.permutation]
        self._nonzeros = float(self.lower.nnz)

    @property
    def numbers(self) -> float:
        """Numbers in one factored S with its inverse, about: CHOLMOD's factor, its copy (our own has none), and indices."""
        return 4.0 * self._nonzeros

    def factor(self, pairs: Sequence[np.ndarray], half: np.ndarray) -> FactoredSparse:
        values = self.assemble(pairs, [(half, half)])
        values[self.lower.indptr[:-1]] += self.weights
        factored = FactoredSparse(self, values)
        self._nonzeros = float(factored.lower.nnz)
        return factored

    def matrix(self, values: np.ndarray) -> sp.csc_matrix:
        """The lower triangle with these values (nnz,)."""
        return sp.csc_matrix((values, self.lower.indices, self.lower.indptr), shape=self.lower.shape)

    def positions(self, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        """Where the entries (row, col) of S, or (col, row) if those are above the diagonal, stand among the values of the lower
        triangle; row, col and the positions are of one shape."""
        rows, cols = np.maximum(row, col).ravel(), np.minimum(row, col).ravel()
        return places(self.lower, rows.astype(np.int64), cols.astype(np.int64)).reshape(row.shape)

    def assemble(self, pairs: Sequence[np.ndarray], products: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Values (nnz,) of the pair blocks less the sum of left'right over `products`."""
        data, lay = np.zeros(self.lower.nnz), self.pattern
        for place, values in zip(self.places, pairs, strict=True):
            data[place] = values
        for left, right in products:
            subtract_sparse(
                lay.schedule, lay.colptr, lay.entry, lay.end, self.cp.columns, left, right,
                self.lower.indptr, self.lower.indices, data,
            )  # fmt: skip
        return data

    def in_factor(self, factor: sp.csc_matrix) -> np.ndarray:
        """Where each entry of S stands in the permuted factor (nnz,): the same in all factors, whose pattern never changes."""
        if self._in_factor is None:
            self._in_factor = places_in_factor(self.lower, self.permutation, factor)
        return self._in_factor

    _in_factor: np.ndarray | None = None

    @cached_property
    def both_triangles(self) -> sp.csc_matrix:
        """Both triangles: values are 1 + positions in the lower triangle."""
        positions = self.matrix(np.arange(1.0, self.lower.nnz + 1))
        full = sp.csc_matrix(positions + sp.tril(positions, -1).T)
        full.sort_indices()
        return full


class FactoredSparse:
    """S, its lower triangle's values (nnz,) given, factored."""

    def __init__(self, storage: SparseSchur, values: np.ndarray):
        self._storage, self._values = storage, values
        self._factor: SparseFactor = storage.symbolic.factor(storage.matrix(values))
        self.lower = self._factor.lower()
        weights = storage.ordered_weights
        self.logdet = float(weights @ (2.0 * np.log(self.lower.diagonal()) - np.log(weights)))

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(S) b for b (q2, m)."""
        return self._factor.solve(b)

    def half_solve(self, z: np.ndarray) -> np.ndarray:
        """P'inv(L') z for z (q2, m), with PSP' = LL'."""
        out = np.empty_like(z)
        out[self._storage.permutation] = sparse_linalg.spsolve_triangular(sp.csr_matrix(self.lower.T), z, lower=False)
        return out

    def _selected(self, lower: np.ndarray) -> np.ndarray:
        """N on the pattern of S, from the values of the factor."""
        storage, pattern = self._storage, self.lower
        q = storage.cp.q_schur
        out, work = np.empty_like(lower), np.zeros(q, lower.dtype)
        selected_inverse(pattern.indptr, pattern.indices, lower, storage.ordered_weights, work, np.full(q, -1), out)
        return out[storage.in_factor(pattern)]

    @cached_property
    def _inverse(self) -> np.ndarray:
        """N on the pattern of S, lower triangle (nnz,)."""
        return self._selected(self.lower.data)

    def gather(self, entries: np.ndarray) -> np.ndarray:
        """Entries (nnz, k0) of each group times N among that group's columns."""
        storage = self._storage
        out, lay, full = np.empty_like(entries), storage.pattern, storage.both_triangles
        inverse = self._inverse[full.data.astype(np.int64) - 1]
        gather_sparse(
            lay.schedule, lay.colptr, lay.entry, lay.begin, lay.end, storage.cp.columns, entries,
            full.indptr, full.indices, inverse, out,
        )  # fmt: skip
        return out

    def inverse_pairs(self) -> tuple[np.ndarray, ...]:
        """N on the remaining terms' pair blocks."""
        return tuple(self._inverse[place] for place in self._storage.places)

    def sandwich(self, columns: np.ndarray, rows: np.ndarray, together: bool = True) -> np.ndarray:
        """(G, m, m) of G sets: rows (G, m, w) N rows', N among the columns (G, w) of each; columns that no group has all of are
        solved for."""
        shape = (*columns.shape, columns.shape[1])
        if together:
            own, other = np.broadcast_to(columns[:, :, None], shape), np.broadcast_to(columns[:, None, :], shape)
            return rows @ self._inverse[self._storage.positions(own, other)] @ rows.transpose(0, 2, 1)
        out = np.empty((*rows.shape[:2], rows.shape[1]))
        for g, here in enumerate(columns):
            right = np.zeros((self._storage.cp.q_schur, rows.shape[1]))
            right[here] = rows[g].T
            out[g] = rows[g] @ self.solve(right)[here]
        return out

    def trace_products(self, directions: Sequence[SchurDerivative]) -> np.ndarray:
        """By the derivative of the selected inverse, -inv(S) S_k inv(S), which is needed on the pattern of S only."""
        storage, pattern = self._storage, self.lower
        schur = [storage.assemble(pairs, [(left, right), (right, left)]) for pairs, left, right in directions]
        weights = np.full(self._values.size, 2.0)
        weights[storage.lower.indptr[:-1]] = 1.0
        traces = np.empty((len(schur), len(schur)))
        for k, direction in enumerate(schur):
            lower = np.zeros(pattern.nnz, complex)
            lower[storage.in_factor(pattern)] = self._values + 1j * COMPLEX_STEP * direction
            factor_in_place(pattern.indptr, pattern.indices, lower, np.zeros(storage.cp.q_schur, complex))
            derivative = self._selected(lower).imag / COMPLEX_STEP
            traces[k] = [-np.dot(weights * derivative, other) for other in schur]
        return traces
