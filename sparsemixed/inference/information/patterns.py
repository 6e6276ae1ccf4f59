"""P_k, Q_kl and the information matrices of fits with residual structures, from sums over patterns of clusters.

V is block-diagonal in the clusters, and clusters of one pattern share their block: with A_k = inv(V)V_k on a pattern,

- P_k  = -sum of X'A_k inv(V)X,      Q_kl = sum of X'A_k A_l inv(V)X,
- tr(inv(V)V_k inv(V)V_l) = sum of n tr(A_k A_l), n clusters of the pattern,
- tr(Phi Q_kl) = sum of tr(A_k A_l inv(V) S), S = X Phi X' summed over the pattern, which needs no Q_kl.

The parameters are the entries of the random effects' covariance matrices, and those of the errors as printed (see
`inference.information.residual_parameters`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.patterns import PatternObjective
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.inference.information.covariance_entries import CovarianceEntry, covariance_entries, just_inside
from sparsemixed.inference.information.observed import Observed, observed_information
from sparsemixed.inference.information.residual_parameters import ResidualParameters
from sparsemixed.inference.information.singular import without_singular
from sparsemixed.inference.information.values import FixedDerivatives, SecondOrder, nullity
from sparsemixed.solver.linalg import covariance_root
from sparsemixed.solver.residual.patterns import PatternBatch, independent_blocks

MAX_NUMBERS = 2e8
"""Numbers in all derivative matrices (1.6 GB) beyond which fits that were not made cluster by cluster are refused."""


@dataclass(frozen=True)
class Piece:
    """One batch at the optimum: inv(V) (G, m, m), A (k, G, m, m) and dV (k, G, m, m)."""

    batch: PatternBatch
    inverse: np.ndarray
    moves: np.ndarray
    changes: np.ndarray


@cached_on_fit("derivatives-residual")
def pattern_derivatives(fit: Fit, information: str, second: bool) -> FixedDerivatives:
    """As `fixed_derivatives`, for a fit with `design.residual`.

    Raises
    ------
    NotAvailableError
        When too many rows are tied together.
    """
    _check_size(fit)
    problem = problem_of(fit, "patterns")
    objective, orthogonal = problem.objective, problem.case.reduction.orthogonal
    assert isinstance(objective, PatternObjective)
    layout, theta, boundary = objective.parameters, fit.theta, fit.boundary
    if boundary[layout.n_theta :].any():
        raise NotAvailableError(
            "degrees of freedom from the information matrix are not available where a correlation of the residuals is at its "
            "limit; use a simpler residual structure, or dfmethod(residual), repeated, anova or betwithin"
        )
    if information == "oim":
        boundary = without_singular(layout, theta, boundary)
    elif boundary.any():
        theta, boundary = just_inside(layout, theta, boundary)
    at = objective.evaluate(theta)
    own, rho = objective.split(theta)
    effects = covariance_entries(layout, own, boundary[: layout.n_theta])
    errors = None if fit.without_errors else ResidualParameters(objective.residual, rho, at.sigma2)
    pieces = [
        _piece(objective, batch, inverse / at.sigma2, effects, errors)
        for batch, inverse in zip(objective.batches, at.inverses, strict=True)
    ]
    root = covariance_root(at.sigma2, at.XVX_inverse)
    P = _precision(pieces, root)
    observed = observed_information(fit, objective.derivatives(at), effects, boundary) if information == "oim" else Observed()
    found = FixedDerivatives(
        root=orthogonal.root(root),
        P=P,
        Q=_products(pieces, root) if second else None,
        expected=_expected(pieces, root, P) if information == "eim" else None,
        observed=observed.information,
        on_face=observed.on_face,
        nullity=nullity(fit, information),
    )
    if not second or errors is None:
        return found
    return replace(found, curvature=_curvature(pieces, root, errors, found, found.covariance(information)))


def _check_size(fit: Fit) -> None:
    if fit.solver == "clusters":
        return
    part, terms = fit.design.residual, fit.design.random
    assert part is not None
    cluster = independent_blocks([part.codes, *(t.codes for t in terms)], [part.n_groups, *(t.n_groups for t in terms)])
    sizes = np.bincount(cluster).astype(float)
    if float((sizes**2).sum()) * (2 * len(fit.variances) + 3) > MAX_NUMBERS:
        raise NotAvailableError(
            f"dfmethod({fit.spec.estimation.dfmethod.name if fit.spec.estimation.dfmethod else 'satterthwaite or kroger'}) with "
            f"residuals({fit.spec.residual.name}) is not available where up to {int(sizes.max()):,} rows are tied together; use "
            "dfmethod(residual) or dfmethod(anova)"
        )


def _piece(
    objective: PatternObjective,
    batch: PatternBatch,
    inverse: np.ndarray,
    effects: list[CovarianceEntry],
    errors: ResidualParameters | None,
) -> Piece:
    changes = []
    for parameter in effects:
        z = batch.columns[parameter.term][..., parameter.columns]
        changes.append(np.where(batch.shared[parameter.term], z @ parameter.basis @ z.transpose(0, 2, 1), 0.0))
    every = np.array(changes).reshape(-1, *batch.linked.shape)
    if errors is not None:
        every = np.concatenate([every, errors.first(batch)])
    return Piece(batch, inverse, inverse @ every, every)


def _between(piece: Piece, weights: np.ndarray, root: np.ndarray) -> np.ndarray:
    """(p, p) root' (sum over clusters of X' weights X) root."""
    p = len(root)
    return root.T @ piece.batch.quadratic(weights)[:p, :p] @ root


def _precision(pieces: list[Piece], root: np.ndarray) -> np.ndarray:
    m = len(pieces[0].moves)
    P = np.array([-sum(_between(piece, piece.moves[k] @ piece.inverse, root) for piece in pieces) for k in range(m)])
    return (P + P.transpose(0, 2, 1)) / 2


def _products(pieces: list[Piece], root: np.ndarray) -> np.ndarray:
    """Q (m, m, p, p) in the coordinates of root."""
    m, p = len(pieces[0].moves), len(root)
    Q = np.zeros((m, m, p, p))
    for piece in pieces:
        for k in range(m):
            for l in range(k + 1):
                Q[k, l] += _between(piece, piece.moves[k] @ piece.moves[l] @ piece.inverse, root)
    for k in range(m):
        for l in range(k):
            Q[l, k] = Q[k, l].T
    return Q


def _without_mean(piece: Piece, root: np.ndarray) -> np.ndarray:
    """n I - 2 inv(V) S (G, m, m) with S = X Phi X' summed over the n clusters of a pattern."""
    p = len(root)
    weights = np.zeros((p + 1, p + 1))
    weights[:p, :p] = root @ root.T
    counts = piece.batch.counts[:, None, None] * np.eye(piece.inverse.shape[-1])
    return counts - 2.0 * piece.inverse @ piece.batch.outer(weights)


def _expected(pieces: list[Piece], root: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Expected information (m, m) of the restricted likelihood."""
    out = np.einsum("kab,lba->kl", P, P)
    for piece in pieces:
        weighted, m = _without_mean(piece, root) @ piece.moves, len(piece.moves)
        out += weighted.reshape(m, -1) @ piece.moves.transpose(0, 1, 3, 2).reshape(m, -1).T
    return 0.25 * (out + out.T)


def _curvature(
    pieces: list[Piece], root: np.ndarray, errors: ResidualParameters, found: FixedDerivatives, W: np.ndarray
) -> SecondOrder:
    """What the second derivatives of V add, W (m, m) the covariance of the parameters."""
    tail = slice(len(W) - len(errors.inverse), len(W))
    p = len(root)
    R, traces = np.zeros((p, p)), np.zeros(len(W))
    for piece in pieces:
        bent = piece.inverse @ errors.second(piece.batch, W[tail, tail])
        R += _between(piece, bent @ piece.inverse, root)
        traces += np.einsum("kgab,gba->k", piece.moves, bent @ _without_mean(piece, root))
    R = (R + R.T) / 2
    traces -= np.einsum("kab,ba->k", found.P, R)
    return SecondOrder(R, -0.25 * W @ traces)
