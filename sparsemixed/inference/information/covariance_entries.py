"""The variance parameters in which V is linear: the distinct entries of each covariance matrix, and sigma2.

Of a matrix whose family has chosen a basis (`RandomStructure.in_basis`) they are those of inv(T) G inv(T)': other coordinates of
the same matrices, in which sums over all parameters lose no digits to badly scaled columns or covariates far from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.structures.base import Displayed
from sparsemixed.structures.random.linear_basis import effects_on_edge, entries_on_edge, linear_basis


@dataclass(frozen=True)
class CovarianceEntry:
    """One entry phi of a covariance matrix, repeated over the groups of an engine term: dV/dphi = Z (I x basis) Z'.

    Attributes
    ----------
    term : int
        Engine term.
    columns : slice
        The block's columns inside the term.
    basis : (m, m) float64
        Symmetric derivative of the covariance matrix of the engine's effects.
    own, root : (m, m) float64
        The same derivative, and the factor lambda, in the family's own basis; lambda is not singular where the expected
        information is wanted (see `just_inside`).
    theta : slice
        The block's parameters.
    shown : Displayed
        The entry over sigma2, with its gradient in theta.
    """

    term: int
    columns: slice
    basis: np.ndarray
    own: np.ndarray
    root: np.ndarray
    theta: slice
    shown: Displayed


def covariance_entries(layout: ThetaMap, theta: np.ndarray, boundary: np.ndarray) -> list[CovarianceEntry]:
    """All entries that are not on the boundary (n_theta,) bool, in the order of theta.

    A block is on it as a whole, or with effects that have parameters of their own.
    """
    found: list[CovarianceEntry] = []
    for place in layout.places:
        structure, at = place.block.structure.in_own_basis(), theta[place.theta]
        root, shown = structure.factor(at), structure.display(at, place.block.names)
        on_edge = entries_on_edge(structure, boundary[place.theta])
        for k, own in enumerate(linear_basis(structure)):
            if not on_edge[k]:
                basis = place.structure.from_own_basis(own)
                found.append(CovarianceEntry(place.term, place.columns, basis, own, root, place.theta, shown[k]))
    return found


INSIDE_SHARE = 1e-6
"""How far inside, relative to its largest variance, a singular covariance matrix is looked at."""


def just_inside(layout: ThetaMap, theta: np.ndarray, boundary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """theta with singular covariance matrices moved inside by next to nothing, and the boundary that is left.

    The expected information is continuous there, so a perfect correlation does not make the block's parameters known.
    A block whose variances are all zero stays out.
    """
    theta, boundary = theta.copy(), boundary.copy()
    for place in layout.places:
        structure = place.block.structure.in_own_basis()
        factor = structure.factor(theta[place.theta])
        largest = float(np.max(np.sum(factor**2, axis=1)))
        held = layout.held[place.theta]
        if (boundary[place.theta] & ~held).any() and largest > 0:
            seen = np.diag(~effects_on_edge(structure, held)).astype(float)
            moved = structure.nearest(factor @ factor.T + INSIDE_SHARE * largest * seen)
            theta[place.theta], boundary[place.theta] = np.where(held, 0.0, moved), held
    return theta, boundary


@cached_on_fit("variances-of-zero")
def variances_of_zero(fit: Fit) -> bool:
    """Whether some block's variances are all zero, or the errors': they count as known even in the expected information."""
    random = (component.variances for component in fit.components[:-1])
    return fit.without_errors or any(own[0].boundary and all(parameter.estimate == 0.0 for parameter in own) for own in random)


def metric_change(fit: Fit, parameters: Sequence[CovarianceEntry], boundary: np.ndarray) -> np.ndarray:
    """Jacobian of `parameters` at the fit, and of the residuals' own unless those are held at zero.

    Its columns are the (theta, log sigma2) that are not on the boundary (n_theta,) bool.
    """
    errors = [] if fit.without_errors else [parameter.gradient for parameter in fit.components[-1].variances]
    out = np.zeros((len(parameters) + len(errors), len(fit.theta) + 1))
    for row, parameter in zip(out, parameters, strict=False):
        row[parameter.theta] = fit.sigma2 * parameter.shown.gradient
        row[-1] = fit.sigma2 * parameter.shown.value
    out[len(parameters) :] = np.reshape(errors, (len(errors), out.shape[1]))
    return out[:, np.append(~boundary, True)]
