"""Robust (sandwich) covariance: clusters of rows vary as they do, not as the model says.

V = M / (M - 1) B (sum_j s_j s_j') B over M independent clusters, s_j the cluster's scores and B block diagonal: inv(-H_bb)
for the coefficients, and for the variance parameters the inverse of the negative Hessian with beta profiled out. A sampling
weight of a cluster multiplies its scores; a frequency weight f says that there are f such clusters. (Manual,
Methods and formulas: robust variances; Huber 1967; White 1982. The two blocks are what the printed figures imply: the full
inverse Hessian as bread would differ, because scores of beta and of the variances are correlated where the model is wrong.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparsemixed.design.values import Clusters
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.fit_cache import cached_on_fit

if TYPE_CHECKING:
    from sparsemixed.estimation.scores import Scores


def is_robust(fit: Fit) -> bool:
    """Whether standard errors of all parameters come from clusters' scores."""
    return fit.spec.vce.method.scores


@cached_on_fit("cluster-scores")
def scores(fit: Fit) -> Scores:
    """The scores of `fit.design.clusters`. Not to be changed."""
    from sparsemixed.estimation.scores import cluster_scores  # delayed, with what it needs, for a quick start

    clusters = fit.design.clusters
    assert clusters is not None
    return cluster_scores(fit, clusters.codes.astype(np.int64), clusters.n_clusters)


def root_weights(clusters: Clusters) -> np.ndarray:
    """(M, 1) roots of M / (M - 1) / f: scores times these are the rows of a root of the sum above, corrected.

    The scores of a cluster that stands for f carry that factor already, and f s s' is wanted of the single one's.
    """
    m, f = clusters.number, 1.0 if clusters.frequency is None else clusters.frequency
    return np.sqrt(np.ones(clusters.n_clusters) * m / (m - 1) / f)[:, None]


def robust_root(fit: Fit) -> np.ndarray:
    """(p, M): the robust covariance of the coefficients is this times its transpose."""
    assert fit.design.clusters is not None
    return fit.root @ (scores(fit).beta * root_weights(fit.design.clusters)).T


def robust_theta(fit: Fit, inverse: np.ndarray) -> np.ndarray:
    """(n_theta + 1, n_theta + 1) robust covariance of (theta, log sigma2), from the inverse of the observed information."""
    assert fit.design.clusters is not None
    half = (scores(fit).theta * root_weights(fit.design.clusters)) @ inverse
    return half.T @ half
