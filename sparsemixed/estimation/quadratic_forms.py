"""Quadratic forms of the projected response and their expectations, from the cross-products alone.

With r = Qy, Q = I - XX', the form r'Z S_c Z'r has expectation sum_d tr(S_c B D_d B) phi_d + tr(S_c B) sigma2 at the variance
sum_d phi_d Z D_d Z' + sigma2 I: B = Z'QZ = A - FF', F = Z'X, S_c = W D_c W, with D_c repeated over the groups of a term and W
block-diagonal. B is never formed: A is read cell by cell, once for all forms, and FF' is taken off by products with F.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.crossproducts.cells import cells
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.linalg import LARGE, less_symmetric_product, stacked

CACHED = 1 << 15
"""Numbers (256 KB) of cells that are weighed at a time."""


class Repeated(NamedTuple):
    """A symmetric matrix (k, k), repeated over the groups of a term."""

    term: int
    matrix: np.ndarray


class QuadraticForms:
    """Of the directions D_c, c of them.

    Parameters
    ----------
    cp : CrossProducts
    F : (q, p) float64
        Z'X with orthonormal X.
    directions : sequence of Repeated
    weights : list of (J, k, k) float64, optional
        The symmetric blocks of W, by terms; the identity by default.
    """

    def __init__(self, cp: CrossProducts, F: np.ndarray, directions: Sequence[Repeated], weights: list[np.ndarray] | None = None):
        self.cp, self.F, self.weights, self.count = cp, F, weights, len(directions)
        of_term = np.array([d.term for d in directions], int)
        self.places = [np.flatnonzero(of_term == t) for t in range(len(cp.k))]
        matrices = [[d.matrix for d in directions if d.term == t] for t in range(len(cp.k))]
        self.matrices = [np.array(m, float).reshape(-1, k, k) for m, k in zip(matrices, cp.k, strict=True)]
        self.entries = [m.reshape(len(m), m.shape[1] ** 2) for m in self.matrices]

    def values(self, z: np.ndarray) -> np.ndarray:
        """z'S_c z, (c,), for z (q,)."""
        return self._between(self._weighted(z[:, None]))[:, 0, 0]

    def raw_traces(self) -> np.ndarray:
        """tr(D_c A), (c,)."""
        return self._contracted([block.sum(axis=0) for block in self.cp.own_blocks])

    def traces(self) -> np.ndarray:
        """tr(S_c B), (c,)."""
        if self.weights is None:
            raw = self.raw_traces()
        else:
            pairs = zip(self.weights, self.cp.own_blocks, strict=True)
            raw = self._contracted([stacked(stacked(w, block), w).sum(axis=0) for w, block in pairs])
        parts = [part.transpose(1, 0, 2).reshape(part.shape[1], -1) for part in self._weighted(self.F)]
        return raw - self._contracted([part @ part.T for part in parts])

    def products(self) -> np.ndarray:
        """tr(S_c B D_d B), (c, c)."""
        if self.F.shape[1] >= max(self.cp.q, LARGE):
            return self._products_in_full()
        out = np.zeros((self.count, self.count))
        for cell in cells(self.cp):
            self._add_squares(out, cell.t, cell.u, cell.rows, cell.values)
            if cell.t != cell.u:
                self._add_squares(out, cell.u, cell.t, cell.cols, cell.values.transpose(0, 2, 1))
        if self.F.shape[1]:
            out -= 2.0 * self._through_fixed()
            out += np.einsum("cab,dab->cd", self._between(self._weighted(self.F)), self._between(self._by_group(self.F)))
        return out

    def _products_in_full(self) -> np.ndarray:
        """The same from B itself, which is smaller than F'F where there are more columns of X than of Z."""
        cp, out = self.cp, np.zeros((self.count, self.count))
        B = less_symmetric_product(cp.matrix.toarray(), self.F.T, self.F.T)
        for t, u in np.ndindex(len(cp.k), len(cp.k)):
            shape = (cp.n_groups[t], cp.k[t], cp.n_groups[u], cp.k[u])
            blocks = B[cp.slices[t], cp.slices[u]].reshape(shape).transpose(0, 2, 1, 3).reshape(-1, cp.k[t], cp.k[u])
            self._add_squares(out, t, u, np.repeat(np.arange(shape[0]), shape[2]), blocks)
        return out

    def _add_squares(self, out: np.ndarray, t: int, u: int, rows: np.ndarray, values: np.ndarray) -> None:
        """Add tr(D_c G D_d G') of the cells G = W Z_t'Z_u; rows (c,) levels of t, values (c, k_t, k_u)."""
        left, right = self.places[t], self.places[u]
        if not left.size or not right.size:
            return
        out[np.ix_(left, right)] += self.entries[t] @ self._squares(t, rows, values) @ self.entries[u].T

    def _squares(self, t: int, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        """`_paired` of all cells G, of so many at a time as stay in the processor's cache."""
        if self.weights is None:
            return _paired(values)
        step = max(1, CACHED // (values.shape[1] * values.shape[2]))
        parts = (slice(begin, begin + step) for begin in range(0, max(len(values), 1), step))
        return sum((_paired(stacked(self.weights[t][rows[part]], values[part])) for part in parts), np.zeros(()))

    def _through_fixed(self) -> np.ndarray:
        """tr(S_c A D_d FF'), (c, c)."""
        cp, plain, weighted = self.cp, self._by_group(self.F), self._weighted(self.F)
        out = np.empty((self.count, self.count))
        for t, (places, matrices) in enumerate(zip(self.places, self.matrices, strict=True)):
            for d, matrix in zip(places, matrices, strict=True):
                moved = np.zeros_like(self.F)
                moved[cp.slices[t]] = stacked(matrix, plain[t]).reshape(-1, moved.shape[1])
                through = self._weighted(cp.times(moved))
                out[:, d] = self._contracted([np.einsum("jam,jbm->ab", w, m) for w, m in zip(weighted, through, strict=True)])
        return out

    def _by_group(self, values: np.ndarray) -> list[np.ndarray]:
        """values (q, m) as (J, k, m) of each term."""
        cp = self.cp
        return [values[s].reshape(j, k, values.shape[1]) for s, j, k in zip(cp.slices, cp.n_groups, cp.k, strict=True)]

    def _weighted(self, values: np.ndarray) -> list[np.ndarray]:
        """W values, likewise."""
        plain = self._by_group(values)
        return plain if self.weights is None else [stacked(w, part) for w, part in zip(self.weights, plain, strict=True)]

    def _between(self, parts: list[np.ndarray]) -> np.ndarray:
        """P'D_c P, (c, m, m), for P as (J, k, m) of each term."""
        m = parts[0].shape[2]
        out = np.empty((self.count, m, m))
        for places, entries, part in zip(self.places, self.entries, parts, strict=True):
            out[places] = (entries @ _paired(part)).reshape(len(places), m, m)
        return out

    def _contracted(self, sums: list[np.ndarray]) -> np.ndarray:
        """<D_c, sum of its term>, (c,); sums (k, k) of each term."""
        out = np.empty(self.count)
        for places, entries, total in zip(self.places, self.entries, sums, strict=True):
            out[places] = entries @ total.ravel()
        return out


def _paired(values: np.ndarray) -> np.ndarray:
    """Sums over c of values[c, a, i] values[c, b, j], as (a b, i j), for values (c, k, m)."""
    _, k, m = values.shape
    flat = values.reshape(len(values), k * m)
    return (flat.T @ flat).reshape(k, m, k, m).transpose(0, 2, 1, 3).reshape(k * k, m * m)
