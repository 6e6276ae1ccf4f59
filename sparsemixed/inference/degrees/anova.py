"""ANOVA degrees of freedom: a covariate with random coefficients has as many as its groups less one."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.values import RandomTerm
from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.method import PerCoefficient
from sparsemixed.inference.degrees.tied_columns import tied_columns
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.solver.crossproducts.block_products import repeated_blocks, times_lambda
from sparsemixed.solver.factored.traces import trace_products


class Anova(PerCoefficient):
    """Smallest number of groups less one over the equations that hold the covariate, else n - rank(X, Z).

    The constant is a covariate like any other: random intercepts hold it. Coefficients that constraints tie share the smallest.
    """

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) by the random-effects equation that holds the column."""
        design, parts = fit.design, tied_columns(fit)
        holding = [
            [term.n_groups - 1.0 for term in design.random for j in part.coefficients if _holds(term, design.X[:, j])]
            for part in parts
        ]
        rest = float(design.X.shape[0] - rank_of_design(fit)) if not all(holding) else 0.0
        df = np.full(len(fit.beta), np.nan)
        for part, groups in zip(parts, holding, strict=True):
            df[part.coefficients] = min(groups) if groups else rest
        return df


def _holds(term: RandomTerm, column: np.ndarray) -> bool:
    return bool(np.any(np.all(term.columns == column[:, None], axis=0)))


@cached_on_fit("anova-rank")
def rank_of_design(fit: Fit) -> int:
    """rank [X, Z] without forming either one densely.

    With random effects of a huge variance c^2, N = inv(I + c^2 Z'Z) is the projection on the null space of Z up to terms
    1 / (c^2 d_i), which tr(N N) squares away; and X'inv(V0)X, for orthonormal X, has eigenvalues of order 1 / c^2 for
    combinations of columns that Z spans.
    """
    if not fit.design.random:
        return fit.design.rank
    objective = refactor_at_optimum(fit)[0]
    cp, p = objective.cp, objective.p
    factors = []
    for where, k, j in zip(cp.slices, cp.k, cp.n_groups, strict=True):
        size = cp.matrix.diagonal()[where].reshape(j, k).mean(axis=0)
        factors.append(np.diag(1e4 / np.sqrt(np.where(size > 0, size, 1.0))))
    system = objective.system.factor(factors)
    null = float(trace_products(system, [repeated_blocks(cp, [np.eye(k) for k in cp.k])])[0, 0])
    scaled = times_lambda(cp, factors, cp.ZtXy[:, :p], transpose=True)
    remaining = cp.full_XytXy[:p, :p] - scaled.T @ system.solve(scaled)
    outside = int(np.sum(np.linalg.eigvalsh((remaining + remaining.T) / 2) > 1e-6)) if p else 0
    return round(cp.q - null) + outside
