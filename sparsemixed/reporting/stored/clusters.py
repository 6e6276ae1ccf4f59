"""What is stored with a `vce()` other than the model's own."""

from __future__ import annotations

from sparsemixed.design.values import Clusters
from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.stored.matrices import model_covariance
from sparsemixed.reporting.stored.row import Condition, Stored

ADVICE = "vce(robust), vce(cluster), vce(cr2) and the like"


def _clusters(fit: Fit) -> Clusters:
    assert fit.design.clusters is not None
    return fit.design.clusters


def n_clusters(fit: Fit) -> int:
    """The number of clusters."""
    return _clusters(fit).number


def cluster_name(fit: Fit) -> str:
    """What tells the clusters apart."""
    return _clusters(fit).name


def _has_clusters(fit: Fit) -> bool:
    return fit.design.clusters is not None


def _has_named_clusters(fit: Fit) -> bool:
    return fit.design.clusters is not None and bool(fit.design.clusters.name)


CLUSTERED = (
    Stored("N_clust", "scalar", n_clusters, Condition(_has_named_clusters, ADVICE)),
    Stored("clustvar", "macro", cluster_name, Condition(_has_named_clusters, ADVICE)),
    Stored("V_modelbased", "matrix", model_covariance, Condition(_has_clusters, ADVICE)),
)
