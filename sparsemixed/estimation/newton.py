"""Trust-region Newton on the profiled deviance, with exact gradients and the average information or the exact Hessian.

The parameters are entries of relative factors, in which the deviance is smooth and even at a zero variance: a solution on
the boundary is an ordinary stationary point that Newton reaches quickly, and no step can leave the valid region.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.boundary import settle
from sparsemixed.estimation.derivatives import Derivatives
from sparsemixed.estimation.fit import LogEntry
from sparsemixed.spec import EstimationOptions

Progress = Callable[[LogEntry], None]
SHRINK, GROW = 0.25, 2.0
ROUNDING = 1e-12
"""Relative size of the deviance's rounding error: differences below it mean nothing."""
NEARLY = 1e-4
"""Newton decrement from which edges of the parameter space are tried exactly, and changes alone may end the iterations."""
FLAT = 1e-7
"""Scaled curvature below which a direction counts as flat: rounding in its gradient must not look like distance."""
LARGEST_RADIUS, SMALLEST_RADIUS = 1e3, 1e-10


class Model(NamedTuple):
    """Gradient (n_theta,) and Hessian (n_theta, n_theta) of the quadratic model of the profiled deviance."""

    gradient: np.ndarray
    hessian: np.ndarray


@dataclass(frozen=True)
class Optimum:
    """Where the iterations ended, with the quadratic model there."""

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
) -> Optimum:
    """Minimise the deviance from `start`.

    Convergence: the Newton decrement g'inv(H)g / 2, the distance from the optimum in units of -2 log likelihood that the
    quadratic model predicts, falls below `nrtolerance` (1e-11 with the exact Hessian, where another iteration costs little;
    1e-7 with the average information: an error of at most 5e-4 standard errors); or both the relative change of the deviance
    below `ltolerance` and the scaled step below `tolerance`, once the decrement is under 1e-4. The Hessian must be positive
    definite.

    Parameters
    ----------
    objective : Objective, ClusterObjective or PrecisionObjective
    start : what `objective.evaluate` returns
    exact : bool
        Use the exact Hessian; else the average information, corrected by what the gradients show.
    llf : callable
        Log likelihood of a deviance, for the log.
    """
    state = _State(objective, options, exact, start)
    log: list[LogEntry] = []
    settled_at = 0
    while True:
        at, scaled = state.at, state.scaled
        log.append(LogEntry(len(log), llf(at.deviance), scaled.steepest, state.refused > 0))
        if progress:
            progress(log[-1])
        verdict = _verdict(state, len(log))
        if verdict is None and scaled.decrement <= NEARLY and len(log) > settled_at + 3:
            # On its edge a covariance matrix has directions that change nothing; beside it Newton would crawl along them.
            settled_at = len(log)
            settled, _ = settle(objective, at, state.model.gradient, state.model.hessian)
            if settled is not at:
                state.stand(settled)
                continue
        verdict = verdict or state.advance()
        if verdict is not None:
            message, converged = verdict
            return Optimum(at, state.derivatives, state.model, converged, message, scaled.decrement, tuple(log))


Verdict = tuple[str, bool]
"""Why the iterations end, and whether that is convergence."""


class _State:
    """Where the iterations stand: an evaluation, its derivatives and quadratic model, and the radius of trust."""

    def __init__(self, objective: Any, options: EstimationOptions, exact: bool, start: Any):
        self.objective, self.options = objective, options
        self.nrtolerance = options.nrtolerance if options.nrtolerance is not None else 1e-11 if exact else 1e-7
        self.secant, self.radius, self.change = _Secant(exact), 1.0, np.inf
        self.stand(start)

    def stand(self, at: Any) -> None:
        """Move to an evaluation and form the model there."""
        self.at, self.refused, self.step_size = at, 0, np.inf
        self.derivatives = self.objective.derivatives(at)
        self.model = self.secant.model(self.derivatives)
        self.scaled = _Scaled(self.model, at.theta)

    def advance(self) -> Verdict | None:
        """Take the first step that lowers the deviance as the model says, shortening the radius until one does."""
        at, scaled, refused = self.at, self.scaled, 0
        while True:
            step, predicted = scaled.step(self.radius)
            trial = _try(self.objective, at.theta + step)
            gain = at.deviance - trial.deviance if trial else -np.inf
            if trial and gain >= 0.05 * predicted - ROUNDING * abs(at.deviance):
                if gain > 0.75 * predicted:
                    self.radius = min(GROW * self.radius, LARGEST_RADIUS)
                self.stand(trial)
                self.refused, self.step_size = refused, scaled.size(step)
                self.change = abs(gain) / (abs(at.deviance) + 1.0)
                return None
            refused += 1
            self.radius = SHRINK * min(self.radius, scaled.size(step))
            # With no gradient left, a negative curvature that no step can use is rounding too.
            flat = scaled.convex or scaled.decrement <= self.nrtolerance
            if flat and predicted < ROUNDING * (abs(at.deviance) + self.objective.df):
                return "no step changes the deviance beyond rounding", True
            if self.radius < SMALLEST_RADIUS:
                return "no step lowers the deviance (flat or discontinuous region)", False


def _try(objective: Any, theta: np.ndarray) -> Any:
    """The evaluation at theta, or None where the system breaks down (the step is then refused and shortened)."""
    try:
        return objective.evaluate(theta)
    except NumericalError:
        return None


def _verdict(state: _State, evaluations: int) -> Verdict | None:
    """Whether to stop at the present point."""
    scaled, options = state.scaled, state.options
    if scaled.convex and scaled.decrement <= state.nrtolerance:
        return "Newton decrement below nrtolerance", True
    small = state.step_size <= options.tolerance and state.change <= options.ltolerance
    if scaled.convex and scaled.decrement <= NEARLY and small:
        return "changes of parameters and log likelihood below tolerance and ltolerance", True
    if evaluations > options.iterate:
        return f"iterate({options.iterate}) reached", False
    return None


class _Secant:
    """What the exact gradients have shown of the true Hessian beyond the curvature used: a symmetric rank-one update.

    After each step s with gradient change y the correction E moves so that (H + E) s = y, H the mean of the curvatures at
    both ends (structured SR1; Nocedal & Wright 2006, section 6.2). An exact Hessian needs none.
    """

    def __init__(self, exact: bool):
        self.exact = exact
        self.last: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self.correction = np.zeros(0)

    def model(self, derivatives: Derivatives) -> Model:
        """The quadratic model at `derivatives.at`."""
        if self.exact:
            return Model(derivatives.gradient, derivatives.observed_information.profiled)
        theta, gradient, profiled = derivatives.at.theta, derivatives.gradient, derivatives.average_information.profiled
        if self.last is None:
            self.correction = np.zeros_like(profiled)
        else:
            before, old_gradient, old_profiled = self.last
            step = theta - before
            missing = gradient - old_gradient - 0.5 * (profiled + old_profiled) @ step - self.correction @ step
            size = missing @ step
            if abs(size) > 1e-8 * np.linalg.norm(missing) * np.linalg.norm(step):
                self.correction = self.correction + np.outer(missing, missing) / size
        self.last = (theta, gradient, profiled)
        return Model(gradient, profiled + self.correction)


class _Scaled:
    """The quadratic model in parameters scaled to unit curvature, diagonalised once, solved for any radius."""

    def __init__(self, model: Model, theta: np.ndarray):
        hessian = model.hessian
        diagonal = np.abs(np.diag(hessian))
        floor = 1e-10 * diagonal.max(initial=1e-300)
        self.scale = 1.0 / np.sqrt(np.maximum(diagonal, floor))
        self.gradient = model.gradient * self.scale
        self.steepest = float(np.abs(self.gradient).max(initial=0.0))
        self.values, self.vectors = np.linalg.eigh(hessian * np.outer(self.scale, self.scale))
        self.rotated = self.vectors.T @ self.gradient
        self.reference = max(float(np.linalg.norm(theta / self.scale)), 1.0)
        self.convex = bool(np.all(self.values > -FLAT))
        curved = self.values > -FLAT
        self.decrement = float(0.5 * np.sum(self.rotated[curved] ** 2 / np.maximum(self.values[curved], FLAT)))

    def size(self, step: np.ndarray) -> float:
        """Scaled length of a step, relative to that of theta."""
        return float(np.linalg.norm(step / self.scale)) / self.reference

    def step(self, radius: float) -> tuple[np.ndarray, float]:
        """Minimiser of the model within `radius`, and the reduction it predicts (Nocedal & Wright 2006, section 4.3)."""
        limit = radius * self.reference
        shift = self._shift(limit)
        rotated = -self.rotated / (self.values + shift)
        if self.values[0] < 0 and np.linalg.norm(rotated) < limit * (1 - 1e-6):
            # Hard case: no gradient along the direction of negative curvature; walk to the boundary along it.
            rotated[0] += np.sqrt(limit**2 - rotated @ rotated) * (1.0 if rotated[0] >= 0 else -1.0)
        predicted = -(self.rotated @ rotated + 0.5 * rotated @ (self.values * rotated))
        return self.scale * (self.vectors @ rotated), float(predicted)

    def _shift(self, limit: float) -> float:
        """Smallest shift that makes the Hessian positive definite and the step no longer than `limit`."""
        floor = max(0.0, -self.values[0]) + 1e-12
        if np.linalg.norm(self.rotated / (self.values + floor)) <= limit:
            return floor if self.values[0] <= 0 else 0.0
        low, high = floor, floor + float(np.linalg.norm(self.rotated)) / limit + 1e-12
        for _ in range(200):
            middle = 0.5 * (low + high)
            if np.linalg.norm(self.rotated / (self.values + middle)) > limit:
                low = middle
            else:
                high = middle
            if high - low <= 1e-10 * high:
                break
        return high
