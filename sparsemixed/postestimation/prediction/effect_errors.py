"""Prediction-error variances of the random effects, with the coefficients known or estimated."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.prediction.joint_errors import joint_errors
from sparsemixed.postestimation.prediction.joint_values import JointErrors


def effect_variances(fit: Fit, coefficients: str | None = None) -> tuple[np.ndarray, ...]:
    """(J, k) Var(b_hat - b) of every term.

    Parameters
    ----------
    coefficients : {"known", "estimated"}, optional
        By default as in Stata: known after maximum likelihood, estimated after REML, which adds sigma2 Lambda U Phi U'Lambda'.

    Raises
    ------
    DataError
        The fit was saved without its data, and the other one than it knows is asked for.
    """
    own = "estimated" if fit.spec.estimation.method == "reml" else "known"
    if coefficients is None or coefficients == own or not len(fit.beta):
        return tuple(np.clip(np.diagonal(v, axis1=1, axis2=2), 0.0, None) for v in fit.u_var)
    errors = joint_errors(fit)
    return tuple(_variances(errors, t, coefficients == "estimated") for t in range(len(fit.u)))


def _variances(errors: JointErrors, t: int, estimated: bool) -> np.ndarray:
    """(J, k) of one term, of the effects as they are named."""
    T, own, moves = errors.bases[t], errors.own[t], errors.moves[t]
    if T is not None:
        own, moves = T @ own @ T.T, T @ moves
    found = np.diagonal(own, axis1=1, axis2=2) + (np.sum(moves**2, axis=2) if estimated else 0.0)
    return np.clip(found, 0.0, None)
