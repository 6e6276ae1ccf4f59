"""How the covariance of the fixed effects moves with the variance parameters: P_k, Q_kl and the information matrices.

For parameters phi in which V is linear (Kenward & Roger 1997, section 2):
P_k = X'(dinv(V)/dphi_k)X = -X'inv(V)V_k inv(V)X, Q_kl = X'inv(V)V_k inv(V)V_l inv(V)X, and the expected information
I_kl = (tr(inv(V)V_k inv(V)V_l) - 2 tr(Phi Q_kl) + tr(Phi P_k Phi P_l)) / 2 with Phi = inv(X'inv(V)X).

All of it comes from q- and p-sized objects: with T = Z'inv(V)X and H = Z'inv(V0)Z, P_k = -T'(I x B_k)T and
Q_kl = F_k'H F_l / sigma2 with F_k = (I x B_k)T. Everything is kept in coordinates in which Phi is the identity, so that
neither badly scaled nor nearly collinear covariates cost digits.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.orthonormal import orthonormal_coordinates
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.inference.information.blocks import in_blocks, with_independent_errors
from sparsemixed.inference.information.covariance_entries import CovarianceEntry, covariance_entries, just_inside
from sparsemixed.inference.information.expected_traces import expected_traces
from sparsemixed.inference.information.observed import Observed, observed_information
from sparsemixed.inference.information.patterns import pattern_derivatives
from sparsemixed.inference.information.singular import without_singular
from sparsemixed.inference.information.values import FixedDerivatives, nullity
from sparsemixed.solver.crossproducts.block_products import times_lambda
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.linalg import covariance_root


def fixed_derivatives(fit: Fit, information: str, second: bool = True) -> FixedDerivatives:
    """The derivatives of a fit for one information matrix, `eim` or `oim`; without `second`, Q may be missing.

    Components on the boundary are left out, as known; but a singular covariance matrix that is not zero stays in: the expected
    information is evaluated just inside the boundary, the observed one on it (`inference.information.singular`).

    Raises
    ------
    NotAvailableError
        The penalised system has lost too many digits, and too many rows are tied together for another way.
    """
    if fit.design.residual is None and not fit.design.random:
        return _linear(fit)
    blocks = fit.design.residual is None and in_blocks(fit)
    known = information == "oim" and not second and fit.slopes is not None and fit.information is not None
    if known and not blocks and not _singular(fit):
        return _known(fit)
    if fit.design.residual is not None:
        return pattern_derivatives(fit, information, second)
    if blocks:
        return _in_blocks(fit, information, second)
    return _random(fit, information, second or information == "eim")


@cached_on_fit("derivatives-linear")
def _linear(fit: Fit) -> FixedDerivatives:
    """V = sigma2 I: everything is known without a computation."""
    orthogonal = orthonormal_coordinates(fit.design)
    n, p = orthogonal.n_obs, fit.design.rank
    s, unit = fit.sigma2, np.eye(p)
    root = orthogonal.root(np.sqrt(s) * unit)
    information = np.array([[0.5 * (n - p) / s**2]])
    return FixedDerivatives(root, -unit[None] / s, unit[None, None] / s**2, information, information)


@cached_on_fit("derivatives-in-blocks")
def _in_blocks(fit: Fit, information: str, second: bool) -> FixedDerivatives:
    """From the dense blocks of V, one for all rows that are tied together, where the penalised system has lost its digits."""
    return pattern_derivatives(with_independent_errors(fit), information, second)


@cached_on_fit("singular-matrix")
def _singular(fit: Fit) -> bool:
    """Whether a covariance matrix is singular but not zero, so that the fit's information lacks what is free there.

    Fits of earlier versions that were saved without data hold what was computed as if there were none.
    """
    random = (component.theta for component in fit.components[:-1])
    return fit.design.has_rows and any(fit.boundary[where].any() and fit.theta[where].any() for where in random)


@cached_on_fit("derivatives-at-optimum")
def _known(fit: Fit) -> FixedDerivatives:
    """First derivatives and observed information in (theta, log sigma2): the fit knows them at its optimum."""
    assert fit.slopes is not None
    assert fit.information is not None
    free = np.append(~fit.boundary, True)
    P = np.concatenate([fit.slopes[~fit.boundary], -np.eye(fit.root.shape[1])[None]])
    observed = fit.information[np.ix_(free, free)]
    return FixedDerivatives(fit.root, P, None, None, observed, nullity=nullity(fit, "oim"))


@cached_on_fit("derivatives-random")
def _random(fit: Fit, information: str, second: bool) -> FixedDerivatives:
    """From the penalised system, factored at the optimum: for a fit with random effects and independent errors.

    With the observed information the singular covariance matrices keep their place on the boundary; for the expected one the
    system is factored again just inside of it. `second` asks for Q, which the expected information needs.
    """
    objective, orthogonal, at = refactor_at_optimum(fit)
    theta, boundary = fit.theta, fit.boundary
    if information == "oim":
        boundary = without_singular(objective.parameters, theta, boundary)
    elif boundary.any():
        theta, boundary = just_inside(objective.parameters, theta, boundary)
        at = objective.evaluate(theta)
    derivatives = objective.derivatives(at)
    layout = covariance_entries(objective.parameters, theta, boundary)
    root = covariance_root(at.sigma2, at.XVX_inverse)
    P, Q = precision_derivatives(at, derivatives.ZtE @ root, at.U @ root, layout, second)
    expected, observed = None, Observed()
    if information == "oim":
        observed = observed_information(fit, derivatives, layout, boundary)
    elif Q is not None:
        traces = expected_traces(at.system, at.factors, layout, at.sigma2)
        expected = 0.5 * (traces - 2.0 * np.einsum("klaa->kl", Q) + np.einsum("kab,lba->kl", P, P))
    return FixedDerivatives(
        root=orthogonal.root(root),
        P=P,
        Q=Q,
        expected=expected,
        observed=observed.information,
        on_face=observed.on_face,
        nullity=nullity(fit, information),
    )


def precision_derivatives(
    at: PenalizedEvaluation, ZtE: np.ndarray, U: np.ndarray, layout: list[CovarianceEntry], second: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """P (m + 1, p, p), and Q (m + 1, m + 1, p, p) if wanted.

    Parameters
    ----------
    ZtE, U : (q, p)
        Z'inv(V0)X and inv(M)Lambda'Z'X, times the root of Phi.
    """
    p, m, s = ZtE.shape[1], len(layout), at.sigma2
    T, cp = ZtE / s, at.cp
    unit, inner = np.eye(p), U.T @ U
    P = np.empty((m + 1, p, p))
    for k, parameter in enumerate(layout):
        P[k] = -_between(cp, parameter, T, T)
    P[m] = -(unit - inner / s) / s
    if not second:
        return P, None
    Q = np.empty((m + 1, m + 1, p, p))
    for j, parameter in enumerate(layout):
        through = _through(at, _moved(cp, parameter, T)) / s
        for k, other in enumerate(layout):
            Q[k, j] = _between(cp, other, T, through)
    spread = times_lambda(cp, at.factors, U)
    through = _through(at, spread)
    for k, parameter in enumerate(layout):
        # Z'inv(V0)inv(V0)X = Z'E - H Lambda U
        Q[k, m] = _between(cp, parameter, T, ZtE - through) / s**2
        Q[m, k] = Q[k, m].T
    Q[m, m] = (s * unit - 2.0 * inner + spread.T @ through) / s**3
    return P, Q


def _block(cp: CrossProducts, parameter: CovarianceEntry, values: np.ndarray) -> np.ndarray:
    """The rows of a parameter's block: (J, m, p) of values (q, p)."""
    t = parameter.term
    return values[cp.slices[t]].reshape(cp.n_groups[t], cp.k[t], -1)[:, parameter.columns]


def _between(cp: CrossProducts, parameter: CovarianceEntry, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left'(I x B)right, (p, p)."""
    a, b = _block(cp, parameter, left), parameter.basis @ _block(cp, parameter, right)
    return np.tensordot(a, b, axes=([0, 1], [0, 1]))


def _moved(cp: CrossProducts, parameter: CovarianceEntry, values: np.ndarray) -> np.ndarray:
    """(I x B)values, (q, p)."""
    out = np.zeros_like(values)
    t = parameter.term
    target = out[cp.slices[t]].reshape(cp.n_groups[t], cp.k[t], -1)
    target[:, parameter.columns] = parameter.basis @ _block(cp, parameter, values)
    return out


def _through(at: PenalizedEvaluation, values: np.ndarray) -> np.ndarray:
    """H values = (A - A Lambda N Lambda'A) values, (q, p)."""
    cp, system, factors = at.cp, at.system, at.factors
    first = system.times_ZtZ(values)
    solved = system.solve(times_lambda(cp, factors, first, transpose=True))
    return first - system.times_ZtZ(times_lambda(cp, factors, solved))
