"""Solving the score equations without a deviance to lower: Newton with the average information, steps kept within reach.

The probes of a seed are fixed, so the estimated score is a smooth function of theta with an exact zero (Stein, Chen & Anitescu
2013); steps are taken as long as they bring the Newton decrement down. At the zero the probes' spread tells the Monte Carlo
error, and probes are added until it is small enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sparsemixed.estimation.fit import LogEntry
from sparsemixed.estimation.newton import Model, Optimum, Scaled
from sparsemixed.estimation.stochastic import StochasticDerivatives, StochasticObjective, monte_carlo_error
from sparsemixed.solver.probe_traces import TOGETHER
from sparsemixed.spec import EstimationOptions

ZERO = 1e-8
"""Newton decrement at which the estimated score counts as zero: a ten thousandth of a standard error."""
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
    objective: StochasticObjective, start: Any, options: EstimationOptions, progress: Callable[[LogEntry], None] | None = None
) -> ScoreOptimum:
    """Find the zero of the score from an evaluation `start`."""
    log: list[LogEntry] = []
    objective.deflate(start)
    derivatives = objective.derivatives(start)
    radius, error, near = 1.0, float("inf"), False
    while True:
        model = Model(derivatives.gradient, derivatives.average_information.profiled)
        scaled = Scaled(model, derivatives.at.theta)
        log.append(
            LogEntry(
                len(log),
                float("nan"),
                scaled.steepest,
                technique="nr",
                theta=derivatives.at.theta,
                score=-0.5 * model.gradient,
                information=0.5 * model.hessian,
                decrement=scaled.decrement,
                nrtolerance=ZERO,
            )
        )
        if progress:
            progress(log[-1])
        verdict = None
        if scaled.convex and scaled.decrement <= FAR and not near:
            near = True
            objective.deflate(derivatives.at)
            derivatives = objective.derivatives(derivatives.at)
            continue
        if scaled.convex and scaled.decrement <= ZERO:
            error = monte_carlo_error(derivatives)
            if error <= options.mc_tolerance:
                verdict = "score zero and Monte Carlo error below mc_tolerance", True
            elif objective.probes.count >= MOST_PROBES:
                message = f"the Monte Carlo error is still {error:.3g} standard errors after {objective.probes.count} probes"
                verdict = message, False
            else:
                objective.probes.add(_more(error, options.mc_tolerance, objective.probes.count) // TOGETHER)
                derivatives = objective.derivatives(derivatives.at)
                continue
        elif len(log) > options.iterate:
            verdict = f"iterate({options.iterate}) reached", False
        moved = None if verdict else _step(objective, derivatives, scaled, radius)
        if moved is None:
            message, converged = verdict or ("no step brings the score nearer to zero", False)
            optimum = Optimum(derivatives.at, derivatives, model, converged, message, scaled.decrement, tuple(log))
            return ScoreOptimum(optimum, error, objective.probes.count)
        derivatives, radius = moved


def _more(error: float, tolerance: float, probes: int) -> int:
    """Probes to add so that the error, falling with the root of their number, meets the tolerance; at least doubled."""
    wanted = probes * (error / tolerance) ** 2 * 1.2
    return int(min(max(wanted - probes, probes), MOST_PROBES - probes))


def _step(
    objective: StochasticObjective, derivatives: StochasticDerivatives, scaled: Scaled, radius: float
) -> tuple[StochasticDerivatives, float] | None:
    """The derivatives after the first step that brings the score nearer to zero, and the radius for the next."""
    while radius >= SMALLEST_RADIUS:
        step, _ = scaled.step(radius)
        trial = objective.derivatives(objective.evaluate(derivatives.at.theta + step))
        after = Scaled(Model(trial.gradient, trial.average_information.profiled), trial.at.theta)
        if scaled.decrement > FAR or not scaled.convex or (after.convex and after.decrement < scaled.decrement):
            return trial, max(radius, 1.0)
        radius = SHRINK * min(radius, scaled.size(step))
    return None
