"""The objective of models with independent errors: the penalised system is factored, and every derivative is exact."""

from __future__ import annotations

from sparsemixed.design.values import Design
from sparsemixed.estimation.interface import Predictions
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedDeviance, PenalizedEvaluation
from sparsemixed.estimation.objectives.penalized_predictions import random_effects
from sparsemixed.solver.factored.system import FactoredSystem


class PenalizedObjective(PenalizedDeviance[FactoredSystem]):
    """The deviance of one data set with its exact derivatives; built with a `PenalizedSystem`."""

    def derivatives(self, at: PenalizedEvaluation[FactoredSystem]) -> PenalizedDerivatives:
        """Derivatives at one of its own evaluations."""
        return PenalizedDerivatives(self, at)

    def predictions(self, design: Design, derivatives: PenalizedDerivatives) -> Predictions:
        """Random effects and their prediction-error covariance, term by term of the design."""
        return random_effects(self.parameters, derivatives, len(design.random), self.reml)
