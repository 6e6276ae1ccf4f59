"""Trust-region Newton on the profiled deviance, with exact gradients and the curvature of `estimation.search.curvature`.

The parameters are entries of relative factors, in which the deviance is smooth and even at a zero variance: a solution on
the boundary is an ordinary stationary point that Newton reaches quickly, and no step can leave the valid region.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.fit import LogEntry
from sparsemixed.estimation.search.boundary import settle
from sparsemixed.estimation.search.curvature import QuasiNewton, newton_model, technique, technique_at
from sparsemixed.estimation.search.trust_region import Model, Scaled
from sparsemixed.spec import EstimationOptions

Progress = Callable[[LogEntry], None]
SHRINK, GROW = 0.25, 2.0
ROUNDING = 1e-12
"""Relative size of the deviance's rounding error: differences below it mean nothing."""
NEARLY = 1e-4
"""Newton decrement from which edges of the parameter space are tried exactly, and changes alone may end the iterations."""
LARGEST_RADIUS, SMALLEST_RADIUS = 1e3, 1e-10


@dataclass(frozen=True)
class Optimum:
    """Where the iterations ended, with the quadratic model there: exact Hessian or average information, never a secant's."""

    evaluation: Any
    derivatives: Any
    model: Model
    converged: bool
    message: str
    decrement: float
    log: tuple[LogEntry, ...]


def minimize(
    objective: Any,
    start: Any,
    options: EstimationOptions,
    exact: bool,
    llf: Callable[[float], float],
    progress: Progress | None = None,
    patience: int | None = None,
) -> Optimum:
    """Minimise the deviance from `start`.

    Convergence: the Newton decrement g'inv(H)g / 2, the distance from the optimum in units of -2 log likelihood that the
    quadratic model predicts, falls below `nrtolerance` (1e-11 with the exact Hessian, where another iteration costs little;
    1e-7 with the average information: an error of at most 5e-4 standard errors); or both the relative change of the deviance
    below `ltolerance` and the scaled step below `tolerance`, once the decrement is under 1e-4. With `nonrtolerance` the
    decrement has no say in either. The Hessian must be positive definite. A quasi-Newton technique never has the last word:
    where it would stop, the Hessian is computed, and the same rules are applied to that.

    Parameters
    ----------
    objective : Objective
        As `estimation.interface` says.
    start : what `objective.evaluate` returns
    exact : bool
        Use the exact Hessian; else the average information, corrected by what the gradients show.
    llf : callable
        Log likelihood of a deviance, for the log.
    patience : int, optional
        Iterations after which the exact Hessian takes over all the same.
    """
    state = _State(objective, options, exact, start, patience)
    log: list[LogEntry] = []
    settled_at = 0
    while True:
        at, iteration = state.at, len(log)
        verdict = _verdict(state, iteration)
        if verdict is not None and state.compute_hessian():
            verdict = _verdict(state, iteration)
        log.append(state.entry(iteration, llf(at.deviance)))
        if progress:
            progress(log[-1])
        if verdict is None and state.scaled.decrement <= NEARLY and len(log) > settled_at + 3:
            # On its edge a covariance matrix has directions that change nothing; beside it Newton would crawl along them.
            settled_at = len(log)
            settled, _ = settle(objective, at, state.model.gradient, state.model.hessian)
            if settled is not at:
                state.stand(settled, len(log))
                continue
        verdict = verdict or state.advance(len(log))
        if verdict is not None and state.compute_hessian():
            # The secants were at their end, not the search.
            log[-1] = state.entry(iteration, llf(at.deviance))
            verdict = _verdict(state, iteration) or state.advance(len(log))
        if verdict is not None:
            message, converged = verdict
            return Optimum(at, state.derivatives, state.model, converged, message, state.scaled.decrement, tuple(log))


Verdict = tuple[str, bool]
"""Why the iterations end, and whether that is convergence."""


class _State:
    """Where the iterations stand: an evaluation, its derivatives and quadratic model, and the radius of trust."""

    def __init__(self, objective: Any, options: EstimationOptions, exact: bool, start: Any, patience: int | None = None):
        self.objective, self.options, self.exact, self.patience = objective, options, exact, patience
        self.nrtolerance = options.nrtolerance if options.nrtolerance is not None else 1e-11 if exact else 1e-7
        self.turn, self.radius = "", 1.0
        self.stand(start, 0)

    def stand(self, at: Any, iteration: int) -> None:
        """Move to an evaluation and form the model there, by the technique whose turn it is."""
        self.at, self.refused = at, ()
        self.step_size, self.change = np.inf, np.inf
        turn = technique_at(self.options.technique, iteration)
        if iteration == self.patience:
            self.exact, self.turn = True, ""
        if turn != self.turn:
            self.turn, self.technique = turn, technique(turn, self.exact)
        self.derivatives = self.objective.derivatives(at)
        self.model = self.technique.model(self.derivatives)
        self.secant = isinstance(self.technique, QuasiNewton)
        self.scaled = Scaled(self.model, at.theta)

    def compute_hessian(self) -> bool:
        """Put the computed Hessian in the place of a quasi-Newton one; False where it has been there all along."""
        if not self.secant or not isinstance(self.technique, QuasiNewton):
            return False
        self.model, self.secant = newton_model(self.derivatives, self.exact), False
        self.technique.restart(self.at.theta, self.model)
        self.scaled = Scaled(self.model, self.at.theta)
        return True

    def advance(self, iteration: int) -> Verdict | None:
        """Take the first step that lowers the deviance as the model says, shortening the radius until one does."""
        at, scaled, refused = self.at, self.scaled, []
        while True:
            step, predicted = scaled.step(self.radius)
            trial = _try(self.objective, at.theta + step)
            gain = at.deviance - trial.deviance if trial else -np.inf
            if trial and gain >= 0.05 * predicted - ROUNDING * abs(at.deviance):
                if gain > 0.75 * predicted:
                    self.radius = min(GROW * self.radius, LARGEST_RADIUS)
                self.stand(trial, iteration)
                self.refused, self.step_size = tuple(refused), scaled.size(step)
                self.change = abs(gain) / (abs(at.deviance) + 1.0)
                return None
            refused.append(scaled.size(step))
            self.radius = SHRINK * min(self.radius, refused[-1])
            # With no gradient left, a negative curvature that no step can use is rounding too.
            flat = scaled.convex or scaled.decrement <= self.nrtolerance
            if flat and predicted < ROUNDING * (abs(at.deviance) + self.objective.df):
                return "no step changes the deviance beyond rounding", True
            if self.radius < SMALLEST_RADIUS:
                return "no step lowers the deviance (flat or discontinuous region)", False

    def entry(self, iteration: int, llf: float) -> LogEntry:
        """What the log keeps of this point, in units of the log likelihood."""
        return LogEntry(
            iteration,
            llf,
            self.scaled.steepest,
            backed_up=bool(self.refused),
            technique=self.turn,
            theta=self.at.theta.copy(),
            score=-0.5 * self.model.gradient,
            information=0.5 * self.model.hessian,
            refused=self.refused,
            step=self.step_size if np.isfinite(self.step_size) else np.nan,
            change=self.change if np.isfinite(self.change) else np.nan,
            decrement=self.scaled.decrement,
            nrtolerance=np.nan if self.options.nonrtolerance else self.nrtolerance,
        )


def _try(objective: Any, theta: np.ndarray) -> Any:
    """The evaluation at theta, or None where the system breaks down (the step is then refused and shortened)."""
    try:
        return objective.evaluate(theta)
    except NumericalError:
        return None


def _verdict(state: _State, iterations: int) -> Verdict | None:
    """Whether to stop at the present point."""
    scaled, options = state.scaled, state.options
    if scaled.convex and scaled.decrement <= state.nrtolerance and not options.nonrtolerance:
        return "Newton decrement below nrtolerance", True
    small = state.step_size <= options.tolerance and state.change <= options.ltolerance
    if scaled.convex and (scaled.decrement <= NEARLY or options.nonrtolerance) and small:
        return "changes of parameters and log likelihood below tolerance and ltolerance", True
    if iterations >= options.iterate:
        return f"iterate({options.iterate}) reached", False
    return None
