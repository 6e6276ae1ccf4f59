"""An evaluation at a place that nothing is known of yet."""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import E, Objective, ScoreDerivatives


def evaluated(objective: Objective[E, ScoreDerivatives], theta: np.ndarray) -> E | None:
    """The evaluation at theta, or None where the system breaks down: a search then refuses the step and takes a shorter one.

    Far out numbers overflow on the way, which is one of the ways to break down.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            at = objective.evaluate(theta)
    except NumericalError:
        return None
    return at if np.isfinite(at.deviance) else None
