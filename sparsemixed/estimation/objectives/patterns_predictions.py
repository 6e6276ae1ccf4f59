"""Best linear unbiased predictions cluster by cluster: b = G Z'inv(V)(y - X beta)."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.objectives.patterns import ClusterEvaluation, ClusterObjective


def random_effects(
    design: Design, objective: ClusterObjective, at: ClusterEvaluation
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """b (J, k) and Var(b - b_hat) (J, k, k) of every term, in the order of the design."""
    own, _ = objective.split(at.theta)
    factors = objective.parameters.factors(own)
    c = np.append(-at.beta, 1.0)
    means: list = [None] * len(design.random)
    variances: list = [None] * len(design.random)
    for t, r in enumerate(objective.parameters.order):
        term, G = design.random[r], factors[t] @ factors[t].T
        score = np.zeros((term.n_groups, term.k))
        fixed = np.zeros((term.n_groups, term.k, objective.p))
        spread = np.zeros((term.n_groups, term.k, term.k))
        for bucket, Q in zip(objective.buckets, at.inverses, strict=True):
            pattern = np.repeat(np.arange(len(bucket.start) - 1), np.diff(bucket.start))
            z, codes = term.columns[bucket.index], term.codes[bucket.index]
            solved = Q[pattern] @ bucket.rows
            np.add.at(score, codes, z * (solved @ c)[:, :, None])
            np.add.at(fixed, codes, z[..., None] * solved[:, :, None, : objective.p])
            # Z'inv(V)Z of a group: pairs of its rows only.
            through = np.where(bucket.shared[t], Q, 0.0)[pattern] @ z
            np.add.at(spread, codes, z[..., None] * through[:, :, None, :])
        spread -= fixed @ at.XVX_inverse @ fixed.transpose(0, 2, 1)
        means[r] = score @ G
        variances[r] = at.sigma2 * (G - G @ spread @ G)
    return tuple(means), tuple(variances)
