"""Every variance and covariance distinct: the lower Cholesky factor, entry by entry, in a basis that suits the data."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sparsemixed.lapack import cholesky, inverse_of_lower
from sparsemixed.structures.base import Displayed
from sparsemixed.structures.random.base import RandomStructure

SHIFT, LARGER_SHIFTS = 4.0 * float(np.finfo(float).eps), (1.0, 1e2, 1e4, 1e6)
"""What is added to correlations of columns for each of them, and how much more where sums over many rows have larger errors."""

FAR_FROM_SINGULAR = 1e-6
"""Share of a variance beside those before it, down to which a Cholesky factor has half of its digits."""


class Unstructured(RandomStructure):
    """General symmetric matrix (manual, `covariance(unstructured)`): the factor is `basis @ L`, theta the lower triangle of L.

    The family is closed under linear maps of the effects, so the basis T may be any nonsingular matrix; one for which the
    columns ZT are orthonormal keeps theta well scaled when covariates are not (a slope on a year, say). In it the constant
    leads: where slopes hardly vary, a singular matrix then has a zero at the end of the diagonal of L, which Newton reaches in
    few steps. Behind a small variance the search would turn the row of a large one around, step by step, until its last entry
    vanishes.

    Parameters
    ----------
    m : int
    basis : (m, m) float64, optional
        Lower triangular in the order of the effects in which one leads; the identity by default.
    leading : int
        The effect that leads.
    last : tuple of int
        Effects that come last, with rows of their own in the basis: they are absent where their rows of L are zero.

    Examples
    --------
    >>> Unstructured(2).factor(np.array([1.0, 0.5, 2.0]))
    array([[1. , 0. ],
           [0.5, 2. ]])
    """

    word, title = "UNstructured", "Unstructured"

    def __init__(self, m: int, basis: np.ndarray | None = None, leading: int = 0, last: tuple[int, ...] = ()):
        super().__init__(m)
        self.basis, self.leading, self.last = np.eye(m) if basis is None else basis, leading, last
        self._plain = basis is None

    def in_basis(self, gram: np.ndarray, leading: int = 0) -> Unstructured:
        order = np.array(_ordered(leading, self.m, self.last))
        if self.last:
            apart = np.isin(np.arange(self.m), self.last)
            gram = np.where(apart[:, None] == apart, gram, 0.0)
        # In this order gram = A'A with A lower triangular, from the Cholesky factor of the matrix in reversed order.
        squares = gram.diagonal()
        scale, backwards = np.sqrt(np.where(squares > 0, squares, 1.0)), order[::-1]
        correlation = (gram / (scale[:, None] * scale))[backwards[:, None], backwards]
        reverse = _shifted_cholesky(correlation)[::-1, ::-1]
        basis = np.empty((self.m, self.m))
        basis[order] = inverse_of_lower(reverse.T * scale[order])
        return Unstructured(self.m, basis, leading, self.last)

    def without(self, effects: tuple[int, ...], gram: np.ndarray, leading: int) -> tuple[Unstructured, np.ndarray]:
        leading = leading if leading not in effects else min(set(range(self.m)) - set(effects))
        member = Unstructured(self.m, last=tuple(sorted(effects))).in_basis(gram, leading)
        return member, member._places()[0] >= self.m - len(effects)

    def in_own_basis(self) -> Unstructured:
        return Unstructured(self.m)

    @property
    def chosen_basis(self) -> np.ndarray:
        return self.basis

    def of_effects(self, T: np.ndarray) -> Unstructured:
        basis = None if T is self.basis or np.array_equal(T, self.basis) else np.linalg.solve(T, self.basis)
        return Unstructured(self.m, basis, self.leading, self.last)

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column (i >= j) of each theta, column after column."""
        return _places(self.m)

    def dfactor(self) -> np.ndarray:
        return _units(self.m).copy() if self._plain else self.basis @ _units(self.m)

    def factor(self, theta: np.ndarray) -> np.ndarray:
        lower = np.zeros((self.m, self.m))
        lower[self._places()] = theta
        return lower if self._plain else self.basis @ lower

    def nearest(self, covariance: np.ndarray) -> np.ndarray:
        if self._plain and (lower := _clear_cholesky(covariance)) is not None:
            return lower[self._places()]
        # A semidefinite sample covariance (fewer groups than effects) still has a factor: clip eigenvalues, then QR.
        inverse = np.linalg.inv(self.basis)
        inner = inverse @ covariance @ inverse.T
        values, vectors = np.linalg.eigh((inner + inner.T) / 2)
        return self.from_root(self.basis @ (vectors * np.sqrt(np.clip(values, 0.0, None))))

    def from_root(self, root: np.ndarray) -> np.ndarray:
        lower = np.linalg.qr(np.linalg.solve(self.basis, root).T, mode="r").T
        lower = lower * np.where(np.diag(lower) < 0, -1.0, 1.0)
        return lower[self._places()]

    def singular_faces(self) -> np.ndarray:
        rows, columns = self._places()
        return np.eye(len(rows))[rows == columns]

    def face_names(self, names: tuple[str, ...], label: str) -> list[str]:
        names = tuple(names[a] for a in _ordered(self.leading, self.m, self.last))
        words = [f"var({names[0]}) of {label} is 0"]
        for j in range(1, self.m):
            words.append(f"{names[j]} of {label} is a linear combination of {', '.join(names[:j])} (or its variance is 0)")
        return words

    def display(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Displayed]:
        factor, d = self.factor(theta), self.dfactor()
        covariance = factor @ factor.T
        half = d @ factor.T
        gradient = half + half.transpose(0, 2, 1)
        rows = [Displayed(("var", i), n, float(covariance[i, i]), "variance", gradient[:, i, i]) for i, n in enumerate(names)]
        for i in range(self.m):
            for j in range(i + 1, self.m):
                pair = f"{names[i]},{names[j]}"
                rows.append(Displayed(("cov", i, j), pair, float(covariance[i, j]), "covariance", gradient[:, i, j]))
        return rows

    @classmethod
    def covariances_gained(cls, m: int) -> int:
        return m


@lru_cache(maxsize=64)
def _places(m: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each theta; not to be changed."""
    columns, rows = np.triu_indices(m)
    return rows, columns


@lru_cache(maxsize=16)
def _units(m: int) -> np.ndarray:
    """dL / dtheta (q, m, m); not to be changed."""
    rows, columns = _places(m)
    d = np.zeros((len(rows), m, m))
    d[np.arange(len(rows)), rows, columns] = 1.0
    return d


def _clear_cholesky(covariance: np.ndarray) -> np.ndarray | None:
    """The Cholesky factor (m, m) of a matrix that is far from singular; None for others."""
    try:
        lower = cholesky(covariance)
    except np.linalg.LinAlgError:
        return None
    pivots = lower.diagonal()
    return lower if all((pivots * pivots > FAR_FROM_SINGULAR * covariance.diagonal()).tolist()) else None


def _shifted_cholesky(correlation: np.ndarray) -> np.ndarray:
    """The Cholesky factor (m, m) of correlations plus the least diagonal with which rounding leaves one (Fukaya et al. 2020)."""
    m = len(correlation)
    for growth in LARGER_SHIFTS:
        try:
            return cholesky(correlation + SHIFT * m * growth * np.eye(m))
        except np.linalg.LinAlgError:
            continue
    return cholesky(correlation + np.eye(m))


def _ordered(leading: int, m: int, last: tuple[int, ...]) -> list[int]:
    """The effects, one before the others, and some behind them."""
    return [leading, *(a for a in range(m) if a != leading and a not in last), *(a for a in last if a != leading)]
