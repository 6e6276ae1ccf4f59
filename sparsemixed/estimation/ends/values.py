"""The end of a search: where it is, how it was come to, and what it stands for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Generic

import numpy as np

from sparsemixed.estimation.fit import MonteCarlo
from sparsemixed.estimation.interface import FD, FE, FittedObjective
from sparsemixed.estimation.search.values import LogEntry, Optimum


@dataclass(frozen=True)
class NoMaximum:
    """A likelihood that has no maximum where a search was heading.

    Attributes
    ----------
    message : str
        Why, for the fit or, where there is none, for the error.
    names : tuple of str
        The variances that have run to zero, in words.
    gone : (n_rho,) bool
        The errors' parameters on which nothing depends any more; empty where that is none of them.
    reportable : bool
        Whether there is a fit to report all the same, one that has not converged.
    """

    message: str
    names: tuple[str, ...] = ()
    gone: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    reportable: bool = True


@dataclass(frozen=True)
class End(Generic[FE, FD]):
    """Where the searches of a problem ended.

    Attributes
    ----------
    objective : FittedObjective
        Of the last search: the problem's own, or that of the model without errors.
    optimum : Optimum
        Its end.
    before : tuple of LogEntry
        The log of the search before it, if that counts.
    no_maximum : NoMaximum or None
    deviance : float or None
        There, where evaluations do not know it.
    monte_carlo : MonteCarlo or None
    smallest_variance : float or None
        Smallest eigenvalue of V at the optimum of the model without errors; None with errors.
    """

    objective: FittedObjective[FE, FD]
    optimum: Optimum[FE, FD]
    before: tuple[LogEntry, ...] = ()
    no_maximum: NoMaximum | None = None
    deviance: float | None = None
    monte_carlo: MonteCarlo | None = None
    smallest_variance: float | None = None

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """Of all searches that led here, their iterations counted through."""
        return (*self.before, *(following(entry, self.before) for entry in self.optimum.log))


def following(entry: LogEntry, before: tuple[LogEntry, ...]) -> LogEntry:
    """An entry of a search that went on from another's log."""
    return replace(entry, iteration=entry.iteration + len(before)) if before else entry
