"""The observed information carried from (theta, log sigma2) to the parameters in which V is linear, or as printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.interface import Derivatives
from sparsemixed.inference.information.covariance_entries import CovarianceEntry, metric_change
from sparsemixed.inference.information.singular import covariance_on_face
from sparsemixed.inference.information.values import by_delta_method


class Observed(NamedTuple):
    """The information matrix (m, m), or the covariance (m, m) on a face: G singular but not zero, or no residual variance."""

    information: np.ndarray | None = None
    on_face: np.ndarray | None = None


def observed_information(
    fit: Fit, derivatives: Derivatives, parameters: Sequence[CovarianceEntry], boundary: np.ndarray
) -> Observed:
    """What is observed of `parameters` and of the residuals' own.

    Parameters
    ----------
    derivatives : Derivatives
        At `fit.theta`.
    boundary : (n_theta,) bool
        What counts as known; the fit's own, or less of it (`inference.information.singular.without_singular`).
    """
    free = np.append(~boundary, True)
    jacobian, rows = metric_change(fit, parameters, boundary), np.ix_(free, free)
    whole = np.array_equal(boundary, fit.boundary)
    information = fit.information if whole else None
    if information is None:
        information = 0.5 * derivatives.observed_information.hessian
    if whole and not fit.without_errors:
        return Observed(by_delta_method(information[rows], jacobian))
    return Observed(on_face=covariance_on_face(information[rows], jacobian))
