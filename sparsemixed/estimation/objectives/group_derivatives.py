"""The derivatives of `precision_derivatives` where residual groups are whitened as a whole: linear in rows for long groups.

What stands there for an entry of Q stands here for an entry of C'QC, the products of a residual group's columns C = [Z X y]. All
effects of a group's rows are the same, so that the residuals are C v with v = (-Lambda u, -beta, 1), those of X are C V, and the
weights of the entries are the (c, c) blocks Psi = [Lambda N Lambda', 0; 0, 0] + V Phi V' + vv' / sigma2.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedDeviance, PenalizedEvaluation
from sparsemixed.estimation.objectives.precision_derivatives import PrecisionDerivatives, ScoreRows
from sparsemixed.solver.crossproducts.block_products import times_lambda
from sparsemixed.solver.crossproducts.group_rows import GroupRows
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.residual.precision import Products


class GroupDerivatives(PrecisionDerivatives):
    """Derivatives at one evaluation, on `GroupRows`."""

    def __init__(
        self,
        objective: PenalizedDeviance[FactoredSystem],
        evaluation: PenalizedEvaluation[FactoredSystem],
        rows: GroupRows,
        precision: Products,
    ):
        # What reads single rows there is replaced here.
        super().__init__(objective, evaluation, cast(Any, rows), precision)
        self.rows = rows

    @lazy_property
    def _contrasts(self) -> np.ndarray:
        """(J, c, p + 1): V and v of every residual group."""
        rows, at, p = self.rows, self.at, self.p
        out = np.zeros((*rows.shape[:2], p + 1))
        fixed = rows.where[-1]
        out[:, fixed] = np.column_stack([np.eye(p + 1, p), np.append(-at.beta, 1.0)])
        b = times_lambda(at.cp, self.factors, np.column_stack([at.U, at.u]))
        for term, own, where, k in zip(rows.terms, at.cp.slices, rows.where[:-1], rows.k, strict=True):
            out[:, where] = -b[own].reshape(term.n_groups, k, p + 1)[term.codes]
        return out

    @lazy_property
    def residual_products(self) -> np.ndarray:
        """vv' (J c c,)."""
        v = self._contrasts[:, :, -1]
        return (v[:, :, None] * v[:, None, :]).ravel()

    def score_rows(self) -> ScoreRows:
        G = self._precision.values(self.rho)[0].reshape(self.rows.shape)
        v = self._contrasts[:, :, -1]
        weighted = np.einsum("jab,jb->ja", G, v)
        return ScoreRows(weighted[:, self.rows.where[-1]][:, :-1], np.einsum("ja,ja->j", v, weighted), self.rows.first)

    @lazy_property
    def row_weights(self) -> np.ndarray:
        """Psi (J c c,)."""
        rows, N, V = self.rows, self.inverse, self._contrasts[:, :, :-1]
        psi = self.residual_products.reshape(rows.shape) / self.at.sigma2
        if self.reml:
            psi = psi + V @ self.at.XVX_inverse @ V.swapaxes(1, 2)
        blocks = [(0, 0, N.first[rows.terms[0].codes])]
        for t, cell in enumerate(rows.cells):
            between = N.cross[cell[:, None] + np.arange(rows.k[t + 1])].swapaxes(1, 2)
            blocks += [(0, t + 1, between), (t + 1, 0, between.swapaxes(1, 2))]
        for (t, u, _, _, cell), n in zip(rows.pairs, N.pairs, strict=True):
            blocks.append((t + 1, u + 1, n[cell]))
            if t != u:
                blocks.append((u + 1, t + 1, n[cell].swapaxes(1, 2)))
        for t, u, block in blocks:
            psi[:, rows.where[t], rows.where[u]] += self.factors[t] @ block @ self.factors[u].T
        return psi.ravel()
