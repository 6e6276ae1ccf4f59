"""The estimates of many fits to one design as arrays: one row for each, and no object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from sparsemixed.estimation.compact import Estimates


@dataclass(frozen=True)
class Replicates:
    """Estimates of B fits; rows of fits that failed are NaN.

    Attributes
    ----------
    beta, errors : (B, p)
        Coefficients, and their standard errors by the model.
    variances : (B, v)
        Variance parameters as printed.
    llf : (B,)
    converged : (B,) bool
    boundary : (B,) object
        Texts: the components on the boundary, empty where there are none.
    message : (B,) object
        Texts: why a fit failed or has not converged, empty where it did neither.
    """

    beta: np.ndarray
    errors: np.ndarray
    variances: np.ndarray
    llf: np.ndarray
    converged: np.ndarray
    boundary: np.ndarray
    message: np.ndarray

    @classmethod
    def room(cls, number: int, p: int, v: int) -> Replicates:
        """Rows for some fits, all of them failed so far."""
        beta, errors, variances = (np.full((number, width), np.nan) for width in (p, p, v))
        texts = (np.full(number, "", dtype=object), np.full(number, "", dtype=object))
        return cls(beta, errors, variances, np.full(number, np.nan), np.zeros(number, bool), *texts)

    def __len__(self) -> int:
        return len(self.llf)

    @property
    def failed(self) -> np.ndarray:
        """(B,) bool: fits without estimates."""
        return np.isnan(self.llf)

    def put(self, row: int, found: Estimates) -> None:
        """Fill in one row."""
        self.beta[row], self.errors[row], self.variances[row] = found.beta, found.errors, found.variances
        self.llf[row], self.converged[row], self.boundary[row] = found.llf, found.converged, "; ".join(found.boundary)
        if not found.converged:
            self.message[row] = found.message

    def rows(self, which: slice | np.ndarray) -> Replicates:
        """Some of them."""
        return Replicates(*(getattr(self, field.name)[which] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Replicates]) -> Replicates:
        """One after another."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))
