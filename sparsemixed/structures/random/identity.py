"""Equal variances, all covariances zero: `theta * I`."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.random.base import RandomStructure


class Identity(RandomStructure):
    """Multiple of the identity (manual, `covariance(identity)`); also every one-dimensional equation.

    Examples
    --------
    >>> Identity(2).factor(np.array([0.5]))
    array([[0.5, 0. ],
           [0. , 0.5]])
    """

    word, title, factor_levels = "IDentity", "Identity", "groups"

    def dfactor(self) -> np.ndarray:
        return np.eye(self.m)[None]

    def nearest(self, covariance: np.ndarray) -> np.ndarray:
        return np.sqrt(covariance.trace()[None] / self.m)

    def singular_faces(self) -> np.ndarray:
        return np.ones((1, 1))

    def face_names(self, names: tuple[str, ...], label: str) -> list[str]:
        return [f"var({' '.join(names)}) of {label} is 0"]

    def display(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Displayed]:
        return [Displayed(("var",), " ".join(names), float(theta[0] ** 2), "variance", 2 * theta)]
