"""One EM step: every covariance becomes the mean of its groups' conditional second moments, beta and sigma2 profiled.

Sigma_t <- (1 / J_t) sum_i (b_i b_i' + Var(b_i | y)), then the nearest member of the structure (manual, Methods and
formulas, step 3; Laird & Ware 1982). All of it is a by-product of the gradient.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.derivatives import Derivatives


def em_step(derivatives: Derivatives) -> np.ndarray:
    """theta (n_theta,) after one EM step from `derivatives.at`."""
    objective, at = derivatives.objective, derivatives.at
    cp, inverse = objective.cp, derivatives.inverse
    own = {pair.t: values[pair.own] for pair, values in zip(cp.pairs, inverse.pairs, strict=True) if pair.t == pair.u}
    moments = derivatives.outer(at.u[:, None], at.u[:, None])
    if objective.reml:
        uncertainty = derivatives.outer(at.U @ at.XVX_inverse, at.U)
    covariances = []
    for t, (factor, groups) in enumerate(zip(derivatives.factors, cp.n_groups, strict=True)):
        spherical = moments[t] / at.sigma2 + (inverse.first if t == 0 else own[t - 1]).sum(axis=0)
        if objective.reml:
            spherical = spherical + uncertainty[t]
        covariances.append(factor @ spherical @ factor.T / groups)
    return objective.parameters.nearest(covariances)
