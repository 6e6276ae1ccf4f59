"""What profiles know of the deviance at one place."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Local(ABC):
    """The deviance at one x, with its derivatives; none is computed before it is asked for.

    Attributes
    ----------
    x : (size,)
    deviance : float
    """

    x: np.ndarray
    deviance: float

    @property
    @abstractmethod
    def coefficients(self) -> np.ndarray:
        """(r,) those of orthonormal X: the best ones beside the coefficients that are held."""

    @property
    @abstractmethod
    def gradient(self) -> np.ndarray:
        """(size,); zero for what is fixed."""

    @property
    @abstractmethod
    def hessian(self) -> np.ndarray:
        """(size, size); zero rows and columns for what is fixed."""
