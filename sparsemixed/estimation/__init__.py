"""Estimation: objective, exact derivatives, EM, Newton, and the fit they end in."""

from sparsemixed.estimation.estimate import estimate, refactor_at_optimum
from sparsemixed.estimation.fit import Fit

__all__ = ["Fit", "estimate", "refactor_at_optimum"]
