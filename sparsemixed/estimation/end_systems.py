"""What a search knew of the penalised system where it ended, kept as long as the fit lives where it is dear to compute again.

A `Fit` holds plain numbers and no factorization; neither does this. Of a system whose inverse takes seconds it keeps entries on
the pattern of Z'Z, which the fit had for its own standard errors and of which those of predictions are made: numbers as many as
cells of the cross-products; and these, so that who factors the system once more need not go through the rows again.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.interface import FittedDerivatives, FittedObjective
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates, without_rows
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.sources.reduction import Reduction
from sparsemixed.solver.crossproducts.block_products import Pattern
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.linalg import covariance_root

DEAR_ORDER = 1000
"""Order of the Schur complement from which its inverse is kept."""
_KEPT: dict[int, EndSystem] = {}
"""By the id of a fit, forgotten with it."""


@dataclass(frozen=True)
class EndSystem:
    """The penalised system at the fitted parameters, without its factorization.

    Attributes
    ----------
    cp : CrossProducts
    inverse : Pattern
        N on the pattern of Z'Z.
    factors : list of (k, k)
        Lambda.
    U : (q, r)
        inv(M)Lambda'Z'X of orthonormal X.
    sigma2 : float
    inner, root : (r, r), (p, r)
        Roots of the coefficients' covariance in orthonormal coordinates, and on X.
    layout : ThetaMap
    reduction : Reduction or None
        What the problem was made from, without the rows; None where these are needed to make it.
    """

    cp: CrossProducts
    inverse: Pattern
    factors: list[np.ndarray]
    U: np.ndarray
    sigma2: float
    inner: np.ndarray
    root: np.ndarray
    layout: ThetaMap
    reduction: Reduction | None = None


def end_system(derivatives: PenalizedDerivatives, layout: ThetaMap, orthogonal: OrthonormalCoordinates) -> EndSystem:
    """The system behind derivatives at the fitted parameters."""
    at = derivatives.at
    inner = covariance_root(at.sigma2, at.XVX_inverse)
    return EndSystem(at.cp, derivatives.inverse, at.factors, at.U, at.sigma2, inner, orthogonal.root(inner), layout)


def keep_end_system(fit: Fit, objective: FittedObjective, derivatives: FittedDerivatives, reduction: Reduction) -> None:
    """Keep the system of a fit whose Schur complement is large."""
    if not isinstance(derivatives, PenalizedDerivatives) or derivatives.at.cp.q_schur < DEAR_ORDER:
        return
    orthogonal = reduction.orthogonal
    system = end_system(derivatives, objective.parameters, orthogonal)
    if reduction.products is not None and orthogonal.sparse is None and fit.design.has_rows:
        system = replace(system, reduction=replace(reduction, orthogonal=without_rows(orthogonal, fit.design)))
    _KEPT[id(fit)] = system
    weakref.finalize(fit, _KEPT.pop, id(fit), None)


def kept_system(fit: Fit) -> EndSystem | None:
    """What was kept of a fit."""
    return _KEPT.get(id(fit))
