"""One step of expectation maximization, beta and sigma2 profiled: a by-product of the gradient.

Every covariance becomes the mean of its groups' conditional second moments,
Sigma_t <- (1 / sum_i D_i) sum_i D_i (b_i b_i' + Var(b_i | y)), D_i the number of groups that group i stands for, then the
nearest member of the structure (manual, Methods and formulas, step 3; Laird & Ware 1982).
"""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedDerivatives


def em_step(objective: PenalizedObjective, derivatives: PenalizedDerivatives) -> np.ndarray:
    """theta (n_theta,) after one EM step from `derivatives.at`."""
    at, cp, inverse = derivatives.at, objective.cp, derivatives.inverse_diagonals()
    weights = objective.system.weights
    each = np.concatenate([np.repeat(w, k) for w, k in zip(weights, cp.k, strict=True)])[:, None]
    moments = derivatives.outer(each * at.u[:, None], at.u[:, None])
    uncertainty = derivatives.outer(at.U @ at.XVX_inverse, at.U) if objective.reml else None
    covariances = []
    for t, (factor, w) in enumerate(zip(derivatives.factors, weights, strict=True)):
        spherical = moments[t] / at.sigma2 + np.tensordot(w, inverse[t], axes=1)
        if uncertainty is not None:
            spherical = spherical + uncertainty[t]
        covariances.append(factor @ spherical @ factor.T / w.sum())
    return objective.parameters.nearest(covariances)
