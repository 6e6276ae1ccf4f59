"""Errors of given rows as independent numbers times a root of their covariance, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import DataError, NumericalError
from sparsemixed.postestimation.row_covariance import MOST_ROWS, RowCovariance
from sparsemixed.solver.linalg import has_root

MOST_NUMBERS = 1e8
"""In the roots of all groups (800 MB)."""


@dataclass(frozen=True)
class ErrorRoots:
    """The errors' covariance, group by group.

    Attributes
    ----------
    scale : (n,)
        Standard deviations of independent errors; of correlated ones what precision weights make of them, with sigma.
    blocks : tuple of ((G, m) rows, (G, m, m) lower roots of R)
        Of correlated errors, for every size m of a group.
    """

    scale: np.ndarray
    blocks: tuple[tuple[np.ndarray, np.ndarray], ...] = ()

    def times(self, z: np.ndarray) -> np.ndarray:
        """Errors (..., n) of independent numbers (..., n) with mean zero and variance one."""
        if not self.blocks:
            return self.scale * z
        out = np.empty_like(z)
        for rows, roots in self.blocks:
            out[..., rows] = (roots @ z.take(rows, axis=-1)[..., None])[..., 0]
        return self.scale * out

    def solve(self, errors: np.ndarray) -> np.ndarray:
        """The independent numbers (n,) that these errors (n,) are made of.

        Raises
        ------
        NumericalError
            Some group's covariance has no inverse.
        """
        out = errors / self.scale
        for rows, roots in self.blocks:
            if (np.diagonal(roots, axis1=1, axis2=2) <= 0.0).any():
                raise NumericalError("the errors of some group have a singular covariance: their residuals cannot be resampled")
            out[rows] = np.linalg.solve(roots, out[rows][:, :, None])[:, :, 0]
        return out


def error_roots(covariance: RowCovariance) -> ErrorRoots:
    """Of the rows of a covariance.

    Raises
    ------
    DataError
        Correlated errors in a group of too many rows.
    """
    part = covariance.fit.design.residual
    if covariance.errors is None or part is None or part.structure.independent_rows:
        return ErrorRoots(np.sqrt(covariance.error_variances()))
    codes, t = covariance.errors
    _, codes = np.unique(codes, return_inverse=True)
    sizes = np.bincount(codes)
    if sizes.max() > MOST_ROWS or float(sizes.astype(float) @ sizes) > MOST_NUMBERS:
        raise DataError(
            f"correlated errors of up to {int(sizes.max()):,} rows in a group are drawn from a root of their covariance, which "
            f"is too large: {MOST_ROWS:,} rows are the limit, and {MOST_NUMBERS:,.0f} numbers in all"
        )
    order, begin = np.argsort(codes, kind="stable"), np.concatenate([[0], np.cumsum(sizes)])
    rho = covariance.fit.theta[len(covariance.fit.theta) - part.structure.n_rho :]
    blocks = []
    for m in np.unique(sizes):
        groups = np.flatnonzero(sizes == m)
        rows = order[begin[groups][:, None] + np.arange(m)]
        blocks.append((rows, _roots(part.structure.covariance(rho, t[rows]))))
    return ErrorRoots(np.sqrt(covariance.fit.sigma2) * covariance.scale, tuple(blocks))


def _roots(R: np.ndarray) -> np.ndarray:
    """Lower roots (G, m, m) of R; of singular matrices from their eigenvalues."""
    if all(has_root(matrix) for matrix in R):
        return np.linalg.cholesky(R)
    values, vectors = np.linalg.eigh(R)
    if (values[:, 0] < -1e-8 * values[:, -1]).any():
        raise NumericalError("the fitted matrix of the errors is no covariance matrix: no errors can be drawn from it")
    half = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    lower = np.linalg.qr(half.transpose(0, 2, 1), mode="r").transpose(0, 2, 1)
    signs = np.where(np.diagonal(lower, axis1=1, axis2=2) < 0, -1.0, 1.0)
    return lower * signs[:, None, :]
