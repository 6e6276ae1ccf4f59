"""The log density of priors of the variance parameters, as the search needs it: what a penalised likelihood adds.

The penalised deviance is d(theta, sigma2) - 2 log p(theta, sigma2), with densities of the parameters as they are named, without
Jacobians: its minimum does not depend on coordinates. sigma2 has no closed form beside a prior and is found by Newton steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import FittedEvaluation
from sparsemixed.estimation.jets import CovarianceJets, Jet, constant
from sparsemixed.estimation.parameters import Place
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
    """

    n_theta: int
    blocks: tuple[tuple[Place, tuple[BlockTerm, ...]], ...]
    residual: tuple[Prior, str] | None

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

    def profiled(self, theta: np.ndarray, deviance: float, pwrss: float, df: float) -> tuple[float, float]:
        """The penalised deviance and sigma2 at its best, from the deviance with sigma2 = pwrss / df."""
        rest = deviance - df * (1.0 + float(np.log(pwrss / df)))
        known = self.known_variance
        log_sigma2 = float(np.log(pwrss / df if known is None else known))
        prior = self.log_density(theta, log_sigma2)
        value = df * log_sigma2 + pwrss * float(np.exp(-log_sigma2)) - 2.0 * prior.value
        for _ in range(STEPS if known is None else 0):
            share = pwrss * float(np.exp(-log_sigma2))
            slope, curve = df - share - 2.0 * prior.gradient[-1], share - 2.0 * prior.hessian[-1, -1]
            step = float(np.clip(-slope / curve if curve > 0 else -np.sign(slope), -1.0, 1.0))
            if abs(step) < EXACT:
                break
            while True:
                trial = self.log_density(theta, log_sigma2 + step)
                moved = df * (log_sigma2 + step) + pwrss * float(np.exp(-log_sigma2 - step)) - 2.0 * trial.value
                if moved <= value + 1e-12 * abs(value) or abs(step) < EXACT:
                    break
                step /= 2.0
            log_sigma2, prior, value = log_sigma2 + step, trial, moved
        return rest + value, float(np.exp(log_sigma2))

    def at(self, evaluation: FittedEvaluation) -> Jet:
        """The log density at an evaluation."""
        return self.log_density(evaluation.theta, float(np.log(evaluation.sigma2)))
