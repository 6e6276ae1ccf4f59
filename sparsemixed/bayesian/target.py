"""The posterior density of the variance parameters in unconstrained coordinates phi, with gradient and Hessian.

phi holds the coordinates of every covariance matrix of random effects, those of the errors' correlations rho, and log sigma.
Coefficients and random effects are integrated out exactly, so that

    log p(phi | y) = log p(y | phi) + log p(parameters) + log|d parameters / d phi| + constant

has as many dimensions as there are variance parameters (Tierney 1994; Wolfinger & Kass 2000). The likelihood's derivatives are
those of the fit, in (theta, log sigma2), at another sigma2 and another normal of the coefficients; the chain to phi is taken by
complex steps, second derivatives of the chain and of the prior by differences of these.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.bayesian.coefficients import CoefficientPrior, Integrated
from sparsemixed.bayesian.coordinates import LARGEST_START, SMALLEST_START, BlockCoordinates
from sparsemixed.bayesian.error_priors import ErrorPrior
from sparsemixed.bayesian.random_priors import BlockPrior
from sparsemixed.bayesian.sums import MarginalSums
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation

COMPLEX_STEP, STEP = 1e-30, 1e-5
DEAR_ORDER = 1000
"""Order of the Schur complement from which the average information stands in for the Hessian: only the proposal feels it."""


def _moved(phi: np.ndarray) -> np.ndarray:
    """Places (..., q, q) beside phi (..., q), a complex step away in every coordinate."""
    return phi[..., None, :] + 1j * COMPLEX_STEP * np.eye(phi.shape[-1])


class Target:
    """The log density of one posterior.

    Parameters
    ----------
    sums : MarginalSums
    blocks : list of BlockCoordinates
        In the order of theta.
    block_priors : list of BlockPrior
    errors : ErrorPrior
    coefficients : CoefficientPrior
    fixed : dict of int to float
        Coordinates that are known.
    """

    def __init__(
        self,
        sums: MarginalSums,
        blocks: list[BlockCoordinates],
        block_priors: list[BlockPrior],
        errors: ErrorPrior,
        coefficients: CoefficientPrior,
        fixed: dict[int, float] | None = None,
    ):
        self.sums, self.blocks, self.block_priors, self.errors, self.coefficients = (
            sums,
            blocks,
            block_priors,
            errors,
            coefficients,
        )
        self._last: PenalizedEvaluation | None = None
        self.n_random = sums.layout.n_theta
        self.n_all = sums.n_theta + 1
        self.fixed = fixed or {}
        self.free = np.array([k for k in range(self.n_all) if k not in self.fixed], np.int64)

    @property
    def n(self) -> int:
        """Number of coordinates."""
        return self.free.size

    def full(self, phi: np.ndarray) -> np.ndarray:
        """All coordinates (S, n_all) from the free ones (S, n)."""
        out = np.empty((*phi.shape[:-1], self.n_all), phi.dtype)
        out[..., self.free] = phi
        for k, value in self.fixed.items():
            out[..., k] = value
        return out

    def thetas(self, full: np.ndarray) -> np.ndarray:
        """theta and rho (S, n_theta) of all coordinates (S, n_all)."""
        out = np.empty((*full.shape[:-1], self.n_all - 1), full.dtype)
        sigma = np.exp(full[..., -1:])
        for block in self.blocks:
            where = block.place.theta
            out[..., where] = block.theta(full[..., where]) / sigma
        out[..., self.n_random :] = full[..., self.n_random : -1]
        return out

    def start(self, theta: np.ndarray, sigma2: float) -> np.ndarray:
        """Coordinates (n,) of a fit, off the boundary: correlations of errors at a limit start as they do."""
        sigma, out = float(np.sqrt(sigma2)), np.empty(self.n_all)
        for block in self.blocks:
            where = block.place.theta
            out[where] = block.start(sigma * theta[where], SMALLEST_START * sigma)
        if self.sums.residual is not None:
            rho = theta[self.n_random :]
            out[self.n_random : -1] = np.where(np.abs(rho) > LARGEST_START, self.sums.residual.start(), rho)
        out[-1] = np.log(sigma)
        return out[self.free]

    def log_prior(self, full: np.ndarray) -> np.ndarray:
        """Log density (S,) of all variance parameters, in the coordinates (S, n_all)."""
        total = self.errors.log_density(full[:, self.n_random : -1], full[:, -1])
        for block, prior in zip(self.blocks, self.block_priors, strict=True):
            total = total + prior.log_density(block, full[:, block.place.theta])
        return total - self._known(full)

    def _known(self, full: np.ndarray) -> float | np.ndarray:
        """What log standard deviations that are known add by their Jacobian: a known parameter has no density."""
        return full[:, list(self.fixed)].sum(axis=1) if self.fixed else 0.0

    def integrated(self, phi: np.ndarray) -> Integrated:
        """The likelihood and the coefficients' normals at phi (S, n)."""
        full = self.full(phi)
        with np.errstate(all="ignore"):
            return self.coefficients.integrate(self.sums.at(self.thetas(full)), np.exp(2.0 * full[:, -1]), self.sums.n)

    def with_prior(self, phi: np.ndarray, log_likelihood: np.ndarray) -> np.ndarray:
        """Log densities (S,) from log likelihoods (S,); -inf where either is no number."""
        with np.errstate(all="ignore"):
            value = log_likelihood + self.log_prior(self.full(phi))
        return np.where(np.isfinite(value), value, -np.inf)

    def log_density(self, phi: np.ndarray) -> np.ndarray:
        """Log densities (S,), unnormalised only by the marginal likelihood, at phi (S, n)."""
        return self.with_prior(phi, self.integrated(phi).log_likelihood)

    # --- derivatives at one place ------------------------------------------------------------------------------------

    def gradient(self, phi: np.ndarray) -> np.ndarray:
        """Gradient (n,) at phi (n,)."""
        full = self.full(phi)
        slopes, _ = self._likelihood_slopes(full)
        return (-0.5 * self._chain(full).T @ slopes + self._prior_gradient(full))[self.free]

    def hessian(self, phi: np.ndarray) -> np.ndarray:
        """Hessian (n, n) at phi (n,)."""
        return self.derivatives(phi)[1]

    def derivatives(self, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (n,) and Hessian (n, n) at phi (n,)."""
        full = self.full(phi)
        chain = self._chain(full)
        slopes, curve = self._likelihood_slopes(full, second=True)
        gradient = -0.5 * chain.T @ slopes + self._prior_gradient(full)
        total = -0.5 * chain.T @ curve @ chain
        ahead, behind = full + STEP * np.eye(self.n_all), full - STEP * np.eye(self.n_all)
        bend = (self._chain(ahead) - self._chain(behind)).transpose(0, 2, 1) @ slopes
        total += self._prior_hessian(full) - 0.25 / STEP * bend
        total = (total + total.T) / 2
        return gradient[self.free], total[np.ix_(self.free, self.free)]

    def prior_derivatives(self, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (n,) and Hessian (n, n) of the log prior at phi (n,)."""
        full = self.full(phi)
        return self._prior_gradient(full)[self.free], self._prior_hessian(full)[np.ix_(self.free, self.free)]

    def in_coordinates(self, phi: np.ndarray, information: np.ndarray) -> np.ndarray:
        """An information (n_all, n_all) of (theta, rho, log sigma2), where the score is zero, as one (n, n) of phi (n,)."""
        chain = self._chain(self.full(phi))
        return (chain.T @ information @ chain)[np.ix_(self.free, self.free)]

    def _prior_hessian(self, full: np.ndarray) -> np.ndarray:
        """(n_all, n_all), by differences of gradients that are exact to rounding."""
        moves = STEP * np.eye(self.n_all)
        found = (self._prior_gradient(full + moves) - self._prior_gradient(full - moves)) / (2 * STEP)
        return (found + found.T) / 2

    def _chain(self, full: np.ndarray) -> np.ndarray:
        """d(theta, rho, log sigma2) / d phi (..., n_all, n_all) at full (..., n_all)."""
        out = np.zeros((*full.shape, self.n_all))
        sigma = np.exp(full[..., -1:])
        for block in self.blocks:
            where = block.place.theta
            slopes = block.theta(_moved(full[..., where])).imag / COMPLEX_STEP
            out[..., where, where] = np.swapaxes(slopes, -1, -2) / sigma[..., None]
            out[..., where, -1] = -block.theta(full[..., where]) / sigma
        own = np.arange(self.n_random, self.n_all - 1)
        out[..., own, own] = 1.0
        out[..., -1, -1] = 2.0
        return out

    def _prior_gradient(self, full: np.ndarray) -> np.ndarray:
        """(..., n_all) at full (..., n_all)."""
        out = np.zeros(full.shape)
        for at in np.ndindex(full.shape[:-1]):
            one = full[at]
            out[at][self.n_random :] = self.errors.gradient(one[self.n_random : -1], float(one[-1]))
        for block, prior in zip(self.blocks, self.block_priors, strict=True):
            where = block.place.theta
            out[..., where] += prior.log_density(block, _moved(full[..., where])).imag / COMPLEX_STEP
        return out

    def _likelihood_slopes(self, full: np.ndarray, second: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (n_all,) and Hessian (n_all, n_all) of -2 log p(y | phi) in (theta, rho, log sigma2)."""
        theta, log_sigma2 = self.thetas(full), 2.0 * float(full[-1])
        if self.sums.objective is None:
            at = None
        else:
            at = self._evaluated(theta)
        first = self._slopes_at(at, log_sigma2)
        if not second:
            return first, np.zeros((0, 0))
        curve = self._theta_curve(at, log_sigma2)
        # Of sigma2 the same factorization serves: only the coefficients' normal moves.
        ahead, behind = self._slopes_at(at, log_sigma2 + STEP), self._slopes_at(at, log_sigma2 - STEP)
        curve[-1] = curve[:, -1] = (ahead - behind) / (2 * STEP)
        return first, curve

    def _moved(self, at, log_sigma2: float):
        """The evaluation with the coefficients' posterior mean and covariance at this sigma2."""
        sigma2, coefficients, p = float(np.exp(log_sigma2)), self.coefficients, self.sums.p
        xx = np.linalg.inv(at.XVX_inverse)
        inverse = np.linalg.inv(xx + sigma2 * coefficients.K)
        beta = inverse @ (xx @ at.beta + sigma2 * coefficients.K @ coefficients.g0)
        off = beta - at.beta
        square = at.pwrss + float(off @ xx @ off)
        trace = float(np.vdot(inverse, xx)) if p else 0.0
        return replace(at, beta=beta, XVX_inverse=inverse, sigma2=sigma2), square, trace

    def _slopes_at(self, at, log_sigma2: float) -> np.ndarray:
        if at is None:
            W = self.sums.at(np.zeros((1, 0))).W[0]
            p, sigma2 = self.sums.p, float(np.exp(log_sigma2))
            inverse = np.linalg.inv(W[:p, :p] + sigma2 * self.coefficients.K)
            beta = inverse @ (W[:p, p] + sigma2 * self.coefficients.K @ self.coefficients.g0)
            v = np.append(-beta, 1.0)
            return np.array([self.sums.n - np.vdot(inverse, W[:p, :p]) - v @ W @ v / sigma2])
        moved, square, trace = self._moved(at, log_sigma2)
        derivatives = self.sums.objective.derivatives(moved)
        return np.append(derivatives.gradient, self.sums.n - trace - square / moved.sigma2)

    def _evaluated(self, theta: np.ndarray):
        """The evaluation there; the last one is kept, for a Hessian is wanted where a gradient was."""
        if self._last is None or not np.array_equal(self._last.theta, theta):
            self._last = self.sums.evaluate(theta)
        return self._last

    def _theta_curve(self, at, log_sigma2: float) -> np.ndarray:
        out = np.zeros((self.n_all, self.n_all))
        if at is None:
            return out
        derivatives = self.sums.objective.derivatives(self._moved(at, log_sigma2)[0])
        dear = self.sums.objective.cp.q_schur >= DEAR_ORDER and derivatives.knows_average
        curvature = derivatives.average_information if dear else derivatives.observed_information
        out[:-1, :-1] = curvature.hessian[:-1, :-1]
        return out
