"""inv(V) on rows and sets of rows from the factored system of the random effects, whatever ties the rows together.

With the term 0 eliminated, V_0 = I + Z_0 Lambda_0 Lambda_0'Z_0' is block-diagonal in its groups and

    H = inv(V_0) - B inv(S) B',    B = inv(V_0) Z_2 Lambda_2,

of which row i has entries in the columns that its group meets alone. So H on the rows of one group of term 0 needs inv(S) where
the factorization has it, on the pattern of S; other sets of rows need inv(S) among all columns that they meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.orthonormal import engine_terms
from sparsemixed.inference.covariance.cluster_blocks import alike
from sparsemixed.postestimation.influence.dense_clusters import scale_of
from sparsemixed.postestimation.influence.kernels import add_own_cells, eliminated_rows
from sparsemixed.postestimation.influence.whitened import MOST_ROWS, NUMBERS, Stack, Whitened, padded, taken, with_unit_diagonal
from sparsemixed.solver.crossproducts.block_products import times_lambda
from sparsemixed.solver.crossproducts.crossproducts import TermData, cells_in
from sparsemixed.solver.linalg import covariance_root
from sparsemixed.solver.threads import blas_threads


def eliminated_whitened(fit: Fit, clusters: np.ndarray) -> Whitened:
    """The rows of a fit with independent errors.

    Raises
    ------
    NotAvailableError
        No factorization is within reach.
    """
    with blas_threads(max(sorted(t.n_groups * t.k for t in fit.design.random)[:-1], default=0)):
        objective, orthogonal, at = refactor_at_optimum(fit)
        terms = engine_terms(fit.design, objective.parameters)
        sigma = np.sqrt(fit.sigma2)
        root = covariance_root(fit.sigma2, at.XVX_inverse)
        X, residual = orthogonal.Q @ root / sigma, (orthogonal.residual - orthogonal.Q @ at.beta) / sigma
        b = times_lambda(at.cp, at.factors, np.column_stack([at.U @ root, at.u])) / sigma
        E, e = X.copy(), residual.copy()
        for term, where in zip(terms, at.cp.slices, strict=True):
            effects = b[where].reshape(term.n_groups, term.columns.shape[1], -1)
            for a, column in enumerate(term.columns.T):
                E -= column[:, None] * effects[:, a, :-1][term.codes]
                e -= column * effects[:, a, -1][term.codes]
        precision = EliminatedRows(at, terms, E, e)
    return Whitened(orthogonal.root(root), X, residual, E, e, scale_of(fit), clusters, precision)


class EliminatedRows:
    """H from the factored system.

    Parameters
    ----------
    at : PenalizedEvaluation
    terms : sequence of TermData
        The engine's, rows times the root of their weight.
    E, e : (n, r) and (n,) float64
        As in `Whitened`.
    """

    def __init__(self, at: PenalizedEvaluation, terms: Sequence[TermData], E: np.ndarray, e: np.ndarray):
        self.cp, self.system, self.E, self.e = at.cp, at.system, E, e
        self.codes = [term.codes for term in terms]
        self.half = [term.columns @ factor for term, factor in zip(terms, at.factors, strict=True)]
        self.cells = cells_in(at.cp, terms)

    @cached_property
    def _F(self) -> np.ndarray:
        """inv(M_00)M_02, entries (nnz, k0)."""
        return self.system.elimination()

    @cached_property
    def _block_inverse(self) -> np.ndarray:
        """inv(M_00) (J0, k0, k0)."""
        return self.system.block_inverse

    def diagonal(self) -> np.ndarray:
        """(n,) of H: N = inv(M) is needed on the pattern of Z'Z alone."""
        N, half, cp = self.system.inverse_blocks, self.half, self.cp
        explained = np.einsum("ia,iab,ib->i", half[0], N.first[self.codes[0]], half[0])
        for own, cell in zip(half[1:], self.cells, strict=True):
            for a in range(own.shape[1]):
                explained += 2.0 * own[:, a] * np.einsum("ib,ib->i", half[0], N.cross[cell + a])
        for pair, values in zip(cp.pairs, N.pairs, strict=True):
            left, right = self.codes[pair.t + 1], self.codes[pair.u + 1]
            J = cp.n_groups[pair.u + 1]
            place = left if pair.t == pair.u else np.searchsorted(pair.rows * J + pair.cols, left.astype(np.int64) * J + right)
            found = np.einsum("ia,iab,ib->i", half[pair.t + 1], values[place], half[pair.u + 1])
            explained += found if pair.t == pair.u else 2.0 * found
        return 1.0 - explained

    def leverages(self) -> np.ndarray:
        return 1.0 - self.diagonal() + np.einsum("ia,ia->i", self.E, self.E)

    def stacks(self, codes: np.ndarray, n_groups: int) -> Iterator[Stack]:
        """By groups of the eliminated term where the groups are these, else one after the other."""
        sizes = np.bincount(codes, minlength=n_groups)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(sizes)
        if self._are_heads(codes, n_groups):
            yield from self._heads(order, sizes, ends)
            return
        for group in np.flatnonzero(sizes):
            if sizes[group] <= MOST_ROWS:
                yield self._one(int(group), order[ends[group] - sizes[group] : ends[group]])

    def _are_heads(self, codes: np.ndarray, n_groups: int) -> bool:
        heads = self.codes[0]
        if n_groups != self.cp.n_groups[0]:
            return False
        head = np.zeros(n_groups, heads.dtype)
        head[codes] = heads
        own = np.zeros(n_groups, codes.dtype)
        own[heads] = codes
        return bool(np.array_equal(head[codes], heads) and np.array_equal(own[heads], codes))

    def _heads(self, order: np.ndarray, sizes: np.ndarray, ends: np.ndarray) -> Iterator[Stack]:
        widths = np.diff(self.cp.indptr)
        inverse = self._block_inverse
        head = self.codes[0][order[ends - sizes]]
        for chosen in alike(sizes):
            m, w = int(sizes[chosen].max()), int(widths[head[chosen]].max())
            step = max(1, int(NUMBERS // (m * min(m, m + w + 1) + m * w + w * w + 1)))
            for some in np.split(chosen, range(step, len(chosen), step)):
                yield self._head_stack(some, head[some], *padded(order, sizes, ends, some), inverse)

    def _head_stack(
        self, groups: np.ndarray, heads: np.ndarray, rows: np.ndarray, place: np.ndarray, inverse: np.ndarray
    ) -> Stack:
        """H = I - z A z' - B N B' with z the rows of Z_0 Lambda_0 and A the block of inv(M_00)."""
        start, widths = self.cp.indptr[heads], np.diff(self.cp.indptr)[heads]
        w = int(widths.max(initial=0))
        there = np.arange(w) < widths[:, None]
        entry = np.where(there, start[:, None] + np.arange(w), 0)
        z, B = taken(place, self.half[0][rows]), None
        if w:
            B = np.empty((*rows.shape, w))
            eliminated_rows(place, z, self._F, start, widths, B)
            for own, cell in zip(self.half[1:], self.cells, strict=True):
                add_own_cells(place, rows, start, cell, own, B)
        E, e = taken(place, self.E[rows]), taken(place, self.e[rows])
        Q, (z, B, E, e) = _turned(z, B, E, e)
        if Q is not None:
            whole, rows_taken = Q, np.ones(z.shape[:2], bool)
        else:
            whole, rows_taken = None, place
        H = np.eye(z.shape[1]) - z @ inverse[heads] @ z.transpose(0, 2, 1)
        if B is not None:
            columns = np.where(there, self.cp.columns[entry], self.cp.columns[entry[:, :1]])
            H -= self.system.schur.sandwich(columns, B)
        return Stack(groups.astype(np.int64), rows, place, with_unit_diagonal(rows_taken, H), E, e, whole)

    def _one(self, group: int, rows: np.ndarray) -> Stack:
        """H of any set of rows (m,)."""
        head, local = np.unique(self.codes[0][rows], return_inverse=True)
        z, inverse = self.half[0][rows], self._block_inverse[head]
        H = np.eye(len(rows))
        H -= np.where(local[:, None] == local, np.einsum("ia,iab,jb->ij", z, inverse[local], z, optimize=True), 0.0)
        begin, end = self.cp.indptr[head].tolist(), self.cp.indptr[head + 1].tolist()
        stretches = [np.arange(a, b) for a, b in zip(begin, end, strict=True)]
        if self.cp.q_schur and sum(map(len, stretches)):
            columns, B = self._entries(rows, local, stretches, z)
            H -= self.system.schur.sandwich(columns[None], B[None], False)[0]
        return Stack(
            np.array([group]), rows[None], np.ones((1, len(rows)), bool), H[None], self.E[rows][None], self.e[rows][None]
        )

    def _entries(
        self, rows: np.ndarray, local: np.ndarray, stretches: list[np.ndarray], z: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The columns (c,) that the rows' groups of term 0 meet, and B (m, c) there."""
        columns = np.unique(np.concatenate([self.cp.columns[s] for s in stretches]))
        B = np.zeros((len(rows), len(columns)))
        for h, stretch in enumerate(stretches):
            here = np.flatnonzero(local == h)
            B[here[:, None], np.searchsorted(columns, self.cp.columns[stretch])] = -z[here] @ self._F[stretch].T
        for half, cell in zip(self.half[1:], self.cells, strict=True):
            at = np.searchsorted(columns, self.cp.columns[cell[rows]])
            for a in range(half.shape[1]):
                B[np.arange(len(rows)), at + a] += half[rows, a]
        return columns, B


def _turned(z: np.ndarray, B: np.ndarray | None, E: np.ndarray, e: np.ndarray) -> tuple:
    """The rows turned so that few hold everything but plain errors, where there are more rows than columns; with the turn Q.

    e is within the span of the others but for the errors' own part, so it has a column of its own.
    """
    parts = [z, *([] if B is None else [B]), E, e[..., None]]
    widths = np.cumsum([part.shape[2] for part in parts])
    if z.shape[1] <= widths[-1]:
        return None, (z, B, E, e)
    Q, R = np.linalg.qr(np.concatenate(parts, axis=2))
    z, *others = np.split(R, widths[:-1], axis=2)
    return Q, (z, others[0] if B is not None else None, others[-2], others[-1][..., 0])
