"""The prior of one covariance matrix of random effects, as a density in its unconstrained coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.bayesian.coordinates import BlockCoordinates
from sparsemixed.priors.matrices import LKJ, MatrixPrior
from sparsemixed.priors.single import Prior


@dataclass(frozen=True)
class ScalePrior:
    """A prior of one standard deviation, or of its square: `of` is sd or var."""

    prior: Prior
    of: str

    def log_density(self, variance: Any) -> Any:
        """Log density of the standard deviation whose square is given (...)."""
        if self.of == "var":
            return self.prior.log_density(variance) + 0.5 * np.log(variance) + np.log(2.0)
        return self.prior.log_density(np.sqrt(variance))

    def cdf(self, variance: float) -> float:
        """Probability of a smaller one."""
        return self.prior.cdf(variance if self.of == "var" else float(np.sqrt(variance)))


@dataclass(frozen=True)
class BlockPrior:
    """Priors of one block: scales and, where there are correlations, theirs; or one of the whole matrix.

    Attributes
    ----------
    scales : tuple of ScalePrior
        One for each standard deviation; empty with `matrix`.
    correlation : LKJ, Prior or None
        Of the correlation matrix; a prior of a single number where there is one correlation.
    matrix : MatrixPrior or None
    """

    scales: tuple[ScalePrior, ...]
    correlation: LKJ | Prior | None = None
    matrix: MatrixPrior | None = None

    def log_density(self, block: BlockCoordinates, phi: Any) -> Any:
        """Log density at the coordinates phi (..., q), with their Jacobian."""
        jacobian = block.log_jacobian(phi)
        if self.matrix is not None:
            return jacobian + self.matrix.log_density(block.covariance(phi), block.log_determinant(phi))
        variances = block.variances(phi)
        total = jacobian - np.sum(0.5 * np.log(variances) + np.log(2.0), axis=-1)
        for k, scale in enumerate(self.scales):
            total = total + scale.log_density(variances[..., k])
        if block.correlated == "none":
            return total
        return total + self._correlations(block, phi, variances)

    def _correlations(self, block: BlockCoordinates, phi: Any, variances: Any) -> Any:
        """Log density of the correlations, less the Jacobian of covariances by them."""
        if block.correlated == "shared":
            variance = variances[..., 0]
            r, count = block.shared_covariance(phi) / variance, block.place.block.structure.n_effects
            own = self.correlation
            value = own.log_density_shared(r, count) if isinstance(own, LKJ) else own.log_density(r)  # type: ignore[union-attr]
            return value - np.log(variance)
        stretch = -0.5 * (block.m - 1) * np.sum(np.log(variances), axis=-1)
        if isinstance(self.correlation, LKJ):
            logdet = block.log_determinant(phi) - np.sum(np.log(variances), axis=-1)
            return stretch + self.correlation.log_density(logdet, block.m)
        r = block.covariance(phi)[..., 0, 1] / np.sqrt(variances[..., 0] * variances[..., 1])
        return stretch + self.correlation.log_density(r)  # type: ignore[union-attr]
