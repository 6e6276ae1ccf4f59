"""What a search for the zero of an estimated score needs of the iterative objective: its probes, and variances held at zero."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparsemixed.estimation.objectives.iterative import StochasticDerivatives, StochasticObjective, monte_carlo_error
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.objectives.zero_variances import MAX_RANDOM_SIGNS, beside_zero, held_at_zero, slope_at_zero
from sparsemixed.solver.iterative.probe_traces import PROBES_PER_BLOCK
from sparsemixed.solver.iterative.system import KrylovFactored


class ProbedScore:
    """The score of an iterative objective.

    Parameters
    ----------
    inner : StochasticObjective
    """

    n_theta: int
    df: float

    def __init__(self, inner: StochasticObjective):
        self.inner, self.df, self.n_theta = inner, inner.df, inner.n_theta

    def evaluate(self, theta: np.ndarray) -> PenalizedEvaluation[KrylovFactored]:
        return self.inner.evaluate(theta)

    def derivatives(self, at: PenalizedEvaluation[KrylovFactored]) -> StochasticDerivatives:
        return self.inner.derivatives(at)

    def again(self, before: StochasticDerivatives) -> StochasticDerivatives:
        return self.inner.again(before)

    def singular_faces(self, theta: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
        return self.inner.singular_faces(theta)

    @property
    def probes(self) -> int:
        return self.inner.probes.count

    @property
    def exhaustive(self) -> bool:
        return self.inner.probes.exhaustive

    @property
    def may_be_exact(self) -> bool:
        return self.inner.can_be_exact

    def make_exact(self) -> None:
        self.inner.probes.exhaust()

    def add_probes(self, count: int) -> None:
        self.inner.probes.add(count // PROBES_PER_BLOCK)

    def deflate(self, at: PenalizedEvaluation[KrylovFactored]) -> None:
        self.inner.deflate(at)

    def held_at_zero(self, theta: np.ndarray, freed: np.ndarray) -> np.ndarray:
        return held_at_zero(self.inner, theta, freed)

    def beside_zero(self, theta: np.ndarray, which: np.ndarray) -> np.ndarray:
        return beside_zero(self.inner, theta, which)

    def monte_carlo_error(self, derivatives: StochasticDerivatives) -> float:
        return monte_carlo_error(derivatives)

    def slopes_at_zero(self, derivatives: StochasticDerivatives) -> tuple[np.ndarray, str]:
        """By the signs of the one-sided derivatives; where one cannot be told, in words which."""
        falls, doubts = np.zeros(self.n_theta, bool), []
        for k in np.flatnonzero(derivatives.held & ~self.inner.parameters.held):
            slope = slope_at_zero(derivatives, int(k))
            falls[k] = slope.falls
            if slope.undecided:
                doubts += [words for _, form, words in self.singular_faces(derivatives.at.theta) if form[k]]
        doubt = f"whether {' and '.join(doubts)} cannot be told from {MAX_RANDOM_SIGNS} random signs" if doubts else ""
        return falls, doubt
