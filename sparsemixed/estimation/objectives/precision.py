"""The profiled deviance with correlated errors and any random effects: whiten, then the penalised system as always.

With Q = inv(R(rho)) the deviance is that of `estimation.objectives.penalized` on the cross-products Z'QZ, Z'Q[X y], [X y]'Q[X y],
plus log|R|. The parameter vector is (theta, rho).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sparsemixed.estimation.objectives.penalized import Evaluation, Objective
from sparsemixed.estimation.parameters import Parameters
from sparsemixed.solver.crossproducts.weighted_rows import WeightedRows
from sparsemixed.solver.factored.choose import penalized_system
from sparsemixed.solver.residual.precision import Precision
from sparsemixed.structures.residual_errors.base import ResidualStructure

if TYPE_CHECKING:
    from sparsemixed.estimation.objectives.precision_derivatives import PrecisionDerivatives


class PrecisionObjective(Objective):
    """The deviance of one data set.

    Parameters
    ----------
    rows : WeightedRows
        Of orthonormal X.
    precision : Precision
        On the same rows.
    parameters : Parameters
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
        rows: WeightedRows,
        precision: Precision,
        parameters: Parameters,
        residual: ResidualStructure,
        reml: bool,
        solver: str,
        weights: Sequence[np.ndarray] | None = None,
    ):
        self.rows, self.precision, self.residual = rows, precision, residual
        self.rho = residual.start()
        data, self.logdet = precision.values(self.rho)
        cp = rows.cross_products(data)
        super().__init__(cp, penalized_system(cp, solver, weights), parameters, reml)

    @property
    def n_theta(self) -> int:
        return self.parameters.n_theta + self.residual.n_rho

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the random effects and of the residuals."""
        return theta[: self.parameters.n_theta], theta[self.parameters.n_theta :]

    def _move(self, rho: np.ndarray) -> None:
        if np.array_equal(rho, self.rho):
            return
        data, self.logdet = self.precision.values(rho)
        self.cp = self.rows.cross_products(data)
        self.system.reset(self.cp)
        self.rho = rho.copy()

    def evaluate(self, theta: np.ndarray) -> Evaluation:
        own, rho = self.split(theta)
        self._move(rho)
        at = super().evaluate(own)
        self._at = theta.copy()
        return replace(at, theta=self._at, deviance=at.deviance + self.logdet)

    def ensure(self, evaluation: Evaluation) -> None:
        if self._at is None or not np.array_equal(self._at, evaluation.theta):
            self.evaluate(evaluation.theta)

    def derivatives(self, at: Evaluation) -> PrecisionDerivatives:
        from sparsemixed.estimation.objectives.precision_derivatives import PrecisionDerivatives

        return PrecisionDerivatives(self, at)

    def edges(self):
        """Edges of the random effects' covariances; residual structures have none."""
        for where, form, words in super().edges():
            yield where, np.append(form, np.zeros(self.residual.n_rho)), words
