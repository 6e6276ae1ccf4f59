"""What estimation asks of a solver of M = Lambda'Z'ZLambda + D: the two values, and what each must offer.

`LinearSystem.factor` makes a `SolvedSystem`, which never changes; it is direct (`solver.factored`) or iterative
(`solver.iterative`). What only one of them has, such as the selected inverse, is asked of that class by name.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

from sparsemixed.solver.crossproducts.block_products import Factors


class SolvedSystem(Protocol):
    """M at one Lambda."""

    @property
    def logdet(self) -> float:
        """log|M|, weighted by D; NaN where it is not known."""
        ...

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(M) b for b (q, m)."""
        ...

    def times_ZtZ(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values (q, m)."""
        ...


S = TypeVar("S", bound=SolvedSystem)
S_co = TypeVar("S_co", bound=SolvedSystem, covariant=True)


class LinearSystem(Protocol[S_co]):
    """The systems of one design at all Lambda."""

    @property
    def name(self) -> str:
        """How it is solved, by the name that a fit reports."""
        ...

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """D of the groups of every term, (J,) each."""
        ...

    @property
    def numbers(self) -> float:
        """Numbers that one solved system holds, about."""
        ...

    def factor(self, factors: Factors) -> S_co:
        """M at `factors`, one (k, k) matrix per term.

        Raises
        ------
        NumericalError
            M is not positive definite.
        """
        ...

    def times_ZtZ(self, values: np.ndarray) -> np.ndarray:
        """Z'Z values (q, m)."""
        ...
