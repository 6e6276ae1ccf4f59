"""One variance per effect, all covariances zero: `diag(theta)`."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.random.base import RandomStructure


class Independent(RandomStructure):
    """Distinct variances (manual, `covariance(independent)`).

    Examples
    --------
    >>> Independent(2).factor(np.array([0.5, 2.0]))
    array([[0.5, 0. ],
           [0. , 2. ]])
    """

    word, title = "INDependent", "Independent"

    def dfactor(self) -> np.ndarray:
        d = np.zeros((self.m, self.m, self.m))
        d[np.arange(self.m), np.arange(self.m), np.arange(self.m)] = 1.0
        return d

    def without(self, effects: tuple[int, ...], gram: np.ndarray, leading: int) -> tuple[Independent, np.ndarray]:
        return self, np.isin(np.arange(self.m), effects)

    def nearest(self, covariance: np.ndarray) -> np.ndarray:
        return np.sqrt(np.diag(covariance))

    def singular_faces(self) -> np.ndarray:
        return np.eye(self.m)

    def face_names(self, names: tuple[str, ...], label: str) -> list[str]:
        return [f"var({name}) of {label} is 0" for name in names]

    def display(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Displayed]:
        unit = np.eye(self.m)
        return [
            Displayed(("var", i), name, float(t**2), "variance", 2 * t * unit[i])
            for i, (name, t) in enumerate(zip(names, theta, strict=True))
        ]

    @classmethod
    def covariances_gained(cls, m: int) -> int:
        return 0
