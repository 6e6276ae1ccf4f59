"""Where the penalised system loses the digits of inv(V), and the way by dense blocks of V that takes its place.

With kappa = the largest eigenvalue of lambda'Z_j'Z_jlambda over all groups j, what is left of Z'inv(V0)X = Z'X - Z'ZLambda U is
smaller than its parts by kappa: the system works to eps kappa. Where the random effects leave nothing to the residuals (n <= q),
the residual variance is known no better than the others, sigma2 kappa in its own unit, and products of two of its
derivatives are off by eps kappa^2. V itself is a sum of semidefinite matrices and its blocks are inverted as they stand.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.design.values import Design, ResidualPart
from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.orthonormal import weighted_term
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.solver.residual.patterns import independent_blocks
from sparsemixed.structures.residual_errors.independent import IndependentErrors

LOST = 1e-9
"""Relative error of the penalised system from which blocks of V are used in its place, if they are small."""
UNUSABLE = 1e-5
"""Relative error that is refused where there are no small blocks."""
LARGEST_BLOCK, MOST_NUMBERS = 200, 2e8
"""Rows tied together, and numbers in all derivative matrices (1.6 GB), up to which blocks are small."""


def in_blocks(fit: Fit) -> bool:
    """Whether inv(V) is to be computed block by block, for a fit with random effects and independent errors.

    Raises
    ------
    NotAvailableError
        It would have to, but the blocks are too large.
    """
    error = relative_error(fit)
    if error <= LOST or not fit.design.has_rows:
        return error > LOST  # a fit saved without data holds what was computed in blocks
    largest, numbers = _sizes(fit.design)
    replicated = fit.design.weights is not None and fit.design.weights.kind != "precision"
    if largest <= LARGEST_BLOCK and numbers * (len(fit.variances) + 3) <= MOST_NUMBERS and not replicated:
        return True
    if error <= UNUSABLE:
        return False
    raise NotAvailableError(
        "degrees of freedom from the information matrix are not available where the residual variance all but vanishes beside "
        f"the random effects and up to {largest:,} rows are tied together: not enough digits are left. Leave random effects out, "
        "or use dfmethod(residual) or dfmethod(anova)"
    )


@cached_on_fit("penalised-system-error")
def relative_error(fit: Fit) -> float:
    """Of derivatives by the variance parameters from the penalised system (see the top of this file).

    Zero for a fit of an earlier version that was saved without data: it holds what it computed by that system.
    """
    if not fit.design.has_rows:
        return 0.0
    components = {component.position: component for component in fit.components}
    kappa, q = 0.0, 0
    for random in fit.design.random:
        term, squares, column = weighted_term(fit.design, random), np.zeros(len(random.codes)), 0
        for block in random.blocks:
            own = components[block.position]
            assert own.block is not None
            stop = column + own.block.structure.m
            factor = own.block.structure.factor(fit.theta[own.theta])
            squares += np.sum((term.columns[:, column:stop] @ factor) ** 2, axis=1)
            column = stop
        kappa = max(kappa, float(np.bincount(term.codes, squares).max()))
        q += term.n_groups * random.k
    return float(np.finfo(float).eps) * kappa ** (2.0 if fit.design.n_obs <= q else 1.0)


def with_independent_errors(fit: Fit) -> Fit:
    """The same fit with its errors written as a residual structure, every row a group of its own.

    Its information is computed anew, block by block, unless it comes from there.
    """
    n = len(fit.design.y)
    part = ResidualPart(
        IndependentErrors(("e",)), np.arange(n, dtype=np.int32), n, np.zeros(n), "Residual: Independent", levels=None
    )
    information = fit.information if fit.without_errors else None
    return replace(fit, design=replace(fit.design, residual=part), information=information, solver="clusters")


def _sizes(design: Design) -> tuple[int, float]:
    """Rows of the largest independent block, and numbers in all blocks together."""
    cluster = independent_blocks([term.codes for term in design.random], [term.n_groups for term in design.random])
    sizes = np.bincount(cluster)
    return int(sizes.max()), float((sizes.astype(float) ** 2).sum())
