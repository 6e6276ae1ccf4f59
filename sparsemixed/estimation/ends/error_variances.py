"""Variances of errors that run to zero: the likelihood has no maximum there, and the fit says so by name."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.interface import FittedEvaluation
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.spec import ModelSpec

VANISHED = 1e-12
"""Variance of a level's errors, as a share of the mean square of what the fixed part leaves, that counts as none."""


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
    usual = float(orthogonal.residual @ orthogonal.residual) / orthogonal.n_obs
    for level in dict.fromkeys(p.level for p in rows):
        own = [p for p in rows if p.level == level]
        if max(at.sigma2 * p.value for p in own if p.kind == "variance") > VANISHED * usual:
            continue
        elsewhere = np.any([p.gradient != 0.0 for p in rows if p.level != level] or [np.zeros(gone.size, bool)], axis=0)
        gone |= np.any([p.gradient != 0.0 for p in own], axis=0) & ~elsewhere
        where = f" where {spec.residual.by} is {structure.by_labels[level]}" if structure.by_labels else ""
        names.append(f"var(e){where} goes to 0 and the likelihood is unbounded: the model fits `{spec.response}` exactly there")
    return gone, names
