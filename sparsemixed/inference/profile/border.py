"""The border of a family of errors: coordinates that reach it, and what is to be done there.

A moving average is invertible up to its border, where its likelihood is finite, and many profiles lead there and along it. In
partial correlations tanh(rho) it is at infinity, where Newton's method cannot go. In sin(rho) it is a stationary place of the
deviance and of all that is printed, even about it, like a variance of zero in the coordinates of random effects: limits on it
are roots like all others, of as many fewer parameters as coordinates are on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from sparsemixed.estimation.ends.error_limits import FAR
from sparsemixed.estimation.fit import Fit
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.by_level import ByLevel

NEAR = 0.1
"""Cosine of an angle up to which steps end on the border: the deviance of a moving average goes by its fourth power, which would
take Newton's method many steps."""
RIGHT = 0.5 * np.pi
MOST_ANGLES = 3
"""Up to so many, every combination of some on the border is tried; of more, one at a time."""


@dataclass(frozen=True)
class Border:
    """Where the border is.

    Attributes
    ----------
    angles : (k,) int64
        Places in x of coordinates that are on it where their cosine is zero.
    first : int
        Place in x of the first parameter of the errors.
    structure : ResidualStructure or None
        Their family, if there is one.
    """

    angles: np.ndarray
    first: int = 0
    structure: ResidualStructure | None = None

    def reached(self, x: np.ndarray) -> np.ndarray:
        """x with what is near the border on it."""
        own = x[self.angles]
        near = np.abs(np.cos(own)) < NEAR
        if not near.any():
            return x
        out = x.copy()
        out[self.angles] = np.where(near, RIGHT * (2.0 * np.round(own / np.pi - 0.5) + 1.0), own)
        return out

    def on(self, x: np.ndarray) -> np.ndarray:
        """(l,) places in x of the coordinates that are on the border."""
        return self.angles[np.abs(np.cos(x[self.angles])) < 1e-12]

    def faces(self, x: np.ndarray) -> Iterator[np.ndarray]:
        """x with some of its angles on the border, in each way, fewer of them first."""
        k = self.angles.size
        sides = (
            product((0.0, -RIGHT, RIGHT), repeat=k) if k <= MOST_ANGLES else np.vstack([-RIGHT * np.eye(k), RIGHT * np.eye(k)])
        )
        for side in sorted(map(np.asarray, sides), key=np.count_nonzero):
            if side.any():
                out = x.copy()
                out[self.angles] = np.where(side == 0.0, x[self.angles], side)
                yield out

    def branches(self, x: np.ndarray) -> Iterator[np.ndarray]:
        """x with the errors' parameters where other branches of a profile may be."""
        if self.structure is not None:
            own = slice(self.first, self.first + self.structure.n_rho)
            for rho in self.structure.branches(x[own]):
                out = x.copy()
                out[own] = rho
                yield out


def border_of(fit: Fit) -> Border:
    """The border of the errors of a fit `with_border`."""
    part = fit.design.residual
    if part is None:
        return Border(np.zeros(0, np.int64))
    first = len(fit.theta) - part.structure.n_rho
    return Border(first + np.flatnonzero(part.structure.angles), first, part.structure)


def with_border(fit: Fit) -> Fit:
    """The fit in such coordinates, in which no parameter of such errors has run off; itself where its errors have none."""
    part = fit.design.residual
    if part is None:
        return fit
    own = len(fit.theta) - part.structure.n_rho
    rho = fit.theta[own:]
    structure, closed = part.structure.closed(rho)
    if structure is part.structure:
        return fit
    design = replace(fit.design, residual=replace(part, structure=structure))
    free = np.append(np.zeros(own, bool), _at_border(part.structure, rho))
    return replace(fit, design=design, theta=np.append(fit.theta[:own], closed), boundary=fit.boundary & ~free)


def _at_border(structure: ResidualStructure, rho: np.ndarray) -> np.ndarray:
    """(n_rho,) the coordinates of each level of which one has run off: all of them; what no observed lag depends on has not."""
    found = np.zeros(rho.size, bool)
    for own in structure.inside if isinstance(structure, ByLevel) else [slice(None)]:
        found[own] = (np.abs(rho[own]) > FAR).any()
    return found
