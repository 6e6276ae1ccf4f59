"""Solutions on the boundary: a variance of zero, or a covariance matrix without full rank, stated exactly and by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.interface import E, Objective, ScoreDerivatives

MAX_PREDICTED_RISE = 1e-5
"""Predicted rise of the deviance below which a face is tried at exactly zero."""
MAX_RISE = 1e-7
"""Rise of the deviance that still counts as none."""


@dataclass(frozen=True)
class Boundary:
    """Which parameters belong to a component on the boundary (n_theta,) bool, and the components in words."""

    parameters: np.ndarray
    names: tuple[str, ...]


def project_to_boundary(
    objective: Objective[E, ScoreDerivatives], at: E, gradient: np.ndarray, hessian: np.ndarray
) -> tuple[E, Boundary]:
    """Move the solution onto every singular face that costs no likelihood, and report them.

    Newton approaches a face but stops a rounding error short of it; here theta is projected on the face and kept there
    if the deviance does not rise. What loses its standard error there is said by `ThetaMap.singular_faces`.

    Parameters
    ----------
    at : Evaluation
    gradient, hessian : (n_theta,), (n_theta, n_theta)
        Of the quadratic model at `at`.

    Returns
    -------
    Evaluation
        `at` itself where nothing moved.
    Boundary
    """
    theta = at.theta
    touched, names = np.zeros(theta.size, bool), []
    for where, form, words in objective.singular_faces(theta):
        value = float(form @ theta)
        move = -form * value / float(form @ form)
        if value != 0.0 and abs(gradient @ move) + 0.5 * abs(move @ hessian @ move) > MAX_PREDICTED_RISE:
            continue
        if value != 0.0:
            trial = objective.evaluate(theta + move)
            if not trial.deviance <= at.deviance + MAX_RISE:  # also where the deviance is not known
                continue
            at, theta = trial, trial.theta
        touched[where] = True
        names.append(words)
    return at, Boundary(touched, tuple(names))


def with_limits(boundary: Boundary, gone: np.ndarray, names: tuple[str, ...]) -> Boundary:
    """The boundary with residual parameters on which nothing depends any more.

    Parameters
    ----------
    gone : (n_rho,) bool
        Among theta's last parameters.
    names : tuple of str
        Why, in words.
    """
    touched = boundary.parameters.copy()
    touched[touched.size - gone.size :] |= gone
    return Boundary(touched, (*boundary.names, *names))
