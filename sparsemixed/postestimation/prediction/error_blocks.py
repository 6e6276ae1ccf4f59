"""The covariance of the errors of the sample, group by group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.fit import Fit

SINGULAR = 1e-10
"""Smallest eigenvalue of R, over its largest, below which it counts as singular."""


def error_blocks(fit: Fit) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows (G, m), in the order of their times, and R (G, m, m) over sigma2 of all groups of m rows, for every m."""
    part = fit.design.residual
    assert part is not None
    time = part.t if part.t.ndim == 1 else part.t[:, 0]
    order = np.lexsort((time, part.codes))
    start = np.concatenate([[0], np.cumsum(np.bincount(part.codes, minlength=part.n_groups))])
    rho = fit.theta[len(fit.theta) - part.structure.n_rho :]
    for m in np.unique(np.diff(start)):
        groups = np.flatnonzero(np.diff(start) == m)
        rows = order[start[groups][:, None] + np.arange(m)]
        yield rows, part.structure.covariance(rho, part.t[rows])


def singular_errors(fit: Fit) -> bool:
    """Whether the errors of some group have a singular covariance: with a correlation at its limit they may.

    Raises
    ------
    NumericalError
        It is no covariance at all, and V is one only together with the random effects.
    """
    part = fit.design.residual
    if part is None or part.structure.independent_rows or not fit.boundary[len(fit.theta) - part.structure.n_rho :].any():
        return False
    values = [np.linalg.eigvalsh(R) for _, R in error_blocks(fit)]
    if any(bool(np.any(v[:, 0] < -SINGULAR * v[:, -1])) for v in values):
        raise NumericalError(
            "predict: the fitted matrix of the errors is no covariance matrix, random effects make up for what it lacks; use "
            "another structure of the residuals"
        )
    return any(bool(np.any(v[:, 0] < SINGULAR * v[:, -1])) for v in values)
