"""The joint prediction-error covariance of coefficients and random effects, on the pattern that rows of the sample need.

With the penalised system M = Lambda'Z'QZLambda + D at the fitted parameters, N = inv(M) and U = N Lambda'Z'QX, Henderson (1975)
has Var(beta_hat - beta) = sigma2 Phi and, for the effects b = Lambda u,

    Cov(b_hat - b, beta_hat - beta) = -sigma2 Lambda U Phi,
    Var(b_hat - b)                  = sigma2 Lambda (N + U Phi U') Lambda'.

With Phi = C C' and the rows x of X and z of Z, the error of x'beta_hat + z'b_hat has the variance

    sigma2 |C'(x - U'Lambda'z)|^2 + sigma2 z'Lambda N Lambda'z,

of which a row whose groups meet in the sample needs entries of N on the pattern of Z'Z alone: the selected inverse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.row_data import NO_DATA
from sparsemixed.errors import DataError, NotAvailableError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.parameters import NO_TERM, ThetaMap
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.postestimation.prediction.cluster_errors import errors_by_clusters
from sparsemixed.postestimation.prediction.error_blocks import singular_errors
from sparsemixed.postestimation.prediction.joint_values import JointErrors, PairErrors
from sparsemixed.solver.crossproducts.block_products import Pattern, times_lambda
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, own_blocks
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.linalg import covariance_root

NO_SYSTEM = f"standard errors of predictions need the system behind the fit: {NO_DATA}, or with errors=True"


@dataclass(frozen=True)
class FactoredFit:
    """The penalised system of a fit, factored once more at its optimum."""

    at: PenalizedEvaluation[FactoredSystem]
    layout: ThetaMap
    orthogonal: OrthonormalCoordinates


def factored_fit(fit: Fit) -> FactoredFit:
    """The system of a fit with random effects, whatever its errors.

    Raises
    ------
    DataError
        The fit was saved without its data.
    NotAvailableError
        No factorization is within reach.
    """
    if not fit.design.has_rows:
        raise DataError(NO_SYSTEM)
    if singular_errors(fit):
        raise NotAvailableError(
            "predict: errors of groups that never met are not available where a correlation of the residuals is at its limit"
        )
    problem = problem_of(fit, "penalized" if fit.design.residual is None else "precision")
    objective = problem.objective
    return FactoredFit(objective.evaluate(fit.theta), objective.parameters, problem.case.reduction.orthogonal)


@cached_on_fit("joint-errors")
def joint_errors(fit: Fit) -> JointErrors:
    """The joint covariance of a fit; kept with it, and saved with it once it was computed.

    Raises
    ------
    DataError
        The fit was saved without its data, and without this.
    NotAvailableError
        No factorization is within reach.
    """
    if not fit.design.random:
        return JointErrors(fit.root, (), (), (), ())
    if not fit.design.has_rows:
        raise DataError(NO_SYSTEM)
    if singular_errors(fit):
        return errors_by_clusters(fit)
    factored = factored_fit(fit)
    at, layout, system = factored.at, factored.layout, factored.at.system
    cp, inverse, count = at.cp, system.inverse_blocks, len(fit.design.random)
    root = covariance_root(at.sigma2, at.XVX_inverse)
    spread = times_lambda(cp, at.factors, at.U @ root)
    own: list = [None] * count
    moves: list = [None] * count
    bases: list = [None] * count
    blocks = own_blocks(cp, inverse.first, inverse.pairs)
    for t, (r, basis) in enumerate(zip(layout.order, layout.bases(), strict=True)):
        if r != NO_TERM:
            factor = at.factors[t]
            own[r] = at.sigma2 * (factor @ blocks[t] @ factor.T)
            moves[r] = spread[cp.slices[t]].reshape(cp.n_groups[t], cp.k[t], root.shape[1])
            bases[r] = basis
    pairs = _pairs(cp, inverse, layout, at.factors, at.sigma2)
    return JointErrors(factored.orthogonal.root(root), tuple(moves), tuple(own), pairs, tuple(bases))


def _pairs(
    cp: CrossProducts, inverse: Pattern, layout: ThetaMap, factors: list[np.ndarray], sigma2: float
) -> tuple[PairErrors, ...]:
    """Between all terms with effects, in the order of the design."""
    found = []
    for t, (start, offset) in enumerate(zip(cp.starts, cp.schur_offsets, strict=True), start=1):
        if layout.order[0] == NO_TERM:
            break
        rows = np.searchsorted(cp.indptr, start, side="right") - 1
        columns = (cp.columns[start] - offset) // cp.k[t]
        entries = inverse.cross[start[:, None] + np.arange(cp.k[t])].transpose(0, 2, 1)
        found.append((0, t, rows, columns, entries))
    for pair, entries in zip(cp.pairs, inverse.pairs, strict=True):
        if pair.t != pair.u:
            found.append((pair.t + 1, pair.u + 1, pair.rows, pair.cols, entries))
    return tuple(
        _pair(layout.order[t], layout.order[u], rows, columns, sigma2 * (factors[t] @ entries @ factors[u].T), cp.n_groups[t])
        for t, u, rows, columns, entries in found
    )


def _pair(first: int, second: int, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, groups: int) -> PairErrors:
    """The cells of two terms of the design, the first below the second, sorted by rows, then columns."""
    if first > second:
        # Every group has rows, so the largest number tells how many there are.
        first, second, rows, columns = second, first, columns, rows
        values, groups = values.transpose(0, 2, 1), int(rows.max(initial=-1)) + 1
    if np.any((np.diff(rows) < 0) | ((np.diff(rows) == 0) & (np.diff(columns) < 0))):
        order = np.lexsort((columns, rows))
        rows, columns, values = rows[order], columns[order], values[order]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=groups))])
    return PairErrors(first, second, indptr.astype(np.int64), columns.astype(np.int32), np.ascontiguousarray(values))
