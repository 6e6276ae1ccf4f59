"""Variances of errors that run to zero: a boundary where the likelihood is finite, else what keeps it from a maximum; named."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import Design, ResidualPart
from sparsemixed.estimation.interface import FD, FE, FittedEvaluation, FittedObjective
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.trial import evaluated
from sparsemixed.spec import ModelSpec
from sparsemixed.structures.residual_errors.base import ResidualStructure

VANISHED = 1e-12
"""Variance of a level's errors, as a share of the mean square of what the fixed part leaves, that counts as none."""

NEAR_ZERO, ZERO = np.log(1e-4), np.log(1e-7)
"""Logarithms of standard deviations of a level's errors, over the largest, from which zero is tried, and that stand for it."""
FURTHER = -2.0
"""Change of the logarithm of one that is as small already, which must cost nothing."""
TIE = 1e-8
"""Deviances that do not differ."""


class Zeros(NamedTuple):
    """Variances of zero: which residual parameters (n_rho,) bool have no meaning beside them, and the variances in words."""

    gone: np.ndarray
    names: tuple[str, ...]


def at_zero_variances(objective: FittedObjective[FE, FD], at: FE, part: ResidualPart | None, by: str | None) -> tuple[FE, Zeros]:
    """The evaluation with those levels' variances next to zero that a search was on its way to: where that costs nothing.

    Where random effects explain all of a level's rows its errors' variance is zero at a finite likelihood. Its logarithm runs
    off, and what the curvature there says is rounding.
    """
    if part is None:
        return at, Zeros(np.zeros(0, bool), ())
    structure, own = part.structure, objective.parameters.n_theta
    gone, names = np.zeros(structure.n_rho, bool), []
    sizes = structure.sizes(at.theta[own:])
    sizes = sizes - sizes.max()
    for level in map(int, np.flatnonzero(sizes < NEAR_ZERO)):
        if not structure.parameters_of(level).any():
            continue
        moved = structure.resized(level, min(ZERO - sizes[level], FURTHER), at.theta[own:])
        there = evaluated(objective, np.append(at.theta[:own], moved))
        if there is not None and there.deviance <= at.deviance + TIE:
            at = there
            gone |= structure.parameters_of(level)
            names.append(f"{_variance(structure, level, by)} is 0")
    return at, Zeros(gone, tuple(names))


def _variance(structure: ResidualStructure, level: int, by: str | None) -> str:
    """The variance of a level's errors, as printed."""
    if structure.by_labels:
        return f"var(e) where {by} is {structure.by_labels[level]}"
    return structure.display(structure.start())[level].label


def vanished_errors(
    spec: ModelSpec, design: Design, orthogonal: OrthonormalCoordinates, at: FittedEvaluation
) -> tuple[np.ndarray, list[str]]:
    """Which residual parameters (n_rho,) bool belong to errors whose variance has run to zero, and the variances in words.

    For a search that did not converge: one that did has found a finite likelihood, however small a variance is.
    """
    if design.residual is None:
        return np.zeros(0, bool), []
    structure = design.residual.structure
    gone, names = np.zeros(structure.n_rho, bool), []
    rows = structure.display(at.theta[at.theta.size - structure.n_rho :])
    usual = orthogonal.square / orthogonal.n_obs
    for level in dict.fromkeys(p.level for p in rows):
        own = [p for p in rows if p.level == level]
        if max(at.sigma2 * p.value for p in own if p.kind == "variance") > VANISHED * usual:
            continue
        elsewhere = np.any([p.gradient != 0.0 for p in rows if p.level != level] or [np.zeros(gone.size, bool)], axis=0)
        gone |= np.any([p.gradient != 0.0 for p in own], axis=0) & ~elsewhere
        variance = _variance(structure, level, spec.residual.by) if structure.by_labels else "var(e)"
        names.append(f"{variance} goes to 0 and the likelihood is unbounded: the model fits `{spec.response}` exactly there")
    return gone, names
