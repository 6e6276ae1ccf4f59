"""Independent groups of random effects, each as the triangular root of its cross-products.

With Z_i'Z_i = R_i'R_i and q_i = inv(R_i')Z_i'[X y], the covariance of the part of a group's rows that its random effects reach is
I + (R_i lambda)(R_i lambda)' over sigma2, whose least eigenvalue is one: what follows of its Cholesky factor, log|M_i|,
H_i = Z_i'inv(V_i)Z_i and B_i = Z_i'inv(V_i)[X y], loses no digits however large the variances become (cf. Lindstrom & Bates
1988). The rest of the rows, sum of [X y]'[X y] - q_i'q_i, does not depend on lambda at all.

Derivatives along any direction D of lambda contract H_i and B_i with D lambda' + lambda D', so that the sums over groups are
taken once for all directions: see `MomentSums`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numba
import numpy as np

from sparsemixed.solver.groups.kernels import derivative_sums, deviance_sums, group_predictions, group_roots

CHUNK = 1 << 14
"""Groups whose sums are one thread's piece of work; sums of pieces are added in order, whatever the number of threads."""

FEW = 1 << 16
"""Numbers of all groups up to which sums over them take no longer than the calls of Python around these: whole searches are then
compiled, and half a megabyte may stay in memory until all of a fit is asked for."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class MomentSums:
    """Sums over groups, for H_i and B_i and C_i = B_i columns; the second-order ones as matrices of pairs (a, b), (c, d).

    Attributes
    ----------
    H : (k, k)
        Of H_i.
    B : (k, k, P, P)
        B[a, b] of outer(B_i[a], B_i[b]).
    HH : (k, k, k, k)
        Of H_i[a, b] H_i[c, d].
    HC : (k, k, k, k)
        Of H_i[a, b] (C_i C_i')[c, d].
    """

    H: np.ndarray
    B: np.ndarray
    HH: np.ndarray
    HC: np.ndarray


def few(n_groups: int, k: int, width: int) -> bool:
    """Whether the roots of so many groups, with k effects and [X y] of some width, are few numbers."""
    return n_groups * k * (k + width) <= FEW


class GroupRoots:
    """The groups of one term.

    Parameters
    ----------
    first : (J, k, k) float64
        Z_i'Z_i.
    right : (J, k, P) float64
        Z_i'[X y].
    """

    def __init__(self, first: np.ndarray, right: np.ndarray):
        n_groups, k, width = right.shape
        self.n_groups, self.k, self.width = n_groups, k, width
        self.root, self.q = np.empty((k, k, n_groups)), np.empty((k, width, n_groups))
        group_roots(first, right, self.root, self.q)
        self._pair, self._below = _pairs(k)

    @property
    def few(self) -> bool:
        """Whether there are so few numbers that calls of Python count."""
        return few(self.n_groups, self.k, self.width)

    def explained(self) -> np.ndarray:
        """(P, P) sum of q_i'q_i: the part of [X y]'[X y] that random effects reach."""
        return (self.q @ self.q.transpose(0, 2, 1)).sum(axis=0)

    def deviance(self, factor: np.ndarray) -> tuple[np.ndarray, float]:
        """(P, P) sum of q_i'inv(I + R_i G R_i')q_i with G = factor factor' (k, k), and the sum of log|I + R_i G R_i'|."""

        def piece(begin: int, end: int) -> tuple[np.ndarray, float]:
            gram = np.zeros((self.width, self.width))
            return gram, deviance_sums(self.root, self.q, factor, begin, end, gram)

        grams, logdets = zip(*self._pieces(piece), strict=True)
        return _total(grams), sum(logdets)

    def moments(self, factor: np.ndarray, columns: np.ndarray) -> MomentSums:
        """Sums for derivatives, at a factor (k, k) and with C_i = B_i columns for columns (P, c)."""
        k, width = self.k, self.width
        s = k * (k + 1) // 2

        def piece(begin: int, end: int) -> tuple[np.ndarray, ...]:
            out = np.zeros(s), np.zeros((s, width, width)), np.zeros((s, s)), np.zeros((s, s))
            derivative_sums(self.root, self.q, factor, columns, begin, end, *out)
            return out

        H, B, HH, HC = (_total(each) for each in zip(*self._pieces(piece), strict=True))
        if k == 1:
            return MomentSums(H[None], B[None], HH[None, None], HC[None, None])
        pair = self._pair
        whole = B[pair]
        whole[self._below] = whole[self._below].transpose(0, 2, 1)
        flat = pair.ravel()
        shape = (k, k, k, k)
        return MomentSums(H[pair], whole, HH[flat[:, None], flat].reshape(shape), HC[flat[:, None], flat].reshape(shape))

    def predictions(
        self, factor: np.ndarray, direction: np.ndarray, spread: np.ndarray, sigma2: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """b (J, k) and its prediction-error covariance (J, k, k).

        Parameters
        ----------
        factor : (k, k)
        direction : (P,)
            [-beta, 1], with which B_i gives Z_i'inv(V_i)(y - X beta).
        spread : (P, c)
            A root of the covariance of beta over sigma2, with which B_i gives what the uncertainty of beta adds; c may be zero.
        sigma2 : float
        """
        means, variances = np.empty((self.n_groups, self.k)), np.empty((self.n_groups, self.k, self.k))
        columns = np.column_stack([direction, spread])

        def piece(begin: int, end: int) -> None:
            group_predictions(self.root, self.q, factor, columns, sigma2, begin, end, means, variances)

        self._pieces(piece)
        return means, variances

    def _pieces(self, work: Callable[[int, int], Found]) -> Sequence[Found]:
        """The results of `work` on pieces of the groups, in order."""
        begins = range(0, self.n_groups, CHUNK)
        threads = 1 if len(begins) == 1 else numba.get_num_threads()
        if threads == 1:
            return [work(begin, min(begin + CHUNK, self.n_groups)) for begin in begins]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda begin: work(begin, min(begin + CHUNK, self.n_groups)), begins))


@lru_cache(maxsize=64)
def _pairs(k: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """The number (k, k) of every pair a <= b, and the places below the diagonal; not to be changed."""
    rows, columns = np.triu_indices(k)
    pair = np.empty((k, k), np.int64)
    pair[rows, columns] = pair[columns, rows] = np.arange(rows.size)
    return pair, np.tril_indices(k, -1)


def _total(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """Their sum, in order."""
    total = pieces[0]
    for piece in pieces[1:]:
        total += piece
    return total
