"""Likelihoods without a maximum: V becomes singular in a direction in which the residuals are zero, and the search never ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.estimation.objectives.patterns import PatternObjective

SINGULAR = 1e-7
"""Smallest eigenvalue of the correlations of a cluster below which its covariance is taken to become singular."""
TINY = 1e-10
"""The same of their covariance, relative to the largest variance of all observations."""
MESSAGE = (
    "the likelihood appears to be unbounded: it rises without end as the covariance matrix of a group's observations becomes "
    "singular. There are too few groups for so many covariance parameters"
)


def runs_to_singular(objective: Any, theta: np.ndarray) -> bool:
    """Whether V is singular to rounding at theta, where it is known cluster by cluster."""
    if not isinstance(objective, PatternObjective):
        return False
    matrices = [objective.covariance(batch, theta) for batch in objective.batches]
    largest = max(float(np.einsum("gaa->ga", V).max()) for V in matrices)
    for V in matrices:
        scale = np.sqrt(np.einsum("gaa->ga", V))
        if float(np.linalg.eigvalsh(V)[:, 0].min()) < TINY * largest:
            return True
        if float(np.linalg.eigvalsh(V / (scale[:, :, None] * scale[:, None, :]))[:, 0].min()) < SINGULAR:
            return True
    return False
