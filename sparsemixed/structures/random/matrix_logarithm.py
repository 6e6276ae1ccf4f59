"""The covariance matrix as the exponential of a matrix without constraints, and what that does to theta.

Every family of random effects is a linear pattern that contains the identity and is closed under squaring, or, unstructured, is
all there is; so its logarithm has the same pattern: Sigma / sigma2 = exp(Omega), Omega = sum_k omega_k B_k with B of
`linear_basis` (manual, option matlog; Pinheiro & Bates 1996, section 2.5). The derivative of the exponential in the
eigenbasis of Omega multiplies entry (i, j) by the divided difference of exp at the eigenvalues i and j (Higham 2008, theorem
3.11).
"""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.structures.random.base import RandomStructure
from sparsemixed.structures.random.linear_basis import linear_basis

LARGEST_LOGARITHM = 200.0
"""Largest eigenvalue of Omega, up or down."""
WIDEST = 50.0
"""Largest gap between eigenvalues of Omega with which a factor of exp(Omega) still has digits of the smallest. Variances of
exp(-50) of the largest are limits: no likelihood tells smaller ones from them."""
SMALLEST_ROOT = 1e-6
"""Singular value of a factor up to which a singular covariance matrix is lifted, so that it has a logarithm."""


class MatrixLogarithm:
    """Between omega (q,) and theta (q,) of one structure.

    Where the structure has chosen a basis T of its own (see `RandomStructure.in_basis`) it is inv(T) Sigma inv(T)' that has the
    logarithm: the same family, and as well scaled as theta is.

    Examples
    --------
    >>> from sparsemixed.structures.random.independent import Independent
    >>> log = MatrixLogarithm(Independent(2))
    >>> log.omega(np.array([1.0, np.e]))
    array([0., 2.])
    """

    def __init__(self, structure: RandomStructure):
        self.own = structure.in_own_basis()
        self.basis = linear_basis(self.own)
        self._products = np.einsum("kab,lab->kl", self.basis, self.basis)
        self._mixes = bool(np.any(self.basis * (1.0 - np.eye(self.own.m))))

    def omega(self, theta: np.ndarray) -> np.ndarray:
        """Coordinates (q,) of the logarithm of the covariance at theta."""
        vectors, values, _ = np.linalg.svd(self.own.factor(theta))
        return self._coordinates((vectors * 2.0 * np.log(np.maximum(values, SMALLEST_ROOT))) @ vectors.T)

    def within(self, omega: np.ndarray) -> np.ndarray:
        """omega (q,) with the eigenvalues of Omega kept within what exp can tell apart; the same covariance for all purposes.

        Raises
        ------
        NumericalError
            The exponential overflows.
        """
        values, vectors = self._spectrum(omega)
        if not values[-1] <= LARGEST_LOGARITHM:
            raise NumericalError("a covariance matrix of random effects went to infinity")
        lowest = max(-LARGEST_LOGARITHM, values[-1] - WIDEST) if self._mixes else -LARGEST_LOGARITHM
        return omega if values[0] >= lowest else self._coordinates((vectors * np.maximum(values, lowest)) @ vectors.T)

    def theta(self, omega: np.ndarray) -> np.ndarray:
        """theta (q,) of exp(Omega), for omega `within` bounds."""
        values, vectors = self._spectrum(omega)
        return self.own.from_root(vectors * np.exp(values / 2))

    def jacobian(self, omega: np.ndarray) -> np.ndarray:
        """dtheta / domega (q, q), for omega `within` bounds.

        With the factor F and Sigma = FF' the equations are inv(F) dSigma inv(F)' = inv(F)dF + its transpose. On the left the
        divided differences become sinh(x) / x of half the gaps between eigenvalues, so that nothing cancels or underflows
        beside a singular matrix.
        """
        values, vectors = self._spectrum(omega)
        root = vectors * np.exp(values / 2)
        factor = self.own.factor(self.own.from_root(root))
        rotation = np.linalg.solve(factor, root)
        half_gaps = (values[:, None] - values) / 2
        slopes = np.divide(np.sinh(half_gaps), half_gaps, out=np.ones_like(half_gaps), where=half_gaps != 0)
        moves = rotation @ (slopes * (vectors.T @ self.basis @ vectors)) @ rotation.T
        own = np.linalg.solve(factor, self.own.dfactor())
        own = (own + own.transpose(0, 2, 1)).reshape(len(own), -1).T
        lengths = np.linalg.norm(own, axis=0)
        solved = np.linalg.lstsq(own / lengths, moves.reshape(len(moves), -1).T, rcond=None)[0]
        return solved / lengths[:, None]

    def _spectrum(self, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues (m,) and eigenvectors of Omega."""
        if not np.all(np.isfinite(omega)):
            raise NumericalError("the logarithm of a covariance matrix of random effects overflowed")
        return np.linalg.eigh(np.tensordot(omega, self.basis, axes=1))

    def _coordinates(self, matrix: np.ndarray) -> np.ndarray:
        return np.linalg.solve(self._products, np.einsum("kab,ab->k", self.basis, matrix))
