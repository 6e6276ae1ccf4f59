"""Which parameters of the errors nothing depends on: correlations at their limits, and those that the observed lags never see."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import ResidualPart
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import FD, FE, FittedObjective
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.gaps import observed_lags

VANISHED = 1e-7
"""Derivative of the errors' correlations at all observed lags below which a parameter has none left."""
MODERATE = 0.5
"""Value of the parameters at which a structure is looked at: far from all limits, and not at independence."""
FAR = 6.0
"""Size of an unbounded coordinate from which a correlation may be at its limit; nearer, its lags are not observed."""
NEARLY, AT_LIMIT = 4.0, 15.0
"""Transformed correlations, in absolute value, from which a limit is tried, and that count as one: 1e-3 and 1e-13 from it."""
NEAR_LIMIT = (1e-2, 1e-3)
"""Parts of errors that earlier ones leave open, over all of them, from which those are taken as determined: tried in turn."""
TIE = 1e-8
"""Deviances that do not differ: the other parameters have settled where the search stopped."""


class Limits(NamedTuple):
    """Which residual parameters (n_rho,) bool have no derivative left, and why, in words."""

    gone: np.ndarray
    names: tuple[str, ...]
    reached: bool = False
    """Whether there is one that has run off; those that the observed lags do not see have not."""
    unseen: np.ndarray | None = None
    """(n_rho,) bool: those not at a limit, that the observed lags do not see where the fit is."""


def at_residual_limits(objective: FittedObjective[FE, FD], at: FE, part: ResidualPart | None) -> FE:
    """The evaluation with those correlations at their limits that a search was on its way to: where going on costs nothing.

    The likelihood of a moving average is even in the distance from its limits, so that a search nears a maximum there by ever
    smaller gains, and stops on the way; with more than one coefficient correlations may still depend on the parameter there.
    """
    if part is None:
        return at
    own = objective.parameters.n_theta
    if part.structure.within_level.time not in ("integer", "real"):
        rho = at.theta[own:]
        for near in NEAR_LIMIT:
            limit = part.structure.at_limit(rho, near)
            there = at if limit is rho else _if_no_worse(objective, at, np.append(at.theta[:own], limit))
            if there is not at:
                return there
        return at
    for k in own + np.flatnonzero(np.abs(at.theta[own:]) > NEARLY):
        theta = at.theta.copy()
        theta[k] = np.copysign(max(AT_LIMIT, abs(theta[k])), theta[k])
        at = _if_no_worse(objective, at, theta)
    return at


def _if_no_worse(objective: FittedObjective[FE, FD], at: FE, theta: np.ndarray) -> FE:
    """The evaluation at theta where that exists and costs nothing, else `at`."""
    with suppress(NumericalError):
        there = objective.evaluate(theta)
        return there if there.deviance <= at.deviance + TIE else at
    return at


def residual_limits(part: ResidualPart | None, rho: np.ndarray, known: np.ndarray | None = None) -> Limits:
    """What is at its limit at rho, besides what is `known` to have no meaning left (n_rho,) bool.

    Residual structures keep correlations inside their limits by transformations without bounds: a correlation at its limit
    is an infinite parameter, of which only the vanished derivative of the correlations is left. Units of time do not count: it
    is the correlations at the lags of the data that are looked at, not those at one unit. A derivative that vanishes elsewhere
    (that by theta1 = 0 of a second-order moving average of which lag two alone is observed) is no limit: the parameter is not
    identified.
    """
    if part is None or not rho.size:
        return Limits(np.zeros(rho.size, bool), ())
    gone = residual_reach(part, rho) < VANISHED
    if known is not None:
        gone &= ~known
    if not gone.any():
        return Limits(gone, ())
    never = gone & (residual_reach(part, np.full(rho.size, MODERATE)) == 0)
    unseen = np.zeros(rho.size, bool)
    if part.structure.within_level.time in ("integer", "real"):
        for own in _coordinates(part.structure):
            # Beside one that has run off nothing may be left of another either: theta1 of a moving average where theta2 is -1.
            far = gone[own] & ~never[own] & (np.abs(rho[own]) > FAR)
            unseen[own] = gone[own] & ~never[own] & ~far.any()
        gone &= ~unseen
    reached = bool((gone & ~never).any())
    return Limits(gone, (*([part.structure.within_level.limit] if reached else []), *_unseen(part, never)), reached, unseen)


def _coordinates(structure: ResidualStructure) -> list[slice]:
    """Where the coordinates of each level of by() stand in rho, ratios of variances left out."""
    if not isinstance(structure, ByLevel):
        return [slice(None)]
    return structure.inside


def _unseen(part: ResidualPart, never: np.ndarray) -> list[str]:
    rows = part.structure.display(np.full(never.size, MODERATE))
    labels = [row.label for row in rows if np.any(row.gradient[never]) and not np.any(row.gradient[~never])]
    return [f"{', '.join(labels)} of the residuals: no observed lag depends on it"] if labels else []


def residual_reach(part: ResidualPart, rho: np.ndarray) -> np.ndarray:
    """(n_rho,) largest derivative of anything that matters.

    Of the correlations at the observed lags, for families of lags; else of the printed parameters, relative to the largest of the
    same level of by().
    """
    structure = part.structure
    rows = structure.display(rho)
    reach = np.zeros(rho.size)
    for level in {p.level for p in rows}:  # levels of by() may differ in scale by any factor: a small variance is no limit
        own = [p for p in rows if p.level == level]
        reach = np.maximum(reach, np.max([np.abs(p.gradient) for p in own], axis=0) / max(abs(p.value) for p in own))
    if structure.within_level.time not in ("integer", "real"):
        return reach
    if not isinstance(structure, ByLevel):
        return _lag_reach(structure, rho, part.t, part.codes)
    for k, (own, where) in enumerate(zip(structure.structures, _coordinates(structure), strict=True)):
        mine = part.t[:, 1] == k
        reach[where] = _lag_reach(own, rho[where], part.t[mine, 0], part.codes[mine])
    return reach


def _lag_reach(structure: ResidualStructure, rho: np.ndarray, t: np.ndarray, codes: np.ndarray) -> np.ndarray:
    lags = observed_lags(t, codes)
    if not lags.size:
        return np.zeros(rho.size)
    pairs = np.column_stack([np.zeros(lags.size), lags])
    return np.abs(structure.dcovariance(rho, pairs)[..., 0, 1]).max(axis=1)
