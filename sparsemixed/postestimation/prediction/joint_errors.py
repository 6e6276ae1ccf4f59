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

from sparsemixed.delayed import sp
from sparsemixed.design.row_data import NO_DATA
from sparsemixed.errors import DataError, NotAvailableError
from sparsemixed.estimation.end_systems import EndSystem, end_system, kept_system
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.parameters import NO_TERM, ThetaMap
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.postestimation.prediction.cluster_errors import errors_by_clusters
from sparsemixed.postestimation.prediction.error_blocks import singular_errors
from sparsemixed.postestimation.prediction.joint_values import JointErrors, PairErrors
from sparsemixed.solver.crossproducts.block_products import times_lambda
from sparsemixed.solver.crossproducts.crossproducts import own_blocks
from sparsemixed.solver.factored.system import FactoredSystem

NO_SYSTEM = f"standard errors of predictions need the system behind the fit: {NO_DATA}, or with errors=True"


@dataclass(frozen=True)
class FactoredFit:
    """The penalised system of a fit, factored once more at its optimum."""

    derivatives: PenalizedDerivatives
    layout: ThetaMap
    orthogonal: OrthonormalCoordinates

    @property
    def at(self) -> PenalizedEvaluation[FactoredSystem]:
        """The evaluation."""
        return self.derivatives.at


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
    if fit.solver == "krylov":
        raise NotAvailableError(
            "predict: standard errors of fitted need a factorization, and this fit was made by solver(krylov), without one; "
            "those of xb and reses do not"
        )
    if singular_errors(fit):
        raise NotAvailableError(
            "predict: errors of groups that never met are not available where a correlation of the residuals is at its limit"
        )
    problem = problem_of(fit, "penalized" if fit.design.residual is None else "precision")
    objective = problem.objective
    derivatives = objective.derivatives(objective.evaluate(fit.theta))
    assert isinstance(derivatives, PenalizedDerivatives)
    return FactoredFit(derivatives, objective.parameters, problem.case.reduction.orthogonal)


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
    system = kept_system(fit) or _end_system(fit)
    cp, layout, count = system.cp, system.layout, len(fit.design.random)
    spread = times_lambda(cp, system.factors, system.U @ system.inner)
    own: list = [None] * count
    moves: list = [None] * count
    bases: list = [None] * count
    blocks = own_blocks(cp, system.inverse.first, system.inverse.pairs)
    for t, (r, basis) in enumerate(zip(layout.order, layout.bases(), strict=True)):
        if r != NO_TERM:
            factor = system.factors[t]
            own[r] = system.sigma2 * (factor @ blocks[t] @ factor.T)
            moves[r] = spread[cp.slices[t]].reshape(cp.n_groups[t], cp.k[t], -1)
            bases[r] = basis
    return JointErrors(system.root, tuple(moves), tuple(own), _pairs(system), tuple(bases))


def _end_system(fit: Fit) -> EndSystem:
    """The system at the fitted parameters, computed again."""
    factored = factored_fit(fit)
    return end_system(factored.derivatives, factored.layout, factored.orthogonal)


def _pairs(system: EndSystem) -> tuple[PairErrors, ...]:
    """Between all terms with effects, in the order of the design."""
    cp, layout, found = system.cp, system.layout, []
    for t, (start, offset) in enumerate(zip(cp.starts, cp.schur_offsets, strict=True), start=1):
        if layout.order[0] == NO_TERM:
            break
        group = np.repeat(np.arange(cp.n_groups[0]), np.diff(np.searchsorted(start, cp.indptr)))
        columns = (cp.columns[start] - offset) // cp.k[t]
        entries = system.inverse.cross[start[:, None] + np.arange(cp.k[t])].transpose(0, 2, 1)
        found.append((0, t, group, columns, entries))
    for pair, entries in zip(cp.pairs, system.inverse.pairs, strict=True):
        if pair.t != pair.u:
            found.append((pair.t + 1, pair.u + 1, pair.rows, pair.cols, entries))
    return tuple(_pair(system, *one) for one in found)


def _pair(system: EndSystem, t: int, u: int, rows: np.ndarray, columns: np.ndarray, entries: np.ndarray) -> PairErrors:
    """The cells of two engine terms as those of two terms of the design, the first below the second, sorted by groups."""
    factors, order, groups = system.factors, system.layout.order, system.cp.n_groups
    values = system.sigma2 * (factors[t] @ entries @ factors[u].T)
    first, second = order[t], order[u]
    size, other = groups[t], groups[u]
    if first > second:
        first, second, rows, columns, size, other = second, first, columns, rows, other, size
        values = values.transpose(0, 2, 1)
    places = sp.coo_array((np.arange(len(rows)), (columns, rows)), shape=(other, size)).tocsc()
    places.sort_indices()
    return PairErrors(
        first, second, places.indptr.astype(np.int64), places.indices.astype(np.int32), values[np.asarray(places.data, np.int64)]
    )
