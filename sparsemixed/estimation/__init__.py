"""Estimation: objective, exact derivatives, EM, Newton, and the fit they end in."""

from sparsemixed.estimation.estimate import estimate, reopen
from sparsemixed.estimation.fit import Fit

__all__ = ["Fit", "estimate", "reopen"]
