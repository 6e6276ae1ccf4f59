"""Sums over few groups with beta profiled out, in arrays that are used again from place to place."""

from __future__ import annotations

from itertools import count

import numpy as np

from sparsemixed.solver.groups.kernels import derivative_sums, deviance_sums
from sparsemixed.solver.groups.kernels_newton import profile
from sparsemixed.solver.groups.roots import GroupRoots

WORTH_COMPILING = 50
"""Small problems after which a process compiles their searches: that takes some seconds where no folder has them yet, and each
saves some milliseconds."""
_MET = count()


def met_often() -> bool:
    """Whether this process has met more small problems than `WORTH_COMPILING`; asked once for each."""
    return next(_MET) >= WORTH_COMPILING


class ProfiledSums:
    """What the compiled calls of a small search hand to each other.

    Parameters
    ----------
    roots : GroupRoots
    rest : (P, P)
        What random effects do not reach of [X y]'[X y].
    reml : bool
        Whether `columns` has those of X.

    Attributes
    ----------
    sums : tuple of arrays
        H, B, HH and HC of `kernels.derivative_sums`, by pairs a <= b.
    w, beta, inverse, columns
        As of `kernels_newton.profile`.
    """

    def __init__(self, roots: GroupRoots, rest: np.ndarray, reml: bool):
        self.roots, self.rest, self.reml = roots, rest, reml
        P, s = roots.width, roots.k * (roots.k + 1) // 2
        a, b, c = s, s + s * P * P, s + s * P * P + s * s
        flat, self._gram = np.empty(c + s * s), np.empty((P, P))
        self._flat = flat
        self.sums = flat[:a], flat[a:b].reshape(s, P, P), flat[b:c].reshape(s, s), flat[c:].reshape(s, s)
        self.w, self.beta, self.inverse = np.empty((P, P)), np.empty(P - 1), np.empty((P - 1, P - 1))
        self.columns = np.empty((P, P if reml else 1))

    def profile(self, lam: np.ndarray, df: float) -> tuple[float, float]:
        """Deviance and pwrss at lam (k, k), NaN where the system breaks down; `w`, `beta`, `inverse` and `columns` are of lam."""
        roots = self.roots
        self._gram[:] = 0.0
        logdet = deviance_sums(roots.root, roots.q, lam, 0, roots.n_groups, self._gram)
        return profile(self._gram, self.rest, logdet, df, self.reml, self.w, self.beta, self.inverse, self.columns)

    def add_up(self, lam: np.ndarray, columns: np.ndarray) -> None:
        """Fill `sums` at lam."""
        self._flat[:] = 0.0
        derivative_sums(self.roots.root, self.roots.q, lam, columns, 0, self.roots.n_groups, *self.sums)
