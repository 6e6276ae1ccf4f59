"""The penalised deviance where all random effects belong to one set of independent groups: sums over them in compiled passes.

The values are those of `PenalizedObjective`, whose system of the random effects is factored only for whoever asks for it (EM,
average information). With S_k = D_k lambda' + lambda D_k', H_i and B_i as in `solver.groups.roots`, and W = [X y]'inv(V0)[X y]:

- log|V0|: gradient tr(H S_k), Hessian 2 tr(D_k'H D_l) - tr(H S_k H S_l), summed over groups;
- W: gradient -B'S_k B, Hessian -2 B'D_k D_l'B + B'S_k H S_l B + B'S_l H S_k B, summed over groups,

of which pwrss takes v'Wv with v = [-beta, 1], and log|X'inv(V0)X| the upper left block. Groups with weights D_i count D_i times.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import Curvature, Predictions
from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.system import FactoredSystem, PenalizedSystem
from sparsemixed.solver.groups.pooled import GroupProducts
from sparsemixed.solver.groups.profiled import ProfiledSums
from sparsemixed.solver.groups.roots import MomentSums
from sparsemixed.solver.interface import LinearSystem
from sparsemixed.solver.linalg import semidefinite_root
from sparsemixed.solver.recent import Factorization

BROKE_DOWN = "the random-effects system broke down: variances differ by too many orders of magnitude"


class GroupsObjective(PenalizedObjective):
    """The deviance of one data set with one term; parameters as of `PenalizedDeviance`.

    Parameters
    ----------
    often : bool
        Whether there are few groups, and so many problems like this one that it is worth to compile what is done between sums.
    """

    def __init__(
        self,
        cp: CrossProducts,
        system: LinearSystem[FactoredSystem],
        parameters: ThetaMap,
        reml: bool,
        often: bool = False,
    ):
        super().__init__(cp, system, parameters, reml)
        self.often = often
        weights = None if np.all(system.weights[0] == 1.0) else system.weights[0]
        self._products = GroupProducts(cp.first, cp.ZtXy.reshape(cp.n_groups[0], cp.k[0], self.p + 1), weights)
        self.roots = self._products.roots()
        self.rest = cp.full_XytXy - self.roots.explained
        self.moves = np.array([direction[0] for direction in self.directions]).reshape(-1, cp.k[0], cp.k[0])
        self.flat_moves = self.moves.reshape(len(self.moves), -1)

    @cached_property
    def faces(self) -> np.ndarray:
        """(f, n_theta): the forms in theta of all singular faces."""
        return self.parameters.face_forms()

    def pooled(self) -> GroupsObjective:
        """The same deviance with groups of one kind taken together, for whoever evaluates it often and predicts nothing.

        Itself where they are all different.
        """
        products = self._products.pooled()
        if products is None:
            return self
        found = copy(self)
        found.roots = products.roots()
        return found

    def evaluate(self, theta: np.ndarray) -> PenalizedEvaluation[FactoredSystem]:
        """Sum over groups at theta, and solve for beta and sigma2."""
        # Of a fit with correlated errors theta goes on with their parameters: here errors are independent.
        factor = (theta[: self.n_theta] @ self.flat_moves).reshape(self.roots.k, self.roots.k)
        self.factorizations += 1
        if self.often and self.prior is None:
            quick = ProfiledSums(self.roots, self.rest, self.reml)
            deviance, pwrss = quick.profile(factor, self.df)
            if np.isfinite(deviance):  # else what broke down is told below
                known = (theta.copy(), deviance, quick.beta, pwrss, pwrss / self.df, quick.inverse)
                return PenalizedEvaluation(*known, *self._parts(factor))
        gram, logdet = self.roots.deviance(factor)
        if not np.isfinite(logdet):
            raise NumericalError(BROKE_DOWN)
        return self._profiled(theta, self.rest + gram, logdet, self._parts(factor))

    def _parts(self, factor: np.ndarray) -> tuple:
        """`cp`, `factors`, `factorization` and `solution` of an evaluation."""
        return self.cp, [factor], Factorization(lambda: self.system.factor([factor]), self._recent), None

    def derivatives(self, at: PenalizedEvaluation[FactoredSystem]) -> GroupsDerivatives:
        """Derivatives at one of its own evaluations."""
        return GroupsDerivatives(self, at)

    def known(
        self, theta: np.ndarray, deviance: float, beta: np.ndarray, pwrss: float, inverse: np.ndarray, curves: Curves
    ) -> GroupsDerivatives:
        """Derivatives at an evaluation whose numbers have been computed elsewhere; names as of `PenalizedEvaluation`."""
        factor = (theta @ self.flat_moves).reshape(self.roots.k, self.roots.k)
        at = PenalizedEvaluation(theta, deviance, beta, pwrss, pwrss / self.df, inverse, *self._parts(factor))
        return GroupsDerivatives(self, at, curves)

    def with_response(self, cp: CrossProducts, data: np.ndarray, rest: np.ndarray) -> GroupsObjective:
        """The objective of another response: with its cross-products, its `data` of the groups and their `rest`."""
        assert isinstance(self.system, PenalizedSystem)
        other = copy(self)
        other.cp, other.system, other.roots, other.rest = cp, self.system.with_products(cp), self.roots.with_data(data), rest
        other._products = replace(self._products, right=cp.ZtXy.reshape(cp.n_groups[0], cp.k[0], self.p + 1))
        return other

    def predictions(self, design: Design, derivatives: PenalizedDerivatives) -> Predictions:
        """Random effects and their prediction-error covariance."""
        at = derivatives.at
        spread = semidefinite_root(at.XVX_inverse) if self.reml and self.p else np.zeros((self.p, 0))
        spread = np.concatenate([spread, np.zeros((1, spread.shape[1]))])
        means, variances = self.roots.predictions(at.factors[0], _against_y(at.beta), spread, at.sigma2)
        return (means,), (variances,)


class Curves(NamedTuple):
    """Gradient (n_theta,) of the profiled deviance, Hessian (n_theta + 1, n_theta + 1) in (theta, log sigma2), and derivatives
    (n_theta, P, P) of [X y]'inv(V0)[X y].
    """

    gradient: np.ndarray
    hessian: np.ndarray
    slopes: np.ndarray


class GroupsDerivatives(PenalizedDerivatives):
    """Exact derivatives at one evaluation, from one pass over the groups; without it where the `curves` are known."""

    def __init__(self, objective: GroupsObjective, evaluation: PenalizedEvaluation[FactoredSystem], curves: Curves | None = None):
        super().__init__(objective, evaluation)
        self._roots, self._moves = objective.roots, objective.moves
        if curves is not None:
            own = {"gradient": curves.gradient, "_slopes": curves.slopes}
            vars(self).update(own, observed_information=Curvature(curves.gradient, curves.hessian))

    @lazy_property
    def _columns(self) -> np.ndarray:
        """(P, c): columns whose squares in inv(V0) are pwrss / sigma2 and, under REML, the trace of Phi X'inv(V0)X."""
        at, p = self.at, self.p
        residual = _against_y(at.beta)[:, None] / np.sqrt(at.sigma2)
        if not (self.reml and p):
            return residual
        root = np.concatenate([semidefinite_root(at.XVX_inverse), np.zeros((1, p))])
        return np.concatenate([residual, root], axis=1)

    @lazy_property
    def _moments(self) -> MomentSums:
        return self._roots.moments(self.at.factors[0], self._columns)

    @lazy_property
    def _changes(self) -> np.ndarray:
        """S_k (n_theta, k, k): derivatives of lambda lambda'."""
        return factor_changes(self._moves, self.at.factors[0])

    @lazy_property
    def _flat(self) -> np.ndarray:
        """The same, (n_theta, k^2)."""
        return self._changes.reshape(len(self._moves), -1)

    @lazy_property
    def _slopes(self) -> np.ndarray:
        """Derivative (n_theta, p + 1, p + 1) of [X y]'inv(V0)[X y]."""
        return gram_slopes(self._flat, self._moments.B)

    @lazy_property
    def _gradient_parts(self) -> tuple[np.ndarray, np.ndarray]:
        v = _against_y(self.at.beta)
        determinant = self._flat @ self._moments.H.ravel()
        if self.reml:
            determinant = determinant + self.fixed_slopes.reshape(len(self._moves), -1) @ self.at.XVX_inverse.ravel()
        return determinant, self._slopes @ v @ v

    @lazy_property
    def fixed_slopes(self) -> np.ndarray:
        """Derivative (n_theta, p, p) of X'inv(V0)X."""
        return self._slopes[:, : self.p, : self.p]

    @lazy_property
    def whitened_slopes(self) -> np.ndarray:
        """C' times the derivative of X'inv(V0)X times C, (n_theta, p, p)."""
        return self._root.T @ self.fixed_slopes @ self._root

    @lazy_property
    def score_slopes(self) -> np.ndarray:
        """Derivative (n_theta, p) of X'inv(V0)(y - X beta), beta held."""
        return self._slopes[:, : self.p] @ _against_y(self.at.beta)

    @lazy_property
    def observed_information(self) -> Curvature:
        """Exact Hessian of the deviance."""
        at = self.at
        hessian = theta_hessian(self._moves, self._flat, self._moments, self._columns)
        if self.p:
            hessian = with_fixed(hessian, self.score_slopes, at.XVX_inverse, at.sigma2, self.fixed_slopes if self.reml else None)
        return self._with_sigma(hessian)


def _against_y(beta: np.ndarray) -> np.ndarray:
    """(P,): [-beta, 1]."""
    return np.append(-beta, 1.0)


def factor_changes(moves: np.ndarray, lam: np.ndarray) -> np.ndarray:
    """S_k (n_theta, k, k), the derivatives of lambda lambda', from those of lambda."""
    half = moves @ lam.T
    return half + half.transpose(0, 2, 1)


def gram_slopes(flat: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Derivative (n_theta, P, P) of [X y]'inv(V0)[X y], from S (n_theta, k^2) and the sums B (k, k, P, P)."""
    n, P = len(flat), B.shape[-1]
    return -(flat @ B.reshape(-1, P * P)).reshape(n, P, P)


def theta_hessian(D: np.ndarray, flat: np.ndarray, moments: MomentSums, columns: np.ndarray) -> np.ndarray:
    """Hessian (n_theta, n_theta) of the deviance but for what it owes to the estimation of coefficients.

    Parameters
    ----------
    D : (n_theta, k, k)
    flat : (n_theta, k^2)
        S, each flat.
    columns : (P, c)
        As of `GroupsDerivatives`.
    """
    n, k = len(D), D.shape[1]
    squares = (moments.B.reshape(k * k, -1) @ (columns @ columns.T).ravel()).reshape(k, k)
    # Entry (ab, cd) multiplies S_k[a, b] S_l[c, d]: H_bc H_da, and H_bc (C C')_da twice.
    products = (2.0 * moments.HC - moments.HH).transpose(3, 0, 1, 2).reshape(k * k, k * k)
    hessian = flat @ products @ flat.T
    hessian += 2.0 * D.reshape(n, -1) @ ((moments.H - squares) @ D).reshape(n, -1).T
    return hessian


def with_fixed(
    hessian: np.ndarray, score_slopes: np.ndarray, inverse: np.ndarray, sigma2: float, fixed_slopes: np.ndarray | None
) -> np.ndarray:
    """That Hessian with what it owes to coefficients; under REML also to log|X'inv(V0)X|, whose `fixed_slopes` are given."""
    n = len(hessian)
    hessian -= 2.0 / sigma2 * score_slopes @ inverse @ score_slopes.T
    if fixed_slopes is not None:
        first = inverse @ fixed_slopes
        hessian -= first.reshape(n, -1) @ first.transpose(0, 2, 1).reshape(n, -1).T
    return hessian
