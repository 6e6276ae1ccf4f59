"""Solving the score equations without a deviance to lower: Newton with the average information, steps kept within reach.

The probes of a seed are fixed, so the estimated score is a smooth function of theta with an exact zero (Stein, Chen & Anitescu
2013); steps are taken as long as they bring the Newton decrement down. At the zero the probes' spread tells the Monte Carlo
error, and probes are added until it is small enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.estimation.fit import LogEntry
from sparsemixed.estimation.objectives.iterative import StochasticDerivatives, StochasticObjective, monte_carlo_error
from sparsemixed.estimation.objectives.zero_variances import MOST, beside_zero, held_at_zero, slope_at_zero
from sparsemixed.estimation.search.loop import Model, Optimum, Scaled, Verdict
from sparsemixed.solver.iterative.probe_traces import TOGETHER
from sparsemixed.spec import EstimationOptions

ZERO, EXACT_ZERO = 1e-8, 1e-12
"""Newton decrement at which the score counts as zero, estimated (a ten thousandth of a standard error) and exact."""
FAR = 1.0
"""Newton decrement above which a step may raise it: the score grows before it falls on the way from a small variance."""
MOST_PROBES = 1024
SHRINK, SMALLEST_RADIUS = 0.25, 1e-6


@dataclass(frozen=True)
class ScoreOptimum:
    """Where the score vanishes, with the Monte Carlo error there (see `stochastic.monte_carlo_error`)."""

    optimum: Optimum
    error: float
    probes: int


def solve_score(
    objective: StochasticObjective,
    start: Any,
    options: EstimationOptions,
    progress: Callable[[LogEntry], None] | None = None,
    exact: bool = True,
) -> ScoreOptimum:
    """Find the zero of the score from an evaluation `start`; with exact traces in the end, where they are affordable."""
    objective.deflate(start)
    search = _Search(objective, options, exact, objective.derivatives(start))
    log: list[LogEntry] = []
    while True:
        log.append(search.entry(len(log)))
        if progress:
            progress(log[-1])
        verdict = search.refine()
        if verdict is None and len(log) > options.iterate:
            verdict = f"iterate({options.iterate}) reached", False
        verdict = verdict or search.advance()
        if verdict is not None:
            message, converged = verdict
            at, model, decrement = search.derivatives.at, search.model, search.scaled.decrement
            optimum = Optimum(at, search.derivatives, model, converged, message, decrement, tuple(log))
            return ScoreOptimum(optimum, search.error, objective.probes.count)


class _Search:
    """Where the search stands, how far it trusts its model, and which variances must not be held at zero again."""

    def __init__(self, objective: StochasticObjective, options: EstimationOptions, exact: bool, start: StochasticDerivatives):
        self.objective, self.options, self.exact = objective, options, exact
        self.radius, self.error, self.near = 1.0, float("inf"), False
        self.freed = np.zeros(objective.n_theta, bool)
        self.stand(start)

    def stand(self, derivatives: StochasticDerivatives) -> None:
        self.derivatives, self.model = derivatives, _model(derivatives)
        self.scaled = Scaled(self.model, derivatives.at.theta)

    @property
    def zero(self) -> float:
        """Newton decrement at which the score counts as zero."""
        return EXACT_ZERO if self.objective.probes.exhaustive else ZERO

    def entry(self, iteration: int) -> LogEntry:
        return LogEntry(
            iteration,
            float("nan"),
            self.scaled.steepest,
            technique="nr",
            theta=self.derivatives.at.theta,
            score=-0.5 * self.model.gradient,
            information=0.5 * self.model.hessian,
            decrement=self.scaled.decrement,
            nrtolerance=self.zero,
        )

    def refine(self) -> Verdict | None:
        """Make the score at this place as good as it must be, and say whether it is the end.

        Once near, directions are deflated anew. At the zero, traces become exact, variances held at zero are set free where
        the deviance falls beside them, or probes are added.
        """
        scaled, probes = self.scaled, self.objective.probes
        if scaled.convex and scaled.decrement <= FAR and not self.near:
            self.near = True
            self.objective.deflate(self.derivatives.at)
            return self._again()
        if not scaled.convex or scaled.decrement > self.zero:
            return None
        if self.exact and self.objective.can_be_exact:
            probes.exhaust()
            return self._again()
        falls, doubts = _slopes(self.derivatives)
        if falls.any():
            self.freed |= falls
            theta = beside_zero(self.objective, self.derivatives.at.theta, falls)
            self.stand(self.objective.derivatives(self.objective.evaluate(theta)))
            return None
        self.error = monte_carlo_error(self.derivatives)
        if doubts:
            return f"whether {' and '.join(doubts)} cannot be told from {MOST} random signs", False
        if self.error <= self.options.mc_tolerance:
            return "score zero and Monte Carlo error below mc_tolerance", True
        if probes.count >= MOST_PROBES:
            return f"the Monte Carlo error is still {self.error:.3g} standard errors after {probes.count} probes", False
        probes.add(_more(self.error, self.options.mc_tolerance, probes.count) // TOGETHER)
        return self._again()

    def _again(self) -> Verdict | None:
        """Look once more at the same place, with other probes."""
        self.stand(self.objective.derivatives(self.derivatives.at))
        return self.refine()

    def advance(self) -> Verdict | None:
        """Take the first step that brings the score nearer to zero."""
        objective, at, held, scaled = self.objective, self.derivatives.at, self.derivatives.held, self.scaled
        anywhere = scaled.decrement > FAR or not scaled.convex
        while self.radius >= SMALLEST_RADIUS:
            step, _ = scaled.step(self.radius)
            step[held] = 0.0
            theta = held_at_zero(objective, at.theta + step, self.freed)
            self.stand(objective.derivatives(objective.evaluate(theta)))
            if anywhere or (self.scaled.convex and self.scaled.decrement < scaled.decrement):
                self.radius = max(self.radius, 1.0)
                return None
            self.radius = SHRINK * min(self.radius, scaled.size(step))
        self.stand(objective.derivatives(at))
        return "no step brings the score nearer to zero", False


def _model(derivatives: StochasticDerivatives) -> Model:
    """The quadratic model; of variances held at zero it knows that they stay."""
    gradient, hessian = derivatives.gradient.copy(), derivatives.average_information.profiled.copy()
    held = derivatives.held
    gradient[held], hessian[held], hessian[:, held] = 0.0, 0.0, 0.0
    hessian[held, held] = 1.0
    return Model(gradient, hessian)


def _slopes(derivatives: StochasticDerivatives) -> tuple[np.ndarray, list[str]]:
    """Which variances held at zero the deviance wants away from it (n_theta,), and words for those that are undecided."""
    falls, doubts = np.zeros(derivatives.at.theta.size, bool), []
    for k in np.flatnonzero(derivatives.held):
        slope = slope_at_zero(derivatives, int(k))
        falls[k] = slope.falls
        if slope.undecided:
            doubts += [words for _, form, words in derivatives.objective.edges(derivatives.at.theta) if form[k]]
    return falls, doubts


def _more(error: float, tolerance: float, probes: int) -> int:
    """Probes to add so that the error, falling with the root of their number, meets the tolerance; at least doubled."""
    wanted = probes * (error / tolerance) ** 2 * 1.2
    return int(min(max(wanted - probes, probes), MOST_PROBES - probes))
