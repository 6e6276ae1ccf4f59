"""Unconstrained coordinates of the covariance matrices of random effects: log standard deviations, and correlations by tanh.

They are of the effects as named, like the priors: in another basis a density that is uniform in the correlations has spikes
without end, where the standard deviation of a named effect vanishes amid others. Everything is analytic in the coordinates phi
(..., q), real or complex, and in units of the data; theta of the engine comes of it over sigma.

A triangle L with the rows s_i x_i, x_i a point on the unit sphere, has for its row i the coordinates log s_i and
z_i0 ... z_i,i-1 with x_ij = tanh(z_ij) prod_{l<j} 1 / cosh(z_il) (canonical partial correlations: Lewandowski, Kurowicka & Joe
2009), whose Jacobian is prod_i s_i^(i+1) prod_l cosh(z_il)^-(i-l); that of L L' by L is 2^m prod_i L_ii^(m-i).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.parameters import Place
from sparsemixed.structures.random.exchangeable import Exchangeable
from sparsemixed.structures.random.identity import Identity
from sparsemixed.structures.random.independent import Independent
from sparsemixed.structures.random.unstructured import Unstructured

SMALLEST_START = 0.03
"""Share of sigma, in orthonormal columns, from which a standard deviation that was estimated as zero starts."""
LARGEST_START = 3.0
"""Of the coordinates of correlations that were estimated as one."""


def log_cosh(z: Any) -> Any:
    """log cosh z of real or complex numbers, without overflow."""
    z = np.where(np.real(z) < 0, -z, z)
    return z + np.log1p(np.exp(-2.0 * z)) - np.log(2.0)


class BlockCoordinates(ABC):
    """Coordinates of one covariance matrix.

    Attributes
    ----------
    place : Place
        Its theta.
    correlated : {"none", "shared", "matrix"}
        Which correlations there are beside them.
    """

    correlated = "none"

    def __init__(self, place: Place):
        self.place = place
        self.names = place.block.names
        self.equation = place.block.equation
        self.m = place.block.structure.m

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.place.theta.stop - self.place.theta.start

    @property
    @abstractmethod
    def n_deviations(self) -> int:
        """Number of standard deviations: one where all effects share it."""

    def correlations_of(self, k: int) -> list[int]:
        """Coordinates that mean nothing where the log standard deviation with place k goes to minus infinity."""
        return []

    def place_of_scale(self, k: int) -> int:
        """Which coordinate is the log standard deviation of the effect with place k among those that have one."""
        return k

    @abstractmethod
    def theta(self, phi: Any) -> Any:
        """theta (..., q) for sigma = 1."""

    @abstractmethod
    def start(self, theta: np.ndarray, floor: float) -> np.ndarray:
        """phi (q,) of sigma theta (q,), standard deviations raised to `floor`."""

    @abstractmethod
    def variances(self, phi: Any) -> Any:
        """(..., n_deviations)."""

    @abstractmethod
    def log_jacobian(self, phi: Any) -> Any:
        """Logarithm of the derivative of variances and covariances by phi (...)."""

    def covariance(self, phi: Any) -> Any:
        """(..., m, m) of the effects as named."""
        raise NotImplementedError

    def shared_covariance(self, phi: Any) -> Any:
        """(...) of families in which all effects share it."""
        raise NotImplementedError

    def log_determinant(self, phi: Any) -> Any:
        """log of the determinant of the covariance matrix (...)."""
        raise NotImplementedError


class Scales(BlockCoordinates):
    """Variances without covariances: every coordinate is a log standard deviation."""

    @property
    def n_deviations(self) -> int:
        """Number of standard deviations."""
        return self.size

    def theta(self, phi: Any) -> Any:
        return np.exp(phi)

    def start(self, theta: np.ndarray, floor: float) -> np.ndarray:
        return np.log(np.maximum(np.abs(theta), floor))

    def variances(self, phi: Any) -> Any:
        return np.exp(2.0 * phi)

    def log_jacobian(self, phi: Any) -> Any:
        return np.sum(2.0 * phi + np.log(2.0), axis=-1)


class SharedCovariance(BlockCoordinates):
    """One variance and one covariance of all effects: the coordinates are half the logarithms of the two eigenvalues."""

    correlated = "shared"

    def __init__(self, place: Place):
        super().__init__(place)
        self.count = place.block.structure.n_effects
        self._forms = place.block.structure.singular_faces()
        self._inverse = np.linalg.inv(self._forms)

    @property
    def n_deviations(self) -> int:
        """Number of standard deviations."""
        return 1

    def theta(self, phi: Any) -> Any:
        return np.exp(phi) @ self._inverse.T

    def start(self, theta: np.ndarray, floor: float) -> np.ndarray:
        return np.log(np.maximum(np.abs(self._forms @ theta), floor))

    def variances(self, phi: Any) -> Any:
        n, squares = self.count, np.exp(2.0 * phi)
        return ((n - 1) * squares[..., :1] + squares[..., 1:]) / n

    def shared_covariance(self, phi: Any) -> Any:
        squares = np.exp(2.0 * phi)
        return (squares[..., 1] - squares[..., 0]) / self.count

    def log_jacobian(self, phi: Any) -> Any:
        return np.sum(2.0 * phi, axis=-1) + np.log(4.0 / self.count)


class Triangle(BlockCoordinates):
    """All variances and covariances, by the rows of a triangle."""

    correlated = "matrix"

    def __init__(self, place: Place):
        super().__init__(place)
        structure = place.block.structure
        columns, rows = np.triu_indices(self.m)
        self._rows, self._columns = rows, columns
        leading = getattr(structure, "leading", 0)
        self._order = [leading, *(a for a in range(self.m) if a != leading)]
        # The engine's basis is lower triangular in this order, and so are its factors.
        self._basis = structure.dfactor()[rows == columns].sum(axis=0)[self._order]
        self._inverse = np.linalg.inv(self._basis)
        self.diagonal = rows == columns
        self._places = {(int(i), int(j)): k for k, (i, j) in enumerate(zip(rows, columns, strict=True))}

    @property
    def n_deviations(self) -> int:
        """Number of standard deviations."""
        return self.m

    def correlations_of(self, k: int) -> list[int]:
        i = int(self._rows[k])
        below = [self._coordinate(r, i) for r in range(i + 1, self.m)]
        return [*(self._coordinate(i, j) for j in range(i)), *below]

    def _coordinate(self, i: int, j: int) -> int:
        return self._places[i, j]

    def place_of_scale(self, k: int) -> int:
        i = self._order.index(k)
        return self._coordinate(i, i)

    def lower(self, phi: Any) -> Any:
        """L (..., m, m) of the effects in an order of their own."""
        out = np.zeros((*phi.shape[:-1], self.m, self.m), phi.dtype)
        for i in range(self.m):
            left = phi[..., self._coordinate(i, i)]
            for j in range(i):
                z = phi[..., self._coordinate(i, j)]
                out[..., i, j] = np.exp(left) * np.tanh(z)
                left = left - log_cosh(z)
            out[..., i, i] = np.exp(left)
        return out

    def theta(self, phi: Any) -> Any:
        return (self._inverse @ self.lower(phi))[..., self._rows, self._columns]

    def start(self, theta: np.ndarray, floor: float) -> np.ndarray:
        L, out = np.zeros((self.m, self.m)), np.empty(self.size)
        L[self._rows, self._columns] = theta
        L = self._basis @ L
        L = L * np.where(np.diag(L) < 0, -1.0, 1.0)
        for i in range(self.m):
            length = float(np.linalg.norm(L[i]))
            out[self._coordinate(i, i)] = np.log(max(length, floor))
            left = 1.0
            for j in range(i):
                w = L[i, j] / (length * left) if length > 0 and left > 0 else 0.0
                z = np.arctanh(np.clip(w, -1 + 1e-12, 1 - 1e-12))
                out[self._coordinate(i, j)] = np.clip(z, -LARGEST_START, LARGEST_START)
                left *= np.sqrt(max(1.0 - w * w, 0.0))
        return out

    def covariance(self, phi: Any) -> Any:
        L, back = self.lower(phi), np.argsort(self._order)
        return (L @ np.swapaxes(L, -1, -2))[..., back[:, None], back]

    def variances(self, phi: Any) -> Any:
        return np.einsum("...aa->...a", self.covariance(phi))

    def _log_pivots(self, phi: Any) -> list[Any]:
        found = []
        for i in range(self.m):
            left = phi[..., self._coordinate(i, i)]
            for j in range(i):
                left = left - log_cosh(phi[..., self._coordinate(i, j)])
            found.append(left)
        return found

    def log_determinant(self, phi: Any) -> Any:
        return 2.0 * sum(self._log_pivots(phi))

    def log_jacobian(self, phi: Any) -> Any:
        m, total = self.m, 0.0
        for i, pivot in enumerate(self._log_pivots(phi)):
            total = total + (i + 1) * phi[..., self._coordinate(i, i)] + (m - i) * pivot
            for j in range(i):
                total = total - (i - j) * log_cosh(phi[..., self._coordinate(i, j)])
        return total + m * np.log(2.0)


KINDS: dict[type, type[BlockCoordinates]] = {
    Identity: Scales,
    Independent: Scales,
    Exchangeable: SharedCovariance,
    Unstructured: Triangle,
}
"""Family of covariance matrices -> its coordinates."""


def block_coordinates(place: Place) -> BlockCoordinates:
    """The coordinates of a block.

    Raises
    ------
    NotAvailableError
        A family that has none.
    """
    kind = KINDS.get(type(place.block.structure))
    if kind is None:
        raise NotAvailableError(f"bayes: no coordinates are known of covariance({place.block.structure.name})")
    return kind(place)
