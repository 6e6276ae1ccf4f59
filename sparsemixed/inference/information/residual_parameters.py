"""The parameters of a residual structure as printed, and how the covariance of the errors moves with them.

sigma2 R(rho) is known in psi = (rho, log sigma2). The printed parameters phi (variances, covariances, autocorrelations,
coefficients) are as many functions of psi; first and second derivatives are carried over by the chain rule. Where phi are
variances and covariances, the covariance of the errors is linear in them and its second derivatives vanish.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.residual.patterns import PatternBatch
from sparsemixed.structures.residual_errors.base import COMPLEX_STEP, ResidualStructure

DIFFERENCE = 2e-3
"""Step in rho for second derivatives of the printed parameters, from differences of their exact gradients."""


class ResidualParameters:
    """Derivatives of the errors' covariance in phi at one (rho, sigma2).

    Parameters
    ----------
    structure : ResidualStructure
    rho : (n_rho,) float64
    sigma2 : float
    """

    def __init__(self, structure: ResidualStructure, rho: np.ndarray, sigma2: float):
        self.structure, self.rho, self.sigma2 = structure, rho, sigma2
        self.inverse = np.linalg.inv(self._jacobian(rho))

    def _jacobian(self, rho: np.ndarray) -> np.ndarray:
        """dphi / dpsi (n_rho + 1, n_rho + 1)."""
        rows = []
        for p in self.structure.display(rho):
            power = float(p.kind in ("variance", "covariance"))
            rows.append(self.sigma2**power * np.append(p.gradient, power * p.value))
        return np.array(rows)

    def first(self, batch: PatternBatch) -> np.ndarray:
        """dV / dphi (n_rho + 1, G, m, m)."""
        return np.tensordot(self.inverse.T, self._own(batch), axes=1)

    def _own(self, batch: PatternBatch) -> np.ndarray:
        """dV / dpsi (n_rho + 1, G, m, m)."""
        R = self.structure.covariance(self.rho, batch.t)
        change = self.structure.dcovariance(self.rho, batch.t)
        return np.where(batch.linked, self.sigma2 * np.concatenate([change, R[None]]), 0.0)

    def second(self, batch: PatternBatch, weights: np.ndarray) -> np.ndarray:
        """(G, m, m) sum over k, l of weights[k, l] d2V / dphi_k dphi_l; weights (n_rho + 1, n_rho + 1)."""
        own = self.inverse @ weights @ self.inverse.T
        n = self.rho.size
        out = np.zeros(batch.linked.shape)
        for j in range(n):
            moved = self.rho.astype(complex)
            moved[j] += 1j * COMPLEX_STEP
            change = np.imag(self.structure.dcovariance(moved, batch.t)) / COMPLEX_STEP
            out += self.sigma2 * np.tensordot(own[j, :n], change, axes=1)
        first = self._own(batch)
        linear = np.append(2.0 * own[:n, n], own[n, n]) - self.inverse @ self._hessian_of_printed(own)
        return np.where(batch.linked, out, 0.0) + np.tensordot(linear, first, axes=1)

    def _hessian_of_printed(self, own: np.ndarray) -> np.ndarray:
        """(n_rho + 1,) sums over i, j of own[i, j] d2phi / dpsi_i dpsi_j.

        Fourth-order central differences of the gradients: the error is of order 1e-11.
        """
        n = self.rho.size
        total = np.zeros(n + 1)
        for j in range(n):
            unit = DIFFERENCE * np.eye(n)[j]
            near = self._jacobian(self.rho + unit) - self._jacobian(self.rho - unit)
            far = self._jacobian(self.rho + 2 * unit) - self._jacobian(self.rho - 2 * unit)
            # The derivative by rho_j of dphi / dlog(sigma2) counts once more, as that of dphi / drho_j by log(sigma2).
            total += (8.0 * near - far) / (12.0 * DIFFERENCE) @ np.append(own[j, :n], 2.0 * own[j, n])
        power = np.array([float(p.kind in ("variance", "covariance")) for p in self.structure.display(self.rho)])
        return total + own[n, n] * power * self._jacobian(self.rho)[:, n]
