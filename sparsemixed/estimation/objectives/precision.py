"""The profiled deviance with correlated errors and any random effects: whiten, then the penalised system as always.

With Q = inv(R(rho)) the deviance is that of `penalized_deviance` on the cross-products Z'QZ, Z'Q[X y], [X y]'Q[X y], plus
log|R|. The parameter vector is (theta, rho).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.interface import Predictions
from sparsemixed.estimation.objectives.group_derivatives import GroupDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedDeviance, PenalizedEvaluation
from sparsemixed.estimation.objectives.penalized_predictions import random_effects
from sparsemixed.estimation.objectives.precision_derivatives import PrecisionDerivatives
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.crossproducts.group_rows import GroupRows
from sparsemixed.solver.crossproducts.weighted_rows import WeightedRows
from sparsemixed.solver.factored.choose import penalized_system
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.residual.precision import Products
from sparsemixed.structures.residual_errors.base import ResidualStructure


class Whitened(NamedTuple):
    """Cross-products in inv(R(rho)), and log|R|."""

    rho: np.ndarray
    cp: CrossProducts
    logdet: float


class PrecisionObjective(PenalizedDeviance[FactoredSystem]):
    """The deviance of one data set.

    Parameters
    ----------
    rows : WeightedRows or GroupRows
        Of orthonormal X.
    precision : Products
        On the same rows; on whole residual groups for `GroupRows`.
    parameters : ThetaMap
        Of the random effects.
    residual : ResidualStructure
    reml : bool
    solver : str
        Storage of the Schur complement.
    weights : sequence of (J,) arrays, optional
        D of the groups of every term (see `solver.factored.system`).
    """

    def __init__(
        self,
        rows: WeightedRows | GroupRows,
        precision: Products,
        parameters: ThetaMap,
        residual: ResidualStructure,
        reml: bool,
        solver: str,
        weights: Sequence[np.ndarray] | None = None,
    ):
        self.rows, self.precision, self.residual = rows, precision, residual
        self._last = whitened = self._whiten(residual.start())
        self._systems = penalized_system(whitened.cp, solver, weights)
        super().__init__(whitened.cp, self._systems, parameters, reml)

    @property
    def n_theta(self) -> int:
        """Number of parameters."""
        return self.parameters.n_theta + self.residual.n_rho

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the random effects and of the residuals."""
        return theta[: self.parameters.n_theta], theta[self.parameters.n_theta :]

    def _whiten(self, rho: np.ndarray) -> Whitened:
        data, logdet = self.precision.values(rho)
        return Whitened(rho.copy(), self.rows.cross_products(data), logdet)

    def evaluate(self, theta: np.ndarray) -> PenalizedEvaluation[FactoredSystem]:
        """Whiten by rho, factor at theta and solve for beta, u and sigma2."""
        own, rho = self.split(theta)
        if not np.array_equal(rho, self._last.rho):
            self._last = self._whiten(rho)
        _, cp, logdet = self._last
        return self._evaluation(theta, own, cp, self._systems.with_products(cp), logdet)

    def derivatives(self, at: PenalizedEvaluation[FactoredSystem]) -> PrecisionDerivatives:
        """Derivatives at one of its own evaluations."""
        if isinstance(self.rows, GroupRows):
            return GroupDerivatives(self, at, self.rows, self.precision)
        return PrecisionDerivatives(self, at, self.rows, self.precision)

    def predictions(self, design: Design, derivatives: PrecisionDerivatives) -> Predictions:
        """Random effects and their prediction-error covariance, term by term of the design."""
        return random_effects(self.parameters, derivatives, len(design.random), self.reml)

    def singular_faces(self, theta: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
        """Edges of the random effects' covariances; residual structures have none."""
        for where, form, words in super().singular_faces(theta):
            yield where, np.append(form, np.zeros(self.residual.n_rho)), words
