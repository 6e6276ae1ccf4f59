"""A problem: everything that is decided before the first step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.fit import MonteCarlo
from sparsemixed.estimation.interface import FD, FE, FittedObjective
from sparsemixed.estimation.search.em import EmPath
from sparsemixed.estimation.search.values import Optimum, Plan, Progress
from sparsemixed.estimation.sources.reduction import Products, Reduction
from sparsemixed.spec import ModelSpec

if TYPE_CHECKING:
    from sparsemixed.estimation.problems.plain_newton import PlainSearch


@dataclass(frozen=True)
class Case:
    """What is to be fitted, and the solver that was decided on.

    Attributes
    ----------
    spec, design : ModelSpec, Design
    reduction : Reduction
    solver : str
        "dense", "block", "sparse" or "krylov" where random effects stand on cross-products; "auto" where the storage is left to
        the system itself (weights of groups, residual structures).
    """

    spec: ModelSpec
    design: Design
    reduction: Reduction
    solver: str

    @property
    def reml(self) -> bool:
        """Whether the restricted likelihood is maximised."""
        return self.spec.estimation.method == "reml"

    @property
    def products(self) -> Products:
        """The cross-products, of cases that have them."""
        assert self.reduction.products is not None
        return self.reduction.products


class StartingPoint(Protocol[FE]):
    """Where a search begins."""

    def __call__(self, llf: Callable[[float], float], progress: Progress | None) -> EmPath[FE]:
        """The evaluation to search from, and the EM steps that led to it.

        Parameters
        ----------
        llf : callable
            Log likelihood of a deviance, for the log.
        progress : callable or None
            Called with every EM step.
        """
        ...


class ScoreZero(NamedTuple, Generic[FE, FD]):
    """The zero of the score, the deviance there, and the errors of both."""

    optimum: Optimum[FE, FD]
    deviance: float
    monte_carlo: MonteCarlo


@dataclass(frozen=True)
class Problem(Generic[FE, FD]):
    """An objective, where its search starts, and how it goes.

    Attributes
    ----------
    case : Case
    profile : FittedObjective or None
        The objective; None where the fit is known in closed form, without random effects or residual structure.
    start : StartingPoint or None
    plan : Plan or None
        Of the search for the lowest deviance; None where only the score is known.
    vanished : float
        Residual sum of squares below which an unconverged search is taken to run after a residual variance of zero.
    order : (n,) int64 or None
        Places in the design of the objective's rows, where it has sorted them.
    plain : PlainSearch or None
        The search from moments in compiled calls, of small problems.
    solve : callable or None
        From an evaluation to the zero of the score, where that is what is known; called with whoever watches the search.
    """

    case: Case
    profile: FittedObjective[FE, FD] | None = None
    start: StartingPoint[FE] | None = None
    plan: Plan | None = None
    vanished: float = 0.0
    order: np.ndarray | None = None
    plain: PlainSearch | None = None
    solve: Callable[[FE, Progress | None], ScoreZero[FE, FD]] | None = None

    @property
    def objective(self) -> FittedObjective[FE, FD]:
        """The objective, of problems that have one."""
        assert self.profile is not None
        return self.profile
