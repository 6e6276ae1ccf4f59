"""What a search is given and what it returns: plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple

import numpy as np

from sparsemixed.estimation.interface import Coordinates, D, E, FittedObjective
from sparsemixed.estimation.search.trust_region import QuadraticModel
from sparsemixed.spec import EstimationOptions


@dataclass(frozen=True)
class LogEntry:
    """One line of an iteration log, and what `trace`, `gradient`, `hessian`, `showstep` and `showtolerance` show of it.

    Attributes
    ----------
    iteration : int
    llf : float
    gradient : float
        Largest scaled gradient.
    backed_up : bool
        Whether a step was refused on the way to this point.
    technique : str
        Which technique models the likelihood here; empty in the log of EM.
    theta, score : (n_theta,) float64
        Parameters in the metric of the search (`matsqrt` or `matlog`), and the gradient of the log likelihood in them.
    information : (n_theta, n_theta) float64
        The negative Hessian of the log likelihood that the next step rests on.
    refused : tuple of float
        Scaled sizes of the steps refused on the way to this point.
    step, change, decrement : float
        What `tolerance`, `ltolerance` and `nrtolerance` bound: the scaled size of the step to this point, the relative change
        of the deviance, and the Newton decrement. NaN where there was no step.
    nrtolerance : float
        The bound of the decrement; NaN when it is switched off.
    """

    iteration: int
    llf: float
    gradient: float
    backed_up: bool = False
    technique: str = ""
    theta: np.ndarray = field(default_factory=lambda: np.zeros(0), compare=False)
    score: np.ndarray = field(default_factory=lambda: np.zeros(0), compare=False)
    information: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), compare=False)
    refused: tuple[float, ...] = ()
    step: float = float("nan")
    change: float = float("nan")
    decrement: float = float("nan")
    nrtolerance: float = float("nan")


Progress = Callable[[LogEntry], None]
"""Called with every entry of a log as soon as it is there."""


class Verdict(NamedTuple):
    """Why a search ends, and whether that is convergence."""

    message: str
    converged: bool


@dataclass(frozen=True)
class Optimum(Generic[E, D]):
    """Where a search ended, with the quadratic model there: exact Hessian or average information, never a quasi-Newton one.

    Attributes
    ----------
    evaluation, derivatives : Evaluation, Derivatives
    model : QuadraticModel
    converged : bool
    message : str
        Why it ended.
    decrement : float
        Newton decrement, in units of the deviance.
    log : tuple of LogEntry
    """

    evaluation: E
    derivatives: D
    model: QuadraticModel
    converged: bool
    message: str
    decrement: float
    log: tuple[LogEntry, ...]


@dataclass(frozen=True)
class Plan:
    """How to look for the minimum of a deviance; decided with the objective, before the first step.

    Attributes
    ----------
    options : EstimationOptions
        Tolerances, limits and techniques.
    exact : bool
        Use the exact Hessian; else the average information, corrected by what the gradients show.
    patience : int or None
        Iterations after which the exact Hessian takes over all the same.
    metric : callable or None
        The objective in other coordinates, in which to search (see `objectives.logarithms`); None for theta itself. A plan
        serves objectives of every kind.
    """

    options: EstimationOptions
    exact: bool
    patience: int | None = None
    metric: Callable[[FittedObjective[Any, Any]], Coordinates[Any, Any]] | None = None
