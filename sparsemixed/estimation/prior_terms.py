"""Log densities of priors with their exact derivatives by (theta of a block, log sigma2)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.estimation.jets import CovarianceJets, Jet, constant
from sparsemixed.priors.matrices import LKJ, BoundaryAvoiding, InverseWishart, MatrixPrior, Wishart
from sparsemixed.priors.single import Prior
from sparsemixed.structures.random.base import RandomStructure
from sparsemixed.structures.random.unstructured import Unstructured

SMALLEST = 1e-8
"""Standard deviation, over sigma, below which derivatives of even densities are those at this one."""

BlockTerm = Callable[[np.ndarray, CovarianceJets], Jet]
"""From theta (q,) of a block and its covariance matrix to a log density with derivatives (q + 1,)."""


def of_scale(prior: Prior, of: str, variance: Jet, sigma2: float) -> Jet:
    """The prior of a standard deviation, or with `of` "var" of its square, as a function of the variance."""
    if of == "var":
        return variance.through(float(prior.log_density(variance.value)), *prior.slopes(variance.value))
    v = max(variance.value, SMALLEST**2 * sigma2)
    x = float(np.sqrt(v))
    first, second = prior.slopes(x)
    return variance.through(float(prior.log_density(x)), first / (2 * x), (second - first / x) / (4 * v))


def scale_term(prior: Prior, of: str, k: int) -> BlockTerm:
    """A prior of the standard deviation, or variance, of the effect with place k."""
    return lambda theta, jets: of_scale(prior, of, jets.variance(k), jets.sigma2)


def boundary_term(structure: RandomStructure, prior: BoundaryAvoiding) -> BlockTerm:
    """(shape - 1) times the sum of the logarithms of the distinct roots of eigenvalues; log|Sigma| / 2 of free matrices."""
    if isinstance(structure, Unstructured):
        return lambda theta, jets: jets.log_determinant().times(0.5 * (prior.shape - 1.0))
    forms = structure.singular_faces()

    def term(theta: np.ndarray, jets: CovarianceJets) -> Jet:
        n, along = len(theta) + 1, forms @ theta
        found = constant(0.0, n)
        for form, value in zip(forms, along, strict=True):
            square = Jet(float(value) ** 2, np.append(2 * value * form, 0.0), np.zeros((n, n)))
            square.hessian[:-1, :-1] = 2 * np.outer(form, form)
            found = found.plus(square.log())
        unit = np.zeros(n)
        unit[-1] = len(forms)
        found = found.plus(Jet(len(forms) * float(np.log(jets.sigma2)), unit, np.zeros((n, n))))
        return found.times(0.5 * (prior.shape - 1.0))

    return term


def matrix_term(prior: MatrixPrior, m: int) -> BlockTerm:
    """A prior of a whole covariance matrix, its constant among it."""

    def term(theta: np.ndarray, jets: CovarianceJets) -> Jet:
        found = _moving_part(prior, m, jets)
        exact = float(prior.log_density(jets.matrix, jets.log_determinant().value))
        return found._replace(value=exact)

    return term


def _moving_part(prior: MatrixPrior, m: int, jets: CovarianceJets) -> Jet:
    logdet = jets.log_determinant()
    if isinstance(prior, Wishart):
        return logdet.times(0.5 * (prior.df - m - 1)).plus(jets.trace(np.linalg.inv(scale_of(prior, m))).times(-0.5))
    assert isinstance(prior, InverseWishart)
    df = m + 1 if prior.df is None else prior.df
    return logdet.times(-0.5 * (df + m + 1)).plus(jets.inverse_trace(scale_of(prior, m)).times(-0.5))


def scale_of(prior: Wishart | InverseWishart, m: int) -> np.ndarray:
    """The scale matrix (m, m)."""
    matrix = np.asarray(prior.scale, float)
    return matrix * np.eye(m) if matrix.ndim == 0 else matrix


def correlation_term(prior: LKJ | Prior, m: int) -> BlockTerm:
    """LKJ of the correlation matrix, or a prior of the single correlation of two effects."""

    def matrix(theta: np.ndarray, jets: CovarianceJets) -> Jet:
        assert isinstance(prior, LKJ)
        logdet = jets.log_determinant()
        for k in range(m):
            logdet = logdet.plus(jets.variance(k).log().times(-1.0))
        return logdet.through(float(prior.log_density(logdet.value, m)), prior.eta - 1.0, 0.0)

    def single(theta: np.ndarray, jets: CovarianceJets) -> Jet:
        assert isinstance(prior, Prior)
        covariance = jets.trace(np.array([[0.0, 0.5], [0.5, 0.0]]))
        log_scale = jets.variance(0).log().plus(jets.variance(1).log()).times(-0.5)
        size = float(np.exp(log_scale.value))
        r = covariance.by(log_scale.through(size, size, size))
        return r.through(float(prior.log_density(r.value)), *prior.slopes(r.value))

    return matrix if isinstance(prior, LKJ) else single
