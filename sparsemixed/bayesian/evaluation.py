"""The target at many places, shared out among threads, each with a system of its own: the numbers do not depend on how many."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sparsemixed.bayesian.coefficients import Integrated
from sparsemixed.bayesian.target import Target
from sparsemixed.solver.threads import blas_threads

PIECE = 32
"""Places that one thread takes at a time where each needs a factorization."""


class Evaluator:
    """Log densities and the coefficients' normals at many phi.

    Parameters
    ----------
    targets : list of Target
        Of the same posterior, one for each thread.
    progress : callable, optional
        Called with the number of places evaluated so far.
    """

    def __init__(self, targets: list[Target], progress: Callable[[int], None] | None = None):
        self.targets, self.progress, self.count = targets, progress, 0

    def __call__(self, phi: np.ndarray) -> tuple[np.ndarray, Integrated]:
        pieces = self._pieces(phi)
        free = list(self.targets)

        def own(piece: np.ndarray) -> Integrated:
            target = free.pop()
            try:
                return target.integrated(piece)
            finally:
                free.append(target)

        if len(self.targets) == 1 or len(pieces) == 1:
            found = [self.told(own(piece)) for piece in pieces]
        else:
            # One thread of BLAS for each: those of two factorizations at a time would wait for each other.
            with blas_threads(0), ThreadPoolExecutor(len(self.targets)) as threads:
                found = [self.told(one) for one in threads.map(own, pieces)]
        integrated = Integrated(*(np.concatenate([getattr(f, n) for f in found]) for n in ("log_likelihood", "mean", "root")))
        return self.targets[0].with_prior(phi, integrated.log_likelihood), integrated

    def _pieces(self, phi: np.ndarray) -> list[np.ndarray]:
        """Together where sums are vectorised; the pieces do not depend on the number of threads."""
        if self.targets[0].sums.vectorised:
            return [phi]
        return [phi[start : start + PIECE] for start in range(0, max(len(phi), 1), PIECE)]

    def told(self, integrated: Integrated) -> Integrated:
        """The same, its places counted."""
        self.add(len(integrated.log_likelihood))
        return integrated

    def add(self, count: int) -> None:
        """Count places that were evaluated, here or elsewhere."""
        self.count += count
        if self.progress is not None:
            self.progress(self.count)
