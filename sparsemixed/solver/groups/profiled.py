"""Sums over few groups with beta profiled out, in arrays that are used again from place to place."""

from __future__ import annotations

from threading import Event

import numpy as np

from sparsemixed.solver.groups.kernels_newton import profile
from sparsemixed.solver.groups.roots import GroupRoots

WORTH_COMPILING = 50
"""Small problems after which a process compiles their searches: that takes some seconds where no folder has them yet, and each
saves some milliseconds."""
_MET, _EXPECTED = [0], Event()
"""How many it has met; whether more are expected."""


def met_often() -> bool:
    """Whether this process has met, or expects, more small problems than `WORTH_COMPILING`; asked once for each."""
    often = will_be_often()
    _MET[0] += 1
    return often


def will_be_often() -> bool:
    """Whether `met_often` would be true of one more, which is not counted."""
    return _MET[0] >= WORTH_COMPILING or _EXPECTED.is_set()


def expect(number: int) -> None:
    """Announce fits: where there will be many, the first ones take the way of the others, to the last digit."""
    if number > WORTH_COMPILING:
        _EXPECTED.set()


class ProfiledSums:
    """The sums at one place after another.

    Parameters
    ----------
    roots : GroupRoots
    rest : (P, P)
        What random effects do not reach of [X y]'[X y].
    reml : bool
        Whether `columns` has those of X.

    Attributes
    ----------
    w, beta, inverse, columns
        As of `kernels_newton.profile`.
    """

    def __init__(self, roots: GroupRoots, rest: np.ndarray, reml: bool):
        self.roots, self.rest, self.reml = roots, rest, reml
        P = roots.width
        self.w, self.beta, self.inverse = np.empty((P, P)), np.empty(P - 1), np.empty((P - 1, P - 1))
        self.columns = np.empty((P, P if reml else 1))

    def profile(self, lam: np.ndarray, df: float) -> tuple[float, float]:
        """Deviance and pwrss at lam (k, k), NaN where the system breaks down; `w`, `beta`, `inverse` and `columns` are of lam."""
        gram, logdet = self.roots.deviance(lam)
        return profile(gram, self.rest, logdet, df, self.reml, self.w, self.beta, self.inverse, self.columns)
