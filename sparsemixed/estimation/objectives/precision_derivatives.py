"""Exact derivatives in (theta, rho, log sigma2) with correlated errors.

A residual parameter moves Q = inv(R), hence the cross-products: A_k = Z'Q_kZ with Q_k = dQ / drho_k, and M_k =
Lambda'A_kLambda. Every formula of `penalized_derivatives` has its twin: the penalised residual e contributes e'Q_k e to
pwrss, the columns E of X - ZLambdaU give E'Q_k E, and g_k = -(X'Q_k e, Lambda'Z'Q_k e). Second derivatives in rho enter only
as sums of d2Q with one weight per entry of its pattern, Psi = ZLambda N Lambda'Z' + E Phi E' + ee' / sigma2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.estimation.interface import Curvature
from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedDeviance, PenalizedEvaluation
from sparsemixed.estimation.penalties import with_curvature, with_slopes
from sparsemixed.solver.crossproducts.block_products import diagonal_sums, quadratic_form, symmetric_product, times_lambda
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.crossproducts.weighted_rows import WeightedRows
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.factored.traces import trace_products
from sparsemixed.solver.linalg import bordered
from sparsemixed.solver.residual.precision import Products


class ScoreRows(NamedTuple):
    """X'Qe (m, p) and e'Qe (m,) of what scores are summed of, rows or whole residual groups, and the first row of each (m,)."""

    fixed: np.ndarray
    squares: np.ndarray
    first: np.ndarray


class PrecisionDerivatives(PenalizedDerivatives):
    """Derivatives at one evaluation of a `PrecisionObjective`.

    Parameters
    ----------
    objective : PenalizedDeviance
    evaluation : PenalizedEvaluation
        Its cross-products are those in inv(R(rho)).
    rows : WeightedRows
    precision : Products
        On the same rows.
    """

    def __init__(
        self,
        objective: PenalizedDeviance[FactoredSystem],
        evaluation: PenalizedEvaluation[FactoredSystem],
        rows: WeightedRows,
        precision: Products,
    ):
        super().__init__(objective, evaluation)
        self.rows, self._precision = rows, precision
        self.rho = evaluation.theta[objective.parameters.n_theta :]

    @lazy_property
    def residual_changes(self) -> tuple[list[CrossProducts], np.ndarray, np.ndarray]:
        """Cross-products of every Q_k, their entries (n_rho, nnz) and the derivatives of log|R| by group (n_rho, J)."""
        data, logdet = self._precision.derivatives(self.rho)
        return [self.rows.cross_products(d) for d in data], data, logdet

    @lazy_property
    def row_residuals(self) -> np.ndarray:
        """(n, p + 1): X - ZLambdaU and y - Xbeta - ZLambdau, row by row."""
        at, p = self.at, self.p
        out = self.rows.Xy.copy()
        out[:, p] -= self.rows.Xy[:, :p] @ at.beta
        b = times_lambda(at.cp, self.factors, np.column_stack([at.U, at.u]))
        for term, where in zip(self.rows.terms, at.cp.slices, strict=True):
            effects = b[where].reshape(term.n_groups, term.columns.shape[1], p + 1)
            out -= np.einsum("nk,nkc->nc", term.columns, effects[term.codes])
        return out

    @lazy_property
    def row_weights(self) -> np.ndarray:
        """Psi on the pattern of Q (nnz,)."""
        rows, at, p = self.rows, self.at, self.p
        residual = self.row_residuals
        r, s = rows.row, rows.indices
        psi = residual[r, p] * residual[s, p] / at.sigma2
        if self.reml:
            psi += np.einsum("ea,ea->e", (residual[:, :p] @ at.XVX_inverse)[r], residual[s, :p])
        half = [term.columns @ factor for term, factor in zip(rows.terms, self.factors, strict=True)]
        head = rows.terms[0]
        psi += np.einsum("ea,eab,eb->e", half[0][r], self.inverse.first[head.codes[r]], half[0][s])
        if not rows.empty_head:
            for t, (term, cell) in enumerate(zip(rows.terms[1:], rows.cells, strict=True)):
                k = term.columns.shape[1]
                # N between the head's group of r (that of s) and the level of s, and its mirror image.
                for a in range(k):
                    between = self.inverse.cross[cell + a]
                    psi += np.einsum("eb,eb->e", half[0][r], between[s]) * half[t + 1][s, a]
                    psi += np.einsum("eb,eb->e", half[0][s], between[r]) * half[t + 1][r, a]
        for pair, n in zip(rows.pairs, self.inverse.pairs, strict=True):
            t, u, _, _, cell, by_entry = pair
            left, right = half[t + 1], half[u + 1]
            blocks = n[cell] if by_entry else n[cell[s if rows.constant[t] else r]]
            value = np.einsum("ea,eab,eb->e", left[r], blocks, right[s])
            psi += value
            if t != u:
                mirrored = n[self._mirror_cells(pair)] if by_entry else n[cell[r if rows.constant[t] else s]]
                psi += np.einsum("ea,eab,eb->e", left[s], mirrored, right[r])
        return psi

    @lazy_property
    def residual_products(self) -> np.ndarray:
        """ee' on the pattern of Q (nnz,)."""
        e, rows = self.row_residuals[:, -1], self.rows
        return e[rows.row] * e[rows.indices]

    def score_rows(self) -> ScoreRows:
        """What scores are summed of."""
        e, rows = self.row_residuals[:, -1], self.rows
        weighted = rows.matrix(self._precision.values(self.rho)[0]) @ e
        return ScoreRows(weighted[:, None] * rows.Xy[:, :-1], e * weighted, np.arange(e.size))

    def _mirror_cells(self, pair: tuple) -> np.ndarray:
        """Cell of entry (s, r) for every entry (r, s)."""
        rows = self.rows
        t, u, levels, others, _, _ = pair
        key = (
            rows.terms[t + 1].codes[rows.indices].astype(np.int64) * rows.terms[u + 1].n_groups
            + rows.terms[u + 1].codes[rows.row]
        )
        return np.searchsorted(levels * rows.terms[u + 1].n_groups + others, key)

    @lazy_property
    def gradient(self) -> np.ndarray:
        """Gradient (n_theta,) of the profiled deviance."""
        _, data, logdet = self.residual_changes
        determinant, square = self._gradient_parts
        whole = np.concatenate([determinant + square / self.at.sigma2, logdet.sum(axis=1) + data @ self.row_weights])
        return with_slopes(self.prior, self.at, whole)

    @lazy_property
    def _full_square_gradient(self) -> np.ndarray:
        """Derivative (n_theta,) of pwrss / sigma2 in (theta, rho)."""
        _, data, _ = self.residual_changes
        own = data @ self.residual_products
        return np.concatenate([self._gradient_parts[1], own]) / self.at.sigma2

    @property
    def knows_average(self) -> bool:
        """True: the exact Hessian stands in its place."""
        return True

    @lazy_property
    def average_information(self) -> Curvature:
        """The exact Hessian: the average information would need the same cross-products."""
        return self.observed_information

    @lazy_property
    def observed_information(self) -> Curvature:
        """Exact Hessian of the deviance in (theta, rho, log sigma2)."""
        cp, own = self.at.cp, len(self.directions)
        changes = self.residual_changes[0]
        n = own + len(changes)
        hessian = np.zeros((n, n))
        moves = [symmetric_product(cp, direction, self.factors) for direction in self.directions]
        moves += [quadratic_form(change, self.factors, self.factors) for change in changes]
        hessian -= trace_products(self.at.system, moves)
        # tr(N M_kl): theta against theta, theta against rho (rho against rho is in Psi).
        sums = [diagonal_sums(cp, self.inverse, direction) for direction in self.directions]
        second = np.array([self._contract([s.T for s in each]) for each in sums]).reshape(own, own)
        hessian[:own, :own] += second + second.T
        for k, change in enumerate(changes):
            mixed = 2.0 * self._contract([s.T for s in diagonal_sums(change, self.inverse, self.factors)])
            hessian[:own, own + k] += mixed
            hessian[own + k, :own] += mixed
        hessian[own:, own:] += self._precision.second(self.rho, self.row_weights)
        hessian += self._quadratic(self.at.u[:, None], self.Zte[:, None], last=True) / self.at.sigma2
        if self.reml and self.p:
            hessian += self._quadratic(self.at.U, self.ZtE, last=False)
        found = Curvature(self.gradient, bordered(hessian, -self._full_square_gradient, self.df))
        return with_curvature(self.prior, self, found)

    def _quadratic(self, u: np.ndarray, Ze: np.ndarray, last: bool) -> np.ndarray:
        """Second derivatives of the minimised squares of y (`last`) or, contracted with Phi, of the columns of X.

        u (q, c) and Ze = Z'Qe (q, c) for the c columns. The part with d2Q is in Psi.
        """
        cp, system, p = self.at.cp, self.at.system, self.p
        phi = self.at.XVX_inverse
        b = times_lambda(cp, self.factors, u)
        moved = [times_lambda(cp, d, u) for d in self.directions]
        through = [cp.matrix @ m for m in moved]
        back = [times_lambda(cp, d, Ze, transpose=True) for d in self.directions]
        g_u = [times_lambda(cp, self.factors, t, transpose=True) - s for t, s in zip(through, back, strict=True)]
        g_x = [cp.ZtXy[:, :p].T @ m for m in moved]
        changed = []
        for change in self.residual_changes[0]:
            contrast = self._contrast(last)
            Zr = change.ZtXy @ contrast - change.matrix @ b
            Xr = change.XytXy[:p] @ contrast - change.ZtXy[:, :p].T @ b
            changed.append((Zr, Xr))
            g_u.append(-times_lambda(cp, self.factors, Zr, transpose=True))
            g_x.append(-Xr)
        solved = [system.solve(g) for g in g_u]
        own, n = len(moved), len(g_u)
        weight = np.ones((1, 1)) if last else phi
        out = np.zeros((n, n))
        for k in range(n):
            for l in range(n):
                gram = -g_u[k].T @ solved[l]
                if k < own and l < own:
                    gram = gram + moved[k].T @ through[l]
                elif k < own:
                    gram = gram - moved[k].T @ changed[l - own][0]
                elif l < own:
                    gram = gram - changed[k - own][0].T @ moved[l]
                out[k, l] = 2.0 * np.vdot(gram, weight)
        if last:
            reached = [cp.ZtXy[:, :p].T @ times_lambda(cp, self.factors, each) for each in solved]
            x = np.column_stack([direct - back for direct, back in zip(g_x, reached, strict=True)])
            return out - 2.0 * x.T @ phi @ x
        products = phi @ self.fixed_slopes
        return out - np.array([[np.vdot(a, c.T) for c in products] for a in products])

    def _contrast(self, last: bool) -> np.ndarray:
        """Columns of [X y] whose residuals are meant: y - X beta, or every column of X; (p + 1, c)."""
        p = self.p
        if last:
            return np.append(-self.at.beta, 1.0)[:, None]
        return np.vstack([np.eye(p), np.zeros((1, p))])

    @lazy_property
    def fixed_slopes(self) -> np.ndarray:
        """Derivative (n_theta, p, p) of X'inv(V0)X in (theta, rho): -(Z'QE)'D_kU - transpose, and E'Q_kE."""
        p, b = self.p, times_lambda(self.at.cp, self.factors, self.at.U)
        own = super().fixed_slopes
        changes = np.empty((len(self.residual_changes[0]), p, p))
        for k, change in enumerate(self.residual_changes[0]):
            Zr = change.ZtXy[:, :p] - change.matrix @ b
            moved = change.XytXy[:p, :p] - change.ZtXy[:, :p].T @ b - b.T @ Zr
            changes[k] = (moved + moved.T) / 2
        return np.concatenate([own, changes])

    @lazy_property
    def whitened_slopes(self) -> np.ndarray:
        """C' times the derivative of X'inv(V0)X times C, (n_theta, p, p)."""
        return self._root.T @ self.fixed_slopes @ self._root

    @lazy_property
    def score_slopes(self) -> np.ndarray:
        """Derivative (n_theta, p) of X'inv(V0)(y - X beta) in (theta, rho), beta held: E'Q_k e for a parameter of the errors."""
        p, at = self.p, self.at
        b, fixed = (times_lambda(at.cp, self.factors, effects) for effects in (at.u[:, None], at.U))
        contrast = self._contrast(last=True)
        changes = np.empty((len(self.residual_changes[0]), p))
        for k, change in enumerate(self.residual_changes[0]):
            Zr = change.ZtXy @ contrast - change.matrix @ b
            Xr = change.XytXy[:p] @ contrast - change.ZtXy[:, :p].T @ b
            changes[k] = (Xr - fixed.T @ Zr)[:, 0]
        return np.concatenate([super().score_slopes, changes])
