"""Draws of N(0, inv(M)) without a factor of M: the right-hand side is drawn, and the system solved (Papandreou & Yuille 2010).

With e ~ N(0, I) for rows and h ~ N(0, I) for effects, Lambda'Z'e + h has the covariance Lambda'Z'Z Lambda + I = M, and so
inv(M) of it that of inv(M): to the tolerance of conjugate gradients, at one pass over the rows and one solution (Pandolfi,
Papaspiliopoulos & Zanella 2024).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.bayesian.sums import MarginalSums
from sparsemixed.estimation.orthonormal import engine_terms
from sparsemixed.solver.crossproducts.block_products import times_lambda


def spherical_draws(sums: MarginalSums, random: np.random.Generator) -> Callable[..., np.ndarray]:
    """From an evaluation to one draw (q,) of N(0, inv(M)), by its factor where it has one."""
    if not sums.iterative:
        return lambda at: at.system.half_solve(random.standard_normal((at.cp.q, 1)))[:, 0]
    terms = engine_terms(sums.design, sums.layout)

    def draw(at) -> np.ndarray:
        cp, e = at.cp, random.standard_normal(len(sums.design.y))
        right = np.empty((cp.q, 1))
        for term, where in zip(terms, cp.slices, strict=True):
            columns = [np.bincount(term.codes, weights=column * e, minlength=term.n_groups) for column in term.columns.T]
            right[where, 0] = np.column_stack(columns).ravel()
        right = times_lambda(cp, at.factors, right, transpose=True) + random.standard_normal(right.shape)
        return at.system.solve(right)[:, 0]

    return draw
