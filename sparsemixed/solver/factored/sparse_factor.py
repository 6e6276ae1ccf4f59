"""Who makes sparse factors: CHOLMOD where scikit-sparse is installed, else `simplicial`. Decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.errors import LOGGER
from sparsemixed.solver.factored import simplicial


class SparseFactor(Protocol):
    """Cholesky factor P S P' = L L' of one matrix."""

    def solve(self, b: np.ndarray) -> np.ndarray:
        """inv(S) b, b (q, m) float64."""
        ...

    def lower(self) -> sp.csc_matrix:
        """L (q, q), numerically zero entries included, rows sorted; not to be written to."""
        ...


class SymbolicFactor(Protocol):
    """The analysis of symmetric matrices that share one pattern: order of elimination and pattern of the factor."""

    def permutation(self) -> np.ndarray:
        """p (q,) with L L' = S[p][:, p]."""
        ...

    def factor(self, lower: sp.csc_matrix) -> SparseFactor:
        """Factor S from its lower triangle.

        Raises
        ------
        NumericalError
            S is not positive definite.
        FactorTooLargeError
            The factor is too large for the library or the memory.
        """
        ...


class Library(NamedTuple):
    """Something that analyses a lower triangle, given `natural` too, and what users should know of it; empty for CHOLMOD."""

    analyse: Callable[[sp.csc_matrix, bool], SymbolicFactor]
    note: str


OWN = Library(
    simplicial.SymbolicFactor,
    "Sparse factors without CHOLMOD, which takes less time for large ones: pip install 'sparsemixed[cholmod]'",
)


def _library() -> Library:
    try:
        from sparsemixed.solver.factored import cholmod
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "sksparse":
            raise
        return OWN
    except (ImportError, ValueError) as error:
        # There, but built for another SuiteSparse or another NumPy.
        return OWN._replace(note=f"Sparse factors without CHOLMOD, because scikit-sparse does not load: {error}")
    return Library(cholmod.SymbolicFactor, "")


LIBRARY = _library()
if LIBRARY.note:
    LOGGER.info("%s", LIBRARY.note)


def analyse(lower: sp.csc_matrix, natural: bool = False) -> SymbolicFactor:
    """The analysis of all S with this pattern; see `cholmod.SymbolicFactor`."""
    return LIBRARY.analyse(lower, natural)
