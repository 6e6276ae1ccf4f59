"""Sums over few groups with beta profiled out, in arrays that are used again from place to place."""

from __future__ import annotations

from functools import cache
from threading import Event

import numpy as np

from sparsemixed.solver.groups.kernels_newton import profile
from sparsemixed.solver.groups.roots import GroupRoots
from sparsemixed.solver.load import is_kept

WORTH_LOADING = 25
"""Small problems after which a process loads their compiled searches from disk, in the time that so many of them then save."""
WORTH_COMPILING = 50
"""Those after which it compiles them where no folder has them yet: that takes some seconds, once for each installation."""
_MET, _EXPECTED = [0], Event()
"""How many it has met; whether more are expected."""


def met_often() -> bool:
    """Whether this process has met, or expects, so many small problems that their compiled search pays; asked once for each."""
    often = will_be_often()
    _MET[0] += 1
    return often


def will_be_often() -> bool:
    """Whether `met_often` would be true of one more, which is not counted."""
    return _EXPECTED.is_set() or _pays_after(_MET[0])


def expect(number: int) -> None:
    """Announce fits: where there will be many, the first ones take the way of the others, to the last digit."""
    if _pays_after(number - 1):
        _EXPECTED.set()


def _pays_after(met: int) -> bool:
    return met >= WORTH_COMPILING or (met >= WORTH_LOADING and _is_on_disk())


@cache
def _is_on_disk() -> bool:
    """Whether the search has been compiled before; as it was when this was first asked."""
    from sparsemixed.solver.groups.kernels_first import first_descent  # delayed: a process with few fits needs none of it

    return is_kept(first_descent)


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
