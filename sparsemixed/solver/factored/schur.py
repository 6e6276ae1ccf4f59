"""The Schur complement S of the eliminated term, stored in one of several ways: what every storage offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np


class SchurDerivative(NamedTuple):
    """Derivative of the Schur complement in one direction: S_k = pairs - left'right - right'left; entries (nnz, k0)."""

    pairs: tuple[np.ndarray, ...]
    left: np.ndarray
    right: np.ndarray


class FactoredSchur(Protocol):
    """S (q2, q2) factored: a value, of which N, that is inv(S) where D is the identity, is computed when it is first needed."""

    @property
    def logdet(self) -> float:
        """log|S|, weighted by D."""
        ...

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(S) b for b (q2, m)."""
        ...

    def half_solve(self, z: np.ndarray) -> np.ndarray:
        """inv(L') z for z (q2, m), with S = LL' in some order."""
        ...

    def gather(self, entries: np.ndarray) -> np.ndarray:
        """Entries (nnz, k0) of each group times N among that group's columns."""
        ...

    def inverse_pairs(self) -> tuple[np.ndarray, ...]:
        """N on the remaining terms' pair blocks."""
        ...

    def sandwich(self, columns: np.ndarray, rows: np.ndarray, together: bool = True) -> np.ndarray:
        """(G, m, m): rows (G, m, w) N rows', N among the columns (G, w) of each; `together`, where one group has them all."""
        ...

    def trace_products(self, directions: Sequence[SchurDerivative]) -> np.ndarray:
        """tr(inv(S) S_k inv(S) S_l) for all directions; with D the sum of D_max(i,j) A_k,ij A_l,ij, A_k = inv(L) S_k inv(L)'."""
        ...


class SchurStorage(Protocol):
    """How the Schur complement is stored: what all S on one pattern have in common."""

    name: str

    @property
    def numbers(self) -> float:
        """Numbers in one factored S with its inverse, about."""
        ...

    def factor(self, pairs: Sequence[np.ndarray], half: np.ndarray) -> FactoredSchur:
        """Factor S, the remaining terms' pair blocks plus D minus half'half (half (nnz, k0)).

        Raises
        ------
        NumericalError
            S is not positive definite.
        """
        ...
