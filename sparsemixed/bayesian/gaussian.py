"""Posteriors of designs beyond a factorization: Gaussian in the variance parameters, everything else exact given them.

The iterative fit knows the zero of the restricted likelihood's score and the average information there, but no log-determinant at
other parameters, so that no draw could be weighted. In unconstrained coordinates phi the likelihood is taken as the quadratic of
that information; the prior is added as it is, and the normal at the mode of both is drawn from.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.bayesian.evaluation import Evaluator
from sparsemixed.bayesian.model import BayesModel
from sparsemixed.bayesian.sampling import Nodes
from sparsemixed.errors import NotAvailableError, NumericalError
from sparsemixed.estimation.problems.iterative import solve_iterative

STEPS, NEAR = 50, 1e-8
"""Of Newton's method to the mode, and the Newton decrement that ends it."""
BROKEN = 1e299
"""On the diagonal of a root: no normal of the coefficients was found there."""


def gaussian_nodes(model: BayesModel, evaluate: Evaluator, count: int, random: np.random.Generator) -> Nodes:
    """Equally weighted draws of the approximation, with the coefficients' exact normals at each.

    Raises
    ------
    NotAvailableError
        Normal priors of the coefficients; a variance that is estimated as zero.
    NumericalError
        The information is not positive definite; conjugate gradients do not converge at a draw.
    """
    if not model.target.coefficients.flat:
        raise NotAvailableError(
            "bayes: of designs beyond a factorization, solver(krylov), coefficients have flat priors: the restricted likelihood "
            "is all that is known"
        )
    mode, covariance = _mode(model, *_likelihood(model))
    phi = mode + random.standard_normal((count, len(mode))) @ np.linalg.cholesky(covariance).T
    _, integrated = evaluate(phi)
    if not np.all(np.isfinite(integrated.mean)) or np.any(np.abs(integrated.root) > BROKEN):
        raise NumericalError(
            "bayes: conjugate gradients did not converge at a draw of the variance parameters; use solver(sparse) where a "
            "factorization fits into memory"
        )
    nan = float("nan")
    return Nodes(phi, np.full(count, 1.0 / count), integrated, nan, nan, nan, float(count))


def _likelihood(model: BayesModel) -> tuple[np.ndarray, np.ndarray]:
    """Where the restricted likelihood is highest, phi (n,), and its information (n, n) there."""
    fit, target, objective = model.fit, model.target, model.target.sums.objective
    at = objective.evaluate(fit.theta)
    if fit.spec.estimation.method != "reml":
        at = solve_iterative(objective, replace(fit.spec.estimation, method="reml"), at, None).optimum.evaluation
    if objective.held(at.theta).any():
        raise NotAvailableError(
            "bayes: a variance is estimated as zero, and by solver(krylov) the posterior is Gaussian about the estimates; leave "
            "the effect out"
        )
    phi = target.start(at.theta, at.sigma2)
    hessian = objective.derivatives(at).information.hessian
    return phi, target.in_coordinates(phi, 0.5 * hessian)


def _mode(model: BayesModel, centre: np.ndarray, information: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest place (n,) of prior and quadratic likelihood, and the inverse (n, n) of their curvature."""
    phi, values, vectors = centre, np.empty(0), np.empty((0, 0))
    for _ in range(STEPS):
        gradient, hessian = model.target.prior_derivatives(phi)
        values, vectors = np.linalg.eigh(information - hessian)
        if not values[0] > 0:
            raise NumericalError("bayes: the information of the variance parameters is not positive definite with these priors")
        slope = vectors.T @ (gradient - information @ (phi - centre))
        step = vectors @ (slope / values)
        if float(slope @ (slope / values)) < NEAR:
            break
        phi = phi + step / max(1.0, float(np.linalg.norm(step)))
    return phi, (vectors / values) @ vectors.T
