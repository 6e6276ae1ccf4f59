"""What every statistic of replicates has, however these were made."""

from __future__ import annotations

import numpy as np

from sparsemixed.resampling.runs import Run
from sparsemixed.resampling.statistics import Statistic


class Replicated:
    """A statistic of the fit, and of replicates.

    Attributes
    ----------
    statistic : Statistic
    run : Run
    """

    statistic: Statistic
    run: Run

    @property
    def names(self) -> tuple[str, ...]:
        """Of the numbers."""
        return self.statistic.names

    @property
    def observed(self) -> np.ndarray:
        """(k,) of the fit."""
        return self.statistic.observed.copy()

    @property
    def values(self) -> np.ndarray:
        """(B, k) of the replicates, a jackknife's one for each group; rows of those that failed are NaN."""
        return self.run.values.copy()

    @property
    def failed(self) -> np.ndarray:
        """(B,) bool: replicates without a value."""
        return self.run.failed

    @property
    def n_failed(self) -> int:
        """Their number."""
        return int(self.failed.sum())

    @property
    def reps(self) -> int:
        """Replicates with a value."""
        return len(self.run) - self.n_failed
