"""The prior of the errors' parameters, as a density in (rho, log sigma)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.bayesian.random_priors import ScalePrior
from sparsemixed.priors.matrices import LKJ
from sparsemixed.priors.single import Prior
from sparsemixed.structures.base import Displayed, as_deviations
from sparsemixed.structures.residual_errors.base import ResidualStructure

STEP = 1e-5
"""Of central differences of the Jacobian, whose parameters are of order one."""


@dataclass(frozen=True)
class ErrorPrior:
    """Priors of standard deviations, and of everything else that is printed of the errors, in the order printed.

    Attributes
    ----------
    structure : ResidualStructure or None
        None for independent errors with one variance.
    own : tuple of ScalePrior or Prior
        One for each parameter as printed with `stddeviations`; a `Prior` of those that are no standard deviations.
    correlation : LKJ or None
        Of the correlation matrix as a whole, where errors are unstructured.
    """

    structure: ResidualStructure | None
    own: tuple[ScalePrior | Prior, ...]
    correlation: LKJ | None = None

    def log_density(self, rho: np.ndarray, log_sigma: np.ndarray) -> np.ndarray:
        """Log density at rho (S, n_rho) and log sigma (S,), with the Jacobian."""
        if self.structure is None:
            scale = self.own[0]
            assert isinstance(scale, ScalePrior)
            return scale.log_density(np.exp(2.0 * log_sigma)) + log_sigma
        return np.array([self._one(one, float(s)) for one, s in zip(rho, log_sigma, strict=True)])

    def _one(self, rho: np.ndarray, log_sigma: float) -> float:
        assert self.structure is not None
        rows = displayed_errors(self.structure, rho)
        sigma, slopes, total = np.exp(log_sigma), np.zeros((len(rows), len(rho) + 1)), 0.0
        for k, (row, prior) in enumerate(zip(rows, self.own, strict=True)):
            slopes[k, :-1] = row.gradient
            if row.kind == "sd":
                slopes[k] *= sigma
                slopes[k, -1] = sigma * row.value
                assert isinstance(prior, ScalePrior)
                total += float(prior.log_density(np.array((sigma * row.value) ** 2)))
            elif self.correlation is None:
                assert isinstance(prior, Prior)
                total += float(prior.log_density(np.array(row.value)))
        if self.correlation is not None:
            matrix = correlation_matrix(rows)
            total += float(self.correlation.log_density(np.linalg.slogdet(matrix)[1], len(matrix)))
        sign, logdet = np.linalg.slogdet(slopes)
        return total + float(logdet) if sign != 0 and np.isfinite(total) else -np.inf

    def gradient(self, rho: np.ndarray, log_sigma: float) -> np.ndarray:
        """Derivative (n_rho + 1,): of independent errors to rounding, else by central differences."""
        if self.structure is None:
            step = 1e-30
            moved = self.log_density(np.zeros((1, 0)), np.array([log_sigma + 1j * step]))
            return np.array([float(np.imag(moved[0])) / step])
        place, count = np.append(rho, log_sigma), len(rho) + 1
        moved = place + STEP * np.concatenate([np.eye(count), -np.eye(count)])
        values = self.log_density(moved[:, :-1], moved[:, -1])
        return (values[:count] - values[count:]) / (2 * STEP)


def displayed_errors(structure: ResidualStructure, rho: np.ndarray) -> list[Displayed]:
    """The errors' parameters as standard deviations, correlations and others, relative to sigma."""
    return as_deviations(structure.display(rho))


def correlation_matrix(rows: list[Displayed]) -> np.ndarray:
    """The correlations (m, m) of unstructured errors, from what is displayed."""
    m = sum(row.kind == "sd" for row in rows)
    out = np.eye(m)
    for row in rows:
        if row.kind == "correlation":
            i, j = int(row.key[1]), int(row.key[2])
            out[i, j] = out[j, i] = row.value
    return out
