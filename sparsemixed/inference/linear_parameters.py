"""The variance parameters in which V is linear: the distinct entries of each covariance matrix, and sigma2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.parameters import Parameters
from sparsemixed.structures.base import Structure


@dataclass(frozen=True)
class LinearParameter:
    """One entry phi of a covariance matrix, repeated over the groups of an engine term: dV/dphi = Z (I x basis) Z'.

    Attributes
    ----------
    term : int
        Engine term.
    columns : slice
        The block's columns inside the term.
    basis : (m, m) float64
        Symmetric derivative of the block's covariance matrix.
    root : (m, m) float64
        The block's factor lambda at the optimum, not singular.
    row : int
        Place in `fit.variances`.
    """

    term: int
    columns: slice
    basis: np.ndarray
    root: np.ndarray
    row: int


def linear_basis(structure: Structure) -> np.ndarray:
    """Derivatives (q, m, m) of the covariance matrix with respect to its displayed entries.

    The covariance S is the sum of value_k B_k over the displayed variances and covariances, so dS/dtheta_j is the sum of
    dvalue_k/dtheta_j B_k, which determines B at any interior theta.

    Examples
    --------
    >>> from sparsemixed.structures.exchangeable import Exchangeable
    >>> linear_basis(Exchangeable(2))
    array([[[1., 0.],
            [0., 1.]],
           [[0., 1.],
            [1., 0.]]])
    """
    m = structure.m
    theta = structure.nearest(np.eye(m) + 0.25)
    factor, first = structure.factor(theta), structure.dfactor()
    half = first @ factor.T
    moves = half + half.transpose(0, 2, 1)
    names = tuple(f"x{i}" for i in range(m))
    jacobian = np.array([p.gradient for p in structure.display(theta, names)])
    # Entries of B are 0 or 1; rounding takes off what the solution left.
    return np.round(np.linalg.solve(jacobian.T, moves.reshape(len(moves), -1)), 12).reshape(-1, m, m) + 0.0


def linear_parameters(layout: Parameters, fit: Fit) -> list[LinearParameter]:
    """All entries of blocks that are not on the boundary, in the order of `fit.variances`."""
    found: list[LinearParameter] = []
    row = 0
    for place in layout.places:
        structure = place.block.structure
        if not fit.boundary[place.theta].any():
            root = structure.factor(fit.theta[place.theta])
            columns = slice(place.column, place.column + structure.m)
            for k, basis in enumerate(linear_basis(structure)):
                found.append(LinearParameter(place.term, columns, basis, root, row + k))
        row += structure.n_theta
    return found


def metric_change(fit: Fit, rows: list[int]) -> np.ndarray:
    """Jacobian (m + 1, m + 1) of the entries `rows` and sigma2 with respect to the free (theta, log sigma2)."""
    free = np.append(~fit.boundary, True)
    return np.array([fit.variances[row].gradient[free] for row in (*rows, -1)])
