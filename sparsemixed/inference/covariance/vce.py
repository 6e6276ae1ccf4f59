"""The covariance matrices that a fit reports: of its coefficients and of its variance parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.sandwich import is_robust, robust_root, robust_theta
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.solver.linalg import clearly_definite, root_of_inverse

NOT_DEFINITE = (
    "The observed information of the variance parameters is not positive definite: no standard errors. "
    "The likelihood is flat or has not been maximised; a simpler random part may be needed."
)


@cached_on_fit("beta-covariance")
def beta_covariance(fit: Fit) -> np.ndarray:
    """(p, p) covariance of the coefficients by `fit.spec.vce`. Not to be changed."""
    if fit.spec.vce.method.degrees is not None:
        from sparsemixed.inference.covariance.cluster_robust import (
            robust_covariance,  # delayed, with what it needs, for a quick start
        )

        return robust_covariance(fit, fit.spec.vce.name)
    if not is_robust(fit):
        return fit.vcov_beta
    half = robust_root(fit)
    return half @ half.T


def coefficient_errors(fit: Fit) -> np.ndarray:
    """(p,) of the coefficients by `fit.spec.vce`; those of the model without their covariance matrix, as large as it may be."""
    if fit.spec.vce.method.model_based:
        return np.sqrt(np.einsum("ij,ij->i", fit.root, fit.root))
    return np.sqrt(np.clip(np.diag(beta_covariance(fit)), 0.0, None))


def standard_errors(fit: Fit, K: np.ndarray) -> np.ndarray:
    """(l,) of K beta, for K (l, p).

    Of the model's from the root of their covariance: where terms of a row cancel, as with covariates far from zero, their squares
    lose twice the digits.
    """
    if fit.spec.vce.method.model_based:
        return np.linalg.norm(K @ fit.root, axis=1)
    return np.sqrt(np.clip(np.einsum("ij,ij->i", K @ beta_covariance(fit), K), 0.0, None))


@dataclass(frozen=True)
class ThetaCovariance:
    """Covariance of (theta, log sigma2).

    Attributes
    ----------
    matrix : (n_theta + 1, n_theta + 1) float64 or None
        Rows and columns of parameters on the boundary are zero; None when there is no usable information.
    note : str
        Why there is none, when that is a surprise.
    """

    matrix: np.ndarray | None
    note: str = ""


@cached_on_fit("theta-covariance")
def theta_covariance(fit: Fit) -> ThetaCovariance:
    """The inverse of the observed information over the parameters that are not on the boundary, or the sandwich around it."""
    found = inverse_information(fit)
    if found.matrix is None or not is_robust(fit):
        return found
    return ThetaCovariance(robust_theta(fit, found.matrix))


def information_note(fit: Fit) -> str:
    """Why a fit has no covariance of its variance parameters, when that is a surprise; without the matrix where it is clear."""
    information = fit.information
    if information is None:
        return ""
    if fit.identification is None and not fit.boundary.any() and clearly_definite(information):
        return ""
    return inverse_information(fit).note


def inverse_information(fit: Fit) -> ThetaCovariance:
    """The covariance of the variance parameters by the model, whatever `fit.spec.vce`."""
    if fit.information is None:
        return ThetaCovariance(None)
    nullity, edge = 0 if fit.identification is None else fit.identification.free, fit.boundary.any()
    free = np.append(~fit.boundary, True) if edge else None
    root = root_of_inverse(fit.information if free is None else fit.information[np.ix_(free, free)], nullity)
    if root is None:
        return ThetaCovariance(None, NOT_DEFINITE)
    if free is None:
        return ThetaCovariance(root @ root.T)
    matrix = np.zeros_like(fit.information)
    matrix[np.ix_(free, free)] = root @ root.T
    return ThetaCovariance(matrix)
