"""Variances of errors that run to zero: the likelihood has no maximum there, and no number of such a fit means anything."""

from __future__ import annotations

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import FittedEvaluation
from sparsemixed.estimation.orthonormal import Orthogonal
from sparsemixed.spec import ModelSpec

VANISHED = 1e-12
"""Variance of a level's errors, as a share of the mean square of what the fixed part leaves, that counts as none."""


def check_error_variances(spec: ModelSpec, design: Design, orthogonal: Orthogonal, at: FittedEvaluation, converged: bool) -> None:
    """Refuse a search that ran after a variance of zero of the errors of a level of `by()`, or of all of them.

    A search that converged has found a finite likelihood, however small a variance is.

    Raises
    ------
    NumericalError
        It names the level.
    """
    if converged or design.residual is None:
        return
    structure = design.residual.structure
    rows = structure.display(at.theta[at.theta.size - structure.n_rho :])
    usual = float(orthogonal.residual @ orthogonal.residual) / orthogonal.n_obs
    levels: dict[int, float] = {}
    for p in rows:
        if p.kind == "variance":
            levels[p.level] = max(levels.get(p.level, 0.0), at.sigma2 * p.value)
    gone = [level for level, largest in levels.items() if not largest > VANISHED * usual]
    if not gone:
        return
    labels = structure.by_labels
    where = f" where {spec.residual.by} is {' or '.join(labels[level] for level in gone)}" if labels else ""
    raise NumericalError(
        f"the variance of the errors{where} goes to zero: the model fits `{spec.response}` exactly there, and the likelihood is "
        "unbounded. Leave these rows out, give levels a variance in common, or simplify the fixed or the random part"
    )
