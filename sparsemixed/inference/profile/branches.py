"""Other branches of a profile: places of lower deviance with the same value of psi, which no way from the peak leads to.

Which they may be, the family of the errors says: a moving average near its border and one near independence explain the same few
rows, and so do banded errors of opposite signs. From each of its places the augmented Lagrangian of the limit that was found is
minimized, with the multiplier of the limit. Where psi has its value it is the deviance: a minimum that is no lower than the limit
ends the search there, after a few evaluations. Families with one branch have no such places, and pay nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparsemixed.inference.profile.constrained import optimum_at
from sparsemixed.inference.profile.jets import Psi
from sparsemixed.inference.profile.peak import Peak
from sparsemixed.inference.profile.roots import LOWER, LowerDeviance, Place

FEW_ROWS, MANY_ROWS = 5, 20
"""For each parameter: below which families without a border may have several branches, and from which those with one have them
only where a profile leads along it."""
LESS = 1e-5
"""By how much a deviance has to be lower to be that of another branch."""
OPENED = (0.12, 0.03)
"""Shares of a parameter of the errors that has run off to a limit, from which it may stay inside."""


def lower_branch(peak: Peak, psi: Psi, here: Place) -> Place | None:
    """The lowest place with psi as it is here, on a branch below this one; None where no start leads to any.

    Raises
    ------
    LowerDeviance
        It is below the peak.
    """
    free, best = peak.freed, None
    for x in _starts(peak, here.x):
        below = (here if best is None else best).deviance - LESS
        found = optimum_at(free, psi, here.value, Place(x, here.value, 0.0, here.slope), below)
        if found is not None and found.deviance < below:
            best = found
    if best is not None and best.deviance < -LOWER:
        raise LowerDeviance(best.x, -best.deviance)
    return best


def _starts(peak: Peak, x: np.ndarray) -> Iterator[np.ndarray]:
    surface = peak.surface
    border, gone, rows = surface.border, np.flatnonzero(surface.gone), surface.objective.df / x.size
    for share in OPENED if gone.size else ():
        opened = x.copy()
        opened[gone] *= share
        yield opened
    along = border.on(x).size or border.on(peak.x).size
    if rows < FEW_ROWS or (border.angles.size and (along or rows < MANY_ROWS)):
        yield from border.branches(x)
