"""What a method of degrees of freedom must offer, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import fixed_coefficients
from sparsemixed.inference.fit_cache import cached_on_fit


class Degrees(NamedTuple):
    """Degrees of freedom of a test and the factor on its F statistic.

    `df` is None where the method defines none, so that the large-sample test takes its place.
    """

    df: float | None
    scale: float = 1.0


class DofMethod(Protocol):
    """A method: the covariance matrix that its tests use, and the degrees of freedom of a hypothesis K beta = r."""

    def covariance(self, fit: Fit) -> np.ndarray:
        """(p, p) covariance of the coefficients."""
        ...

    def dof(self, fit: Fit, K: np.ndarray) -> Degrees:
        """For K (l, p) of full row rank."""
        ...

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) degrees of freedom of every coefficient alone."""
        ...


@dataclass(frozen=True)
class PerCoefficient:
    """Base of methods that give every coefficient its own degrees of freedom.

    A hypothesis about several coefficients has degrees of freedom only where those of all of them agree (manual,
    "Denominator degrees of freedom").
    """

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) degrees of freedom."""
        raise NotImplementedError

    def covariance(self, fit: Fit) -> np.ndarray:
        """(p, p): the model-based covariance."""
        return fit.vcov_beta

    def dof(self, fit: Fit, K: np.ndarray) -> Degrees:
        """The common degrees of freedom of the coefficients in K (l, p), or None."""
        involved = _degrees(fit, self)[np.any(K != 0, axis=0) & ~fixed_coefficients(fit)]
        if involved.size == 0 or np.any(involved != involved[0]) or involved[0] <= 0:
            return Degrees(None)
        return Degrees(float(involved[0]))


@cached_on_fit("method-degrees")
def _degrees(fit: Fit, method: PerCoefficient) -> np.ndarray:
    """(p,) degrees of freedom of every coefficient. Not to be changed."""
    return method.coefficients(fit)
