"""The joint covariance of the errors of coefficients and random effects, as a value that is saved with a fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PairErrors:
    """Covariances between the effects of two terms, of the groups that meet in some row.

    Attributes
    ----------
    first, second : int
        Terms of the design.
    indptr, groups : (J_first + 1,), (c,) int
        Groups of the second term that each group of the first one meets, ascending.
    values : (c, k_first, k_second) float64
    """

    first: int
    second: int
    indptr: np.ndarray
    groups: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class JointErrors:
    """The joint covariance of the errors of coefficients and effects, at the fitted variance parameters.

    Attributes
    ----------
    root : (p, r) float64
        Covariance root root' of the coefficients.
    moves : tuple of (J, k, r)
        How the effects' errors move with those of the coefficients in the coordinates of `root`: Lambda U times the root.
    own : tuple of (J, k, k)
        Covariances of the effects of each group, the coefficients known.
    pairs : tuple of PairErrors
        The same between terms, the first below the second.
    bases : tuple of ((k, k) or None)
        T of each term: all effects here are those of the columns ZT.
    """

    root: np.ndarray
    moves: tuple[np.ndarray, ...]
    own: tuple[np.ndarray, ...]
    pairs: tuple[PairErrors, ...]
    bases: tuple[np.ndarray | None, ...]

    def columns(self, term: int, columns: np.ndarray) -> np.ndarray:
        """ZT (m, k) of a term's columns Z (m, k)."""
        T = self.bases[term]
        return columns if T is None else columns @ T

    def pair(self, first: int, second: int) -> PairErrors:
        """The covariances between two terms, first < second."""
        return next(pair for pair in self.pairs if (pair.first, pair.second) == (first, second))
