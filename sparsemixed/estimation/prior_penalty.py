"""The log density of priors, as the search needs it: what a penalised likelihood adds.

The penalised deviance is d(theta, sigma2) - 2 log p(theta, sigma2), and beside normal priors of coefficients - 2 log p(beta),
with densities of the parameters as they are named, without Jacobians: its minimum does not depend on coordinates. sigma2 has no
closed form beside a prior and is found by Newton steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import FittedEvaluation, FittedSlopes, Profile
from sparsemixed.estimation.jets import CovarianceJets, Jet, constant
from sparsemixed.estimation.normal_coefficients import NormalCoefficients
from sparsemixed.estimation.parameters import Place
from sparsemixed.estimation.prior_squares import FlatSquares, NormalSquares, Squares, along_sigma
from sparsemixed.estimation.prior_terms import BlockTerm, of_scale
from sparsemixed.priors.single import Fixed, Prior

STEPS, EXACT = 100, 1e-12
"""Newton steps for log sigma2, and the step that ends them."""


@dataclass(frozen=True)
class PriorPenalty:
    """Priors of one model, laid out for its theta.

    Attributes
    ----------
    n_theta : int
    blocks : tuple of (Place, tuple of BlockTerm)
    residual : (Prior, "sd" or "var") or None
    coefficients : NormalCoefficients or None
        None where all of them have flat priors.
    reml : bool
        Whether coefficients are integrated out, over their priors; else they are at their best.
    """

    n_theta: int
    blocks: tuple[tuple[Place, tuple[BlockTerm, ...]], ...]
    residual: tuple[Prior, str] | None
    coefficients: NormalCoefficients | None = None
    reml: bool = False

    @property
    def known_variance(self) -> float | None:
        """sigma2 where it is known."""
        if self.residual is None or not isinstance(self.residual[0], Fixed):
            return None
        prior, of = self.residual
        return prior.value if of == "var" else prior.value**2

    def log_density(self, theta: np.ndarray, log_sigma2: float) -> Jet:
        """With derivatives by (theta, log sigma2).

        Raises
        ------
        NumericalError
            The density is zero or no number.
        """
        n = self.n_theta + 1
        total = constant(0.0, n)
        with np.errstate(all="ignore"):
            for place, terms in self.blocks:
                jets = CovarianceJets(place.block.structure, theta[place.theta], log_sigma2)
                where = np.append(np.arange(place.theta.start, place.theta.stop), n - 1)
                for term in terms:
                    own = term(theta[place.theta], jets)
                    total.gradient[where] += own.gradient
                    total.hessian[np.ix_(where, where)] += own.hessian
                    total = total._replace(value=total.value + own.value)
            if self.residual is not None and self.known_variance is None:
                total = total.plus(self._of_errors(log_sigma2, n))
        if not (np.isfinite(total.value) and np.all(np.isfinite(total.gradient))):
            raise NumericalError("the prior's density is zero there")
        return total

    def _of_errors(self, log_sigma2: float, n: int) -> Jet:
        assert self.residual is not None
        sigma2, unit = float(np.exp(log_sigma2)), np.eye(n)[-1]
        return of_scale(*self.residual, Jet(sigma2, sigma2 * unit, sigma2 * np.outer(unit, unit)), sigma2)

    def profiled(self, theta: np.ndarray, W: np.ndarray, plain: Profile, df: float, logdet_x: float) -> Profile:
        """The penalised deviance with beta and sigma2 at their best, from the best without priors."""
        rest, normal = plain.deviance - df * (1.0 + float(np.log(plain.sigma2))), self.coefficients
        if normal is None:
            value, log_sigma2 = self._best_sigma(theta, FlatSquares(plain.pwrss, df), float(np.log(plain.sigma2)))
            return plain._replace(deviance=rest + value, sigma2=float(np.exp(log_sigma2)))
        squares = NormalSquares(W, normal, df, self.reml)
        value, log_sigma2 = self._best_sigma(theta, squares, float(np.log(plain.sigma2)))
        beta, inverse, _, square = squares.solved(log_sigma2)
        return Profile(rest + value - (logdet_x if self.reml else 0.0), beta, square, float(np.exp(log_sigma2)), inverse)

    def _best_sigma(self, theta: np.ndarray, squares: Squares, start: float) -> tuple[float, float]:
        """The lowest of -2 log likelihood and density along log sigma2, and where: by Newton steps that never rise."""
        known = self.known_variance
        log_sigma2 = start if known is None else float(np.log(known))
        own, prior = squares.at(log_sigma2), self.log_density(theta, log_sigma2)
        value = own.value - 2.0 * prior.value
        for _ in range(STEPS if known is None else 0):
            slope, curve = own.slope - 2.0 * prior.gradient[-1], own.curve - 2.0 * prior.hessian[-1, -1]
            step = float(np.clip(-slope / curve if curve > 0 else -np.sign(slope), -1.0, 1.0))
            if abs(step) < EXACT:
                break
            while True:
                there, trial = squares.at(log_sigma2 + step), self.log_density(theta, log_sigma2 + step)
                moved = there.value - 2.0 * trial.value
                if moved <= value + 1e-12 * abs(value) or abs(step) < EXACT:
                    break
                step /= 2.0
            log_sigma2, own, prior, value = log_sigma2 + step, there, trial, moved
        return value, log_sigma2

    def by_sigma(self, derivatives: FittedSlopes) -> tuple[float, np.ndarray]:
        """Of -2 log likelihood the second derivative by log sigma2, and what normal priors add to those by theta and it."""
        at, normal = derivatives.at, self.coefficients
        if normal is None:
            return at.pwrss / at.sigma2, np.zeros(self.n_theta)
        off, inverse = at.beta - normal.g0, at.XVX_inverse
        _, curve = along_sigma(inverse, off, normal.K, at.sigma2, 0.0, at.pwrss, self.reml)
        # The coefficients move by -Phi sigma2 K (beta - g0) with log sigma2, and Phi by -Phi sigma2 K Phi.
        cross = 2.0 * derivatives.score_slopes @ (inverse @ normal.K @ off)
        if self.reml:
            moved = at.sigma2 * inverse @ normal.K @ inverse
            cross = cross - np.einsum("kab,ab->k", derivatives.fixed_slopes, moved)
        return curve, cross

    def at(self, evaluation: FittedEvaluation) -> Jet:
        """The log density at an evaluation; under REML coefficients have been integrated out, their density with them."""
        found = self.log_density(evaluation.theta, float(np.log(evaluation.sigma2)))
        if self.coefficients is None or self.reml:
            return found
        off = evaluation.beta - self.coefficients.g0
        own = -0.5 * (float(off @ self.coefficients.K @ off) + self.coefficients.constant)
        return found._replace(value=found.value + own)
