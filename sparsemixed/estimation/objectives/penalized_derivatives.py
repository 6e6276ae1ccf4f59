"""Exact gradient and Hessians of the deviance in (theta, log sigma2), from q- and p-sized objects only.

Because Lambda is linear in theta, every second derivative is a product of first ones. With e the residual, E = X - ZLambdaU,
u the spherical random effects and D_k = dLambda / dtheta_k (formulas derived on the documentation page on derivatives):

- log|M|: gradient 2 tr(N Lambda'A D_k); Hessian 2 tr(N D_l'A D_k) - tr(N M_k N M_l);
- pwrss: gradient -2 (Z'e)'D_k u; Hessian 2 (D_k u)'A(D_l u) - 2 g_k'inv(K) g_l with K the mixed-model matrix and
  g_k = (X'Z D_k u, Lambda'A D_k u - D_k'Z'e);
- log|X'inv(V0)X|: the same bilinear forms with the columns of X in place of y.

The *average information* replaces the one trace that needs more than the selected inverse, tr(P V_k P V_l), by
y'P V_k P V_l P y (Gilmour, Thompson & Cullis 1995; Johnson & Thompson 1995), with the second-derivative term kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic

import numpy as np

from sparsemixed.design.deferred import Later
from sparsemixed.design.values import Design
from sparsemixed.estimation.interface import Curvature
from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedDeviance, PenalizedEvaluation
from sparsemixed.estimation.penalties import with_curvature, with_slopes
from sparsemixed.solver.crossproducts.block_products import Pattern, diagonal_sums, products, stacks, times_lambda
from sparsemixed.solver.crossproducts.crossproducts import own_blocks
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.interface import S
from sparsemixed.solver.linalg import FEW, LARGE, bordered, less_symmetric_product, semidefinite_root, times_lower

LARGEST_CONDITION = 1e8
"""Of a Lambda_t by whose inverse sums are divided: half of the digits are left."""
MODERATE_CONDITION = 1e4
"""Of a Lambda_t by whose inverse columns are divided: twelve digits are left, as many as sums over rows keep."""


class PenalizedScore(ABC, Generic[S]):
    """Gradient and average information at one evaluation, by any solver; computes each shared piece once.

    Parameters
    ----------
    objective : PenalizedDeviance
    evaluation : PenalizedEvaluation
    """

    def __init__(self, objective: PenalizedDeviance[S], evaluation: PenalizedEvaluation[S]):
        self.at, self.reml, self.p, self.df = evaluation, objective.reml, objective.p, objective.df
        self.factors, self.directions, self.prior = evaluation.factors, objective.directions, objective.prior

    @lazy_property
    def _residuals(self) -> np.ndarray:
        """Z'[E e], (q, p + 1)."""
        at, cp, p = self.at, self.at.cp, self.p
        columns = np.column_stack([at.U, at.u])
        fixed = cp.ZtXy.copy()
        fixed[:, p] -= cp.ZtXy[:, :p] @ at.beta
        return fixed - at.system.times_ZtZ(times_lambda(cp, self.factors, columns))

    def effects_later(self, design: Design) -> tuple[dict[str, Any], Later] | None:
        """Random effects as named, and what makes the rest of `effects_of` when it is read; None where all takes little time."""
        return None

    @property
    def ZtE(self) -> np.ndarray:
        """(q, p)"""
        return self._residuals[:, : self.p]

    @property
    def Zte(self) -> np.ndarray:
        """(q,)"""
        return self._residuals[:, self.p]

    @lazy_property
    def sums(self) -> list[np.ndarray]:
        """For each term the (k, k) sum over its groups of the diagonal blocks of N Lambda'A."""
        return self._diagonal_sums()

    @abstractmethod
    def _diagonal_sums(self) -> list[np.ndarray]:
        """For each term the (k, k) sum over its groups of the diagonal blocks of N Lambda'A."""

    def outer(self, left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
        """For each term the (k, k) sum over groups of left_i right_i'; left, right (q, m)."""
        cp = self.at.cp
        return [
            np.einsum("iac,ibc->ab", left[s].reshape(j, k, left.shape[1]), right[s].reshape(j, k, right.shape[1]))
            for s, k, j in zip(cp.slices, cp.k, cp.n_groups, strict=True)
        ]

    @lazy_property
    def _gradient_parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of the log-determinants and of pwrss, each (n_theta,)."""
        at = self.at
        determinant = [2.0 * s.T for s in self.sums]
        if self.reml:
            for d, x in zip(determinant, self._outer_fixed(), strict=True):
                d -= 2.0 * x
        square = [-2.0 * s for s in self.outer(self.Zte[:, None], at.u[:, None])]
        return self._contract(determinant), self._contract(square)

    def _contract(self, matrices: list[np.ndarray]) -> np.ndarray:
        """(n_theta,) inner products of one matrix per term with every direction."""
        return sum(
            (np.tensordot(d, m, axes=((1, 2), (0, 1))) for d, m in zip(self._stacks, matrices, strict=True)),
            np.zeros(len(self.directions)),
        )

    @lazy_property
    def _stacks(self) -> list[np.ndarray]:
        """For each term its part (n_theta, k, k) of every direction."""
        return stacks(self.directions, self.at.cp.k)

    @lazy_property
    def gradient(self) -> np.ndarray:
        """Gradient (n_theta,) of the profiled deviance."""
        determinant, square = self._gradient_parts
        return with_slopes(self.prior, self.at, determinant + square / self.at.sigma2)

    @lazy_property
    def _root(self) -> np.ndarray:
        """C (p, p) with CC' = Phi, the inverse of X'inv(V0)X."""
        return semidefinite_root(self.at.XVX_inverse)

    @lazy_property
    def whitened_U(self) -> np.ndarray:
        """UC, (q, p): of the columns XC, whose inner products in inv(V0) are the identity."""
        return times_lower(self.at.U, self._root)

    @lazy_property
    def _whitened_ZtE(self) -> np.ndarray:
        """Z'EC, (q, p): of the same columns."""
        return times_lower(self.ZtE, self._root)

    @lazy_property
    def fixed_blocks(self) -> list[np.ndarray]:
        """For each term the (J, k, k) diagonal blocks of U Phi U'."""
        cp, U = self.at.cp, self.whitened_U
        parts = (U[s].reshape(j, k, U.shape[1]) for s, k, j in zip(cp.slices, cp.k, cp.n_groups, strict=True))
        return [np.einsum("iac,ibc->iab", part, part) for part in parts]

    def _outer_fixed(self) -> list[np.ndarray]:
        """`outer` of Z'EC and UC."""
        return self.outer(self._whitened_ZtE, self.whitened_U)

    @lazy_property
    def whitened_slopes(self) -> np.ndarray:
        """C' times the derivative of X'inv(V0)X times C, (n_theta, p, p)."""
        halves = [m.T @ self._whitened_ZtE for m in self._moved(self.whitened_U)]
        return -np.array([half + half.T for half in halves]).reshape(len(halves), self.p, self.p)

    @lazy_property
    def fixed_slopes(self) -> np.ndarray:
        """Derivative (n_theta, p, p) of X'inv(V0)X."""
        halves = [m.T @ self.ZtE for m in self._moved(self.at.U)]
        return -np.array([half + half.T for half in halves]).reshape(len(halves), *self.at.XVX_inverse.shape)

    @lazy_property
    def score_slopes(self) -> np.ndarray:
        """Derivative (n_theta, p) of X'inv(V0)(y - X beta), beta held."""
        moved = self._moved(np.column_stack([self.at.U, self.at.u]))
        p = self.p
        halves = [m[:, :p].T @ self.Zte + self.ZtE.T @ m[:, p] for m in moved]
        return -np.array(halves).reshape(len(halves), p)

    def _moved(self, values: np.ndarray, transpose: bool = False) -> list[np.ndarray]:
        return [times_lambda(self.at.cp, d, values, transpose) for d in self.directions]

    def _moved_vector(self, values: np.ndarray, transpose: bool = False) -> np.ndarray:
        """(q, n_theta): one vector (q,) times every direction, or its transpose."""
        cp, n = self.at.cp, len(self.directions)
        out = np.empty((cp.q, n))
        for stack, where, k in zip(self._stacks, cp.slices, cp.k, strict=True):
            across = stack.transpose((1, 2, 0) if transpose else (2, 1, 0)).reshape(k, k * n)
            out[where] = (values[where].reshape(-1, k) @ across).reshape(-1, n)
        return out

    def _with_sigma(self, hessian: np.ndarray) -> Curvature:
        """Append log sigma2: d2/dlog sigma2^2 = pwrss / sigma2, d2/dtheta dlog sigma2 = -(d pwrss/dtheta) / sigma2."""
        found = Curvature(self.gradient, bordered(hessian, -self._gradient_parts[1] / self.at.sigma2, self.df))
        return with_curvature(self.prior, self, found)

    @lazy_property
    def _square_hessian(self) -> np.ndarray:
        """Hessian (n_theta, n_theta) of pwrss."""
        at, cp, system, p = self.at, self.at.cp, self.at.system, self.p
        moved = self._moved_vector(at.u)
        through = system.times_ZtZ(moved)
        back = self._moved_vector(self.Zte, transpose=True)
        g = times_lambda(cp, self.factors, through, transpose=True) - back
        solved = system.solve(g)
        x = cp.ZtXy[:, :p].T @ (moved - times_lambda(cp, self.factors, solved))
        return 2.0 * (moved.T @ through - g.T @ solved - x.T @ at.XVX_inverse @ x)

    @property
    def knows_average(self) -> bool:
        """False at a singular covariance.

        There the correction needs block sums of Z'inv(V0)Z in directions that the sums at hand, those with Lambda, do not see.
        """
        moved = [any(direction[t].any() for direction in self.directions) for t in range(len(self.factors))]
        return all(np.linalg.cond(factor) <= LARGEST_CONDITION for factor, m in zip(self.factors, moved, strict=True) if m)

    @lazy_property
    def average_information(self) -> Curvature:
        """Corrected average information in place of the Hessian: no work beyond the selected inverse."""
        at = self.at
        pulled = self._moved_vector(self.Zte, transpose=True)
        spread = 2.0 * self._same_term(pulled.T @ pulled)
        trace = 2.0 * self._second_order_traces()
        if self.reml:
            pulled_x = self._moved(self._whitened_ZtE, transpose=True)
            trace -= 2.0 * np.array([[np.vdot(a, b) for b in pulled_x] for a in pulled_x])
        return self._with_sigma(0.5 * self._square_hessian / at.sigma2 - 0.5 * spread / at.sigma2 + trace)

    def _same_term(self, matrix: np.ndarray) -> np.ndarray:
        """Directions of different terms touch different entries, so their product D_k D_l' is zero: said, not relied on."""
        term = np.array([next((t for t, d in enumerate(direction) if d.any()), 0) for direction in self.directions])
        return np.where(term[:, None] == term[None, :], matrix, 0.0)

    def _second_order_traces(self) -> np.ndarray:
        """tr(Z'inv(V0)Z D_k D_l'): the term's block sums of Z'inv(V0)Z are sums' inv(Lambda_t), no Lambda_t being singular."""
        n = len(self.directions)
        out = np.zeros((n, n))
        for factor, total, stack in zip(self.factors, self.sums, self._stacks, strict=True):
            block = total.T @ np.linalg.pinv(factor)  # of an effect held at zero, which no direction moves
            out += products(stack, (block + block.T) / 2)
        return out


class PenalizedDerivatives(PenalizedScore[FactoredSystem]):
    """Exact derivatives at one evaluation, by the factored system."""

    @lazy_property
    def _inverse_factors(self) -> list[np.ndarray] | None:
        """inv(Lambda') where its columns are many and it has an inverse; None elsewhere.

        From MU = Lambda'Z'X follows Lambda'Z'E = DU, and Lambda'Z'e = Du: of thousands of columns neither another product with
        Z'Z nor one with C is then needed, and U'D_k'Z'E becomes symmetric by terms.
        """
        if self.p < LARGE or not all(np.linalg.cond(factor) <= MODERATE_CONDITION for factor in self.factors):
            return None
        return [np.linalg.inv(factor.T) for factor in self.factors]

    def _weighted(self, values: np.ndarray) -> np.ndarray:
        """D values (q, m)."""
        cp, weights = self.at.cp, self.at.system.weights
        if all((w == 1.0).all() for w in weights):
            return values
        return np.concatenate([np.repeat(w, k) for w, k in zip(weights, cp.k, strict=True)])[:, None] * values

    def _back(self, inverse: list[np.ndarray], values: np.ndarray) -> np.ndarray:
        """inv(Lambda') D values (q, m)."""
        return times_lambda(self.at.cp, inverse, self._weighted(values))

    @lazy_property
    def ZtE(self) -> np.ndarray:
        """(q, p)"""
        inverse = self._inverse_factors
        return super().ZtE if inverse is None else self._back(inverse, self.at.U)

    @lazy_property
    def Zte(self) -> np.ndarray:
        """(q,)"""
        inverse = self._inverse_factors
        return super().Zte if inverse is None else self._back(inverse, self.at.u[:, None])[:, 0]

    @lazy_property
    def whitened_U(self) -> np.ndarray:
        """UC, (q, p)."""
        if self._inverse_factors is None:
            return super().whitened_U
        root = semidefinite_root(self.at.XVX_inverse)  # nothing else is multiplied with it
        return times_lower(self.at.U, root, in_place=self.at.many)

    @lazy_property
    def _whitened_ZtE(self) -> np.ndarray:
        inverse = self._inverse_factors
        return super()._whitened_ZtE if inverse is None else self._back(inverse, self.whitened_U)

    def _outer_fixed(self) -> list[np.ndarray]:
        inverse, U = self._inverse_factors, self.whitened_U
        if inverse is None:
            return super()._outer_fixed()
        return [back @ x for back, x in zip(inverse, self.outer(self._weighted(U), U), strict=True)]

    @lazy_property
    def whitened_slopes(self) -> np.ndarray:
        """C' times the derivative of X'inv(V0)X times C, (n_theta, p, p)."""
        inverse = self._inverse_factors
        if inverse is None:
            return super().whitened_slopes
        U, found = self.whitened_U, []
        for direction in self.directions:
            halves = [d.T @ back for d, back in zip(direction, inverse, strict=True)]
            moved = times_lambda(self.at.cp, [half + half.T for half in halves], self._weighted(U))
            found.append(less_symmetric_product(np.zeros(self.p), U, moved))
            del moved
        return found[0][None] if len(found) == 1 else np.array(found).reshape(-1, self.p, self.p)

    def _diagonal_sums(self) -> list[np.ndarray]:
        return diagonal_sums(self.at.cp, self.inverse, self.factors)

    @lazy_property
    def inverse(self) -> Pattern:
        """N on the pattern of Z'Z."""
        return self.at.system.inverse_blocks

    @lazy_property
    def average_information(self) -> Curvature:
        """Corrected average information; the exact Hessian where that is not known."""
        return super().average_information if self.knows_average else self.observed_information

    def inverse_diagonals(self) -> list[np.ndarray]:
        """For each term the (J, k, k) diagonal blocks of N."""
        return own_blocks(self.at.cp, self.inverse.first, self.inverse.pairs)

    @property
    def information(self) -> Curvature:
        """What standard errors rest on: the exact Hessian."""
        return self.observed_information

    @lazy_property
    def observed_information(self) -> Curvature:
        """Exact Hessian of the deviance."""
        from sparsemixed.solver.factored.traces import determinant_hessian  # delayed, with what it needs, for a quick start

        at = self.at
        hessian = self._square_hessian / at.sigma2
        if self.reml and self.p:
            hessian = hessian + self._fixed_hessian()
        # Last, because it may give up what the others solve with.
        return self._with_sigma(hessian + determinant_hessian(at.system, self.factors, self.directions))

    def _fixed_hessian(self) -> np.ndarray:
        """Hessian of log|X'inv(V0)X|: tr(Phi W_kl) - tr(Phi W_k Phi W_l) with W = X'inv(V0)X, all by columns XC."""
        inverse, first = self._inverse_factors, self.whitened_slopes.reshape(len(self.directions), -1)
        out = -first @ first.T
        for begin in range(0, self.p, LARGE):
            columns = slice(begin, begin + LARGE)
            U = self.whitened_U[:, columns]
            ZtE = self._whitened_ZtE[:, columns] if inverse is None else self._back(inverse, U)
            out += self._fixed_traces(ZtE, U)
        _ = self._gradient_parts  # needs these too, of which there may be thousands of columns: made once, and not kept
        for name in ("_whitened_ZtE", "_root"):
            vars(self).pop(name, None)
        if inverse is not None:
            _ = self.fixed_blocks  # all that is read of these columns later, while the next place has its own
            vars(self).pop("whitened_U", None)
        return out

    def _fixed_traces(self, ZtE: np.ndarray, U: np.ndarray) -> np.ndarray:
        """tr(Phi W_kl), what some of the columns XC, (q, c) in Z'EC and in UC, contribute to it."""
        cp, system, n = self.at.cp, self.at.system, len(self.directions)
        moved = np.column_stack(self._moved(U))
        through = system.times_ZtZ(moved)
        traces = _traces(n, moved, through)
        g = times_lambda(cp, self.factors, through, transpose=True)
        del moved, through
        g -= np.column_stack(self._moved(ZtE, transpose=True))
        return 2.0 * (traces - _traces(n, g, system.solve(g)))


def _traces(n: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(n, n) of tr(L_k'R_l), the L_k and R_l (q, c) side by side in left and right (q, n c)."""
    if left.shape[1] <= FEW:  # more products than are needed, and no copies
        return np.einsum("kclc->kl", (left.T @ right).reshape(n, -1, n, left.shape[1] // n))
    parts = (each.reshape(len(each), n, -1).transpose(1, 0, 2) for each in (left, right))
    first, second = (part.reshape(n, -1) for part in parts)
    return first @ second.T
