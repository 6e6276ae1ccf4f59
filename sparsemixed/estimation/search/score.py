"""Solving the score equations without a deviance to lower: Newton with the average information, steps kept within reach.

The probes of a seed are fixed, so the estimated score is a smooth function of theta with an exact zero (Stein, Chen & Anitescu
2013); steps are taken as long as they bring the Newton decrement down. At the zero the probes' spread tells the Monte Carlo
error, and probes are added until it is small enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from sparsemixed.estimation.interface import E, Objective, ScoreDerivatives
from sparsemixed.estimation.search.loop import Acceptance, Place, Point, search
from sparsemixed.estimation.search.trust_region import QuadraticModel, ScaledQuadratic
from sparsemixed.estimation.search.values import Optimum, Progress, Verdict
from sparsemixed.spec import EstimationOptions

ZERO_DECREMENT, EXACT_ZERO_DECREMENT = 1e-8, 1e-12
"""Newton decrement at which the score counts as zero, estimated (a ten thousandth of a standard error) and exact."""
ONE_STEP_SHORT = "one step from where the score is zero"
FAR_DECREMENT = 1.0
"""Newton decrement above which a step may raise it: the score grows before it falls on the way from a small variance."""
MOST_PROBES = 1024
SMALLEST_RADIUS = 1e-6


class HeldDerivatives(ScoreDerivatives, Protocol):
    """Derivatives where some variances are held at zero."""

    @property
    def held(self) -> np.ndarray:
        """(n_theta,) bool: which."""
        ...


H = TypeVar("H", bound=HeldDerivatives)


class EstimatedScore(Objective[E, H], Protocol[E, H]):
    """A deviance of which only the score is known, its traces estimated from random probes; and variances held at zero."""

    @property
    def probes(self) -> int:
        """How many there are."""
        ...

    @property
    def exhaustive(self) -> bool:
        """Whether traces are exact."""
        ...

    @property
    def may_be_exact(self) -> bool:
        """Whether traces are estimated, and exact ones affordable."""
        ...

    def make_exact(self) -> None:
        """Exact traces from here on."""
        ...

    def add_probes(self, count: int) -> None:
        """More probes from here on, in whole blocks."""
        ...

    def again(self, before: H) -> H:
        """Derivatives where others were made before there were the probes that there are now."""
        ...

    def deflate(self, at: E) -> None:
        """Choose anew, for the place `at`, which directions are taken exactly; moves the estimated score a little."""
        ...

    def held_at_zero(self, theta: np.ndarray, freed: np.ndarray) -> np.ndarray:
        """theta with variances that are all but zero at exactly zero, but for those `freed` (n_theta,) bool."""
        ...

    def beside_zero(self, theta: np.ndarray, which: np.ndarray) -> np.ndarray:
        """theta with the zeros among `which` (n_theta,) bool moved to where their variances just count."""
        ...

    def slopes_at_zero(self, derivatives: H) -> tuple[np.ndarray, str]:
        """Which variances held at zero the deviance wants away from it (n_theta,) bool, and in words what is in doubt, if any."""
        ...

    def monte_carlo_error(self, derivatives: H) -> float:
        """Largest Monte Carlo error of any function of theta, in units of its standard error."""
        ...


@dataclass(frozen=True)
class ScoreOptimum(Generic[E, H]):
    """Where the score vanishes, with the Monte Carlo error there (see `EstimatedScore.monte_carlo_error`)."""

    optimum: Optimum[E, H]
    error: float
    probes: int


def solve_score(
    objective: EstimatedScore[E, H], start: E, options: EstimationOptions, progress: Progress | None = None, exact: bool = True
) -> ScoreOptimum[E, H]:
    """Find the zero of the score from an evaluation `start`; with exact traces in the end, where they are affordable.

    Not `exact`, the search may end one step short of the zero (ONE_STEP_SHORT), and directions are deflated at its start alone:
    for a start, which others look at anyway.
    """
    objective.deflate(start)
    acceptance = SmallerDecrement(objective, start, options, exact)
    place = Place(start, objective.derivatives(start))
    optimum = search(acceptance, HeldInformation(), place, lambda _: float("nan"), progress)
    return ScoreOptimum(optimum, acceptance.error, objective.probes)


class HeldInformation:
    """The average information as curvature; of variances held at zero it says that they stay."""

    name, computed = "nr", True

    def model(self, derivatives: HeldDerivatives, iteration: int) -> QuadraticModel:
        return self.compute(derivatives)

    def compute(self, derivatives: HeldDerivatives) -> QuadraticModel:
        gradient, hessian = derivatives.gradient.copy(), derivatives.average_information.profiled.copy()
        held = derivatives.held
        gradient[held], hessian[held], hessian[:, held] = 0.0, 0.0, 0.0
        hessian[held, held] = 1.0
        return QuadraticModel(gradient, hessian, held)


class SmallerDecrement(Acceptance[E, H]):
    """A step is accepted where it brings the Newton decrement down, or anywhere from far away.

    Parameters
    ----------
    objective : EstimatedScore
    start : Evaluation
        Where directions have been deflated.
    options : EstimationOptions
    exact : bool
        As in `solve_score`.

    Attributes
    ----------
    error : float
        Monte Carlo error at the last zero; infinite before the first.
    freed : (n_theta,) bool
        Variances that must not be held at zero again.
    before : float
        Newton decrement where the last step was taken.
    """

    def __init__(self, objective: EstimatedScore[E, H], start: E, options: EstimationOptions, exact: bool):
        self.objective, self.start, self.options, self.exact = objective, start, options, exact
        self.error, self.near, self.before = float("inf"), False, 0.0
        self.freed = np.zeros(objective.n_theta, bool)

    @property
    def bound(self) -> float:
        """Newton decrement at which the score counts as zero."""
        return EXACT_ZERO_DECREMENT if self.objective.exhaustive else ZERO_DECREMENT

    def refine(self, point: Point[E, H], iteration: int) -> Verdict | Place[E, H] | None:
        """Once near, directions are deflated anew, unless the start is near itself or a start is all that is sought. At the zero,
        traces become exact, variances held at zero are set free where the deviance falls beside them, or probes are added.
        """
        scaled, objective = point.scaled, self.objective
        if scaled.convex and scaled.decrement <= FAR_DECREMENT and not self.near:
            self.near = True
            if self.exact and point.at is not self.start:
                objective.deflate(point.at)
                return self._again(point)
        if scaled.convex and scaled.decrement <= self.bound:
            return self._at_zero(point)
        if not self.exact and self._ends_with_a_step(point):
            return Verdict(ONE_STEP_SHORT, True)
        return Verdict(f"iterate({self.options.iterate}) reached", False) if iteration >= self.options.iterate else None

    def _ends_with_a_step(self, point: Point[E, H]) -> bool:
        """Whether another step as good as the last one ends at the zero, within the Monte Carlo error that is asked for."""
        decrement = point.scaled.decrement
        if not (self.near and point.scaled.convex and decrement**2 <= self.bound * self.before):
            return False
        sure = not point.derivatives.held.any()  # of variances held at zero the zero alone tells whether they stay there
        return sure and self.objective.monte_carlo_error(point.derivatives) <= self.options.mc_tolerance

    def _at_zero(self, point: Point[E, H]) -> Verdict | Place[E, H]:
        objective, tolerance = self.objective, self.options.mc_tolerance
        if self.exact and objective.may_be_exact:
            objective.make_exact()
            return self._again(point)
        falls, doubt = objective.slopes_at_zero(point.derivatives)
        if falls.any():
            self.freed |= falls
            at = objective.evaluate(objective.beside_zero(point.at.theta, falls))
            return Place(at, objective.derivatives(at))
        self.error = objective.monte_carlo_error(point.derivatives)
        if doubt:
            return Verdict(doubt, False)
        if self.error <= tolerance:
            return Verdict("score zero and Monte Carlo error below mc_tolerance", True)
        probes = objective.probes
        if probes >= MOST_PROBES:
            return Verdict(f"the Monte Carlo error is still {self.error:.3g} standard errors after {probes} probes", False)
        objective.add_probes(_more(self.error, tolerance, probes))
        return self._again(point)

    def _again(self, point: Point[E, H]) -> Place[E, H]:
        """The same place, looked at with other probes."""
        return Place(point.at, self.objective.again(point.derivatives))

    def attempt(self, here: Point[E, H], step: np.ndarray, predicted: float, radius: float) -> tuple[Place[E, H], float] | None:
        objective, self.before = self.objective, here.scaled.decrement
        at = objective.evaluate(objective.held_at_zero(here.at.theta + step, self.freed))
        place = Place(at, objective.derivatives(at))
        if here.scaled.decrement > FAR_DECREMENT or not here.scaled.convex:
            return place, max(radius, 1.0)
        there = ScaledQuadratic(HeldInformation().compute(place.derivatives), at.theta)
        return (place, max(radius, 1.0)) if there.convex and there.decrement < here.scaled.decrement else None

    def gives_up(self, here: Point[E, H], predicted: float, radius: float) -> Verdict | None:
        if radius >= SMALLEST_RADIUS:
            return None
        return Verdict("no step brings the score nearer to zero", False)


def _more(error: float, tolerance: float, probes: int) -> int:
    """Probes to add so that the error, falling with the root of their number, meets the tolerance; at least doubled."""
    wanted = probes * (error / tolerance) ** 2 * 1.2
    return int(min(max(wanted - probes, probes), MOST_PROBES - probes))
