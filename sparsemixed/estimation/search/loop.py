"""The one loop of every search: where it stands, what is logged, whether it is over, and the next place.

A search is made of three parts, chosen apart from each other (the split is that of optimistix: Rader, Lyons & Kidger 2024):

- a *curvature*, which makes the quadratic model at a place (`search.curvature`);
- the *descent*, the model's minimiser within a radius of trust, the same for all (`search.trust_region`);
- an *acceptance*, which knows what is sought: whether a place is an end, and whether a step leads to a better one. There are
  two: a lower deviance (`search.minimum`) and a score nearer to zero (`search.score`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from sparsemixed.estimation.interface import D, E, ScoreDerivatives
from sparsemixed.estimation.search.trust_region import QuadraticModel, ScaledQuadratic
from sparsemixed.estimation.search.values import LogEntry, Optimum, Progress, Verdict

SHRINK = 0.25
"""Share of the radius, or of the refused step where that is shorter, within which the next step is sought."""

D_contra = TypeVar("D_contra", bound=ScoreDerivatives, contravariant=True)


class Place(NamedTuple, Generic[E, D]):
    """An evaluation with its derivatives.

    step, change : float
        What `tolerance` and `ltolerance` are compared with: the scaled size of the step that led here, and the relative change
        of the deviance.
    """

    at: E
    derivatives: D
    step: float = np.inf
    change: float = np.inf


@dataclass(frozen=True)
class Point(Generic[E, D]):
    """A place with its quadratic model.

    Attributes
    ----------
    place : Place
    model : QuadraticModel
    scaled : ScaledQuadratic
        The same, ready to be minimised within any radius.
    technique : str
        Whose model it is.
    computed : bool
        Whether the Hessian is computed from the data, not learnt from gradients.
    refused : tuple of float
        Scaled sizes of the steps refused on the way here.
    """

    place: Place[E, D]
    model: QuadraticModel
    scaled: ScaledQuadratic
    technique: str
    computed: bool
    refused: tuple[float, ...] = ()

    @property
    def at(self) -> E:
        """The evaluation."""
        return self.place.at

    @property
    def derivatives(self) -> D:
        """The derivatives there."""
        return self.place.derivatives

    def entry(self, iteration: int, llf: float, bound: float) -> LogEntry:
        """What the log keeps of this point, in units of the log likelihood; `bound` is that of the decrement."""
        step, change = self.place.step, self.place.change
        return LogEntry(
            iteration,
            llf,
            self.scaled.steepest,
            backed_up=bool(self.refused),
            technique=self.technique,
            theta=self.at.theta.copy(),
            score=-0.5 * self.model.gradient,
            information=0.5 * self.model.hessian,
            refused=self.refused,
            step=step if np.isfinite(step) else np.nan,
            change=change if np.isfinite(change) else np.nan,
            decrement=self.scaled.decrement,
            nrtolerance=bound,
        )

    def optimum(self, verdict: Verdict, log: tuple[LogEntry, ...]) -> Optimum[E, D]:
        """This point as the end of a search."""
        message, converged = verdict
        return Optimum(self.at, self.derivatives, self.model, converged, message, self.scaled.decrement, log)


class Curvature(Protocol[D_contra]):
    """Where quadratic models come from."""

    @property
    def name(self) -> str:
        """The technique that made the last model, as the log calls it."""
        ...

    @property
    def computed(self) -> bool:
        """Whether the Hessian of the last model is computed from the data, not learnt from gradients."""
        ...

    def model(self, derivatives: D_contra, iteration: int) -> QuadraticModel:
        """The model at a new place, called once for each, in the order in which the search comes by."""
        ...

    def compute(self, derivatives: D_contra) -> QuadraticModel:
        """The model at the same place with a computed Hessian; called only where it was not `computed`."""
        ...


class Acceptance(ABC, Generic[E, D]):
    """What is sought: when a place is an end, and when a step leads to a better place."""

    @property
    @abstractmethod
    def bound(self) -> float:
        """Of the Newton decrement, for the log; NaN when there is none."""

    def verdict(self, point: Point[E, D], iteration: int) -> Verdict | None:
        """Whether the search ends at this point, as far as its model tells; asked before the point is logged."""
        return None

    def refine(self, point: Point[E, D], iteration: int) -> Verdict | Place[E, D] | None:
        """Whether the search ends here once everything is known as well as an end requires; asked after the log.

        A place in the answer replaces the point, and is refined in its turn; None for a step to be taken.
        """
        return None

    def shortcut(self, point: Point[E, D], iteration: int) -> Place[E, D] | None:
        """A better place that is known without the model."""
        return None

    @abstractmethod
    def attempt(self, here: Point[E, D], step: np.ndarray, predicted: float, radius: float) -> tuple[Place[E, D], float] | None:
        """Where a step leads, and the radius of trust from there; None where the step is refused.

        Parameters
        ----------
        step : (n_theta,)
        predicted : float
            By how much the model says that the deviance falls.
        radius : float
            Of trust, relative to the size of theta.
        """

    @abstractmethod
    def gives_up(self, here: Point[E, D], predicted: float, radius: float) -> Verdict | None:
        """Whether to end after a refused step, the radius having been shortened."""


def search(
    acceptance: Acceptance[E, D],
    curvature: Curvature[D],
    start: Place[E, D],
    llf: Callable[[float], float],
    progress: Progress | None = None,
) -> Optimum[E, D]:
    """Go from place to place until the acceptance ends it.

    Parameters
    ----------
    llf : callable
        Log likelihood of a deviance, for the log.

    Raises
    ------
    NumericalError
        The system breaks down where no other step can avoid it.
    """
    stand = _Stand(acceptance, curvature, start)
    del start  # its derivatives take no memory once the search has left it
    log: list[LogEntry] = []

    def entry(iteration: int) -> LogEntry:
        return stand.point.entry(iteration, llf(stand.point.at.deviance), acceptance.bound)

    while True:
        iteration = len(log)
        verdict = stand.verdict(iteration)
        log.append(entry(iteration))
        if progress:
            progress(log[-1])
        verdict = verdict or stand.refine(iteration) or stand.leave(iteration)
        if verdict is not None and stand.compute():
            # What was learnt of the curvature was at its end, not the search.
            log[-1] = entry(iteration)
            verdict = acceptance.verdict(stand.point, iteration) or stand.step(iteration)
        if verdict is not None:
            return stand.point.optimum(verdict, tuple(log))


class _Stand(Generic[E, D]):
    """Where a search stands, and how far it trusts its model. Methods return a verdict where the search ends."""

    def __init__(self, acceptance: Acceptance[E, D], curvature: Curvature[D], start: Place[E, D]):
        self.acceptance, self.curvature, self.radius = acceptance, curvature, 1.0
        self.move(start, 0)

    def move(self, place: Place[E, D], iteration: int, refused: tuple[float, ...] = ()) -> None:
        vars(self).pop("point", None)  # what stood there before takes no memory while the model is made
        model, source = self.curvature.model(place.derivatives, iteration), self.curvature
        self.point = Point(place, model, ScaledQuadratic(model, place.at.theta), source.name, source.computed, refused)

    def compute(self) -> bool:
        """Put a computed Hessian in the place of one that was learnt; False where it has been there all along."""
        if self.point.computed:
            return False
        model = self.curvature.compute(self.point.derivatives)
        scaled = ScaledQuadratic(model, self.point.at.theta)
        self.point = replace(self.point, model=model, scaled=scaled, computed=True)
        return True

    def verdict(self, iteration: int) -> Verdict | None:
        """The acceptance's; a Hessian that was learnt never has the last word."""
        verdict = self.acceptance.verdict(self.point, iteration)
        if verdict is not None and self.compute():
            verdict = self.acceptance.verdict(self.point, iteration)
        return verdict

    def refine(self, iteration: int) -> Verdict | None:
        while True:
            found = self.acceptance.refine(self.point, iteration)
            if not isinstance(found, Place):
                return found
            self.move(found, iteration)

    def leave(self, iteration: int) -> Verdict | None:
        """Go to the next place, by a shortcut or by a step."""
        place = self.acceptance.shortcut(self.point, iteration)
        if place is None:
            return self.step(iteration)
        self.move(place, iteration + 1)
        return None

    def step(self, iteration: int) -> Verdict | None:
        """Take the first step that is accepted, shortening the radius until one is."""
        here, refused = self.point, ()
        while True:
            step, predicted = here.scaled.step(self.radius)
            accepted = self.acceptance.attempt(here, step, predicted, self.radius)
            if accepted is not None:
                place, self.radius = accepted
                del here
                self.move(place, iteration + 1, refused)
                return None
            refused = (*refused, here.scaled.size(step))
            self.radius = SHRINK * min(self.radius, refused[-1])
            verdict = self.acceptance.gives_up(here, predicted, self.radius)
            if verdict is not None:
                return verdict
