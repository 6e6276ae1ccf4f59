"""A problem: everything that is decided before the first step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.search.em import EmPath
from sparsemixed.estimation.search.values import Plan, Progress
from sparsemixed.estimation.sources.reduction import Products, Reduction
from sparsemixed.spec import ModelSpec


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


class StartingPoint(Protocol):
    """Where a search begins."""

    def __call__(self, llf: Callable[[float], float], progress: Progress | None) -> EmPath:
        """The evaluation to search from, and the EM steps that led to it.

        Parameters
        ----------
        llf : callable
            Log likelihood of a deviance, for the log.
        progress : callable or None
            Called with every EM step.
        """
        ...


@dataclass(frozen=True)
class Problem:
    """An objective, where its search starts, and how it goes.

    Attributes
    ----------
    case : Case
    objective : FittedObjective or None
        None where the fit is known in closed form, without random effects or residual structure.
    start : StartingPoint or None
    plan : Plan or None
        Of the search for the lowest deviance; None where only the score is known.
    vanished : float
        Residual sum of squares below which an unconverged search is taken to run after a residual variance of zero.
    order : (n,) int64 or None
        Places in the design of the objective's rows, where it has sorted them.
    """

    case: Case
    objective: Any = None
    start: StartingPoint | None = None
    plan: Plan | None = None
    vanished: float = 0.0
    order: np.ndarray | None = None
