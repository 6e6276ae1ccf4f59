"""Scores of a fit: the derivatives of the log likelihood of each independent cluster, in the parameters of e(b)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.design.values import Clusters
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.scores import cluster_scores
from sparsemixed.inference.covariance.sandwich import scores as cached_scores
from sparsemixed.inference.estimation_metric import equation_names, residual_names, variance_metric
from sparsemixed.solver.residual.patterns import independent_blocks


def parameter_scores(fit: Fit) -> pd.DataFrame:
    """Scores, one row per cluster and one column per estimated parameter, named as in e(b).

    Clusters are those of `vce()`, else the top-level groups, else single rows; the index holds their values (numbers where the
    groups have no random effects). Weights count. Columns add up to zero at the optimum. Parameters on the boundary have
    missing scores. Where constraints tie coefficients, their scores are projected on the directions that the constraints leave.

    Raises
    ------
    OptionError
        By REML, whose criterion is no sum over clusters; with crossed effects, which leave no clusters.
    """
    if fit.spec.estimation.method == "reml":
        raise OptionError("predict: scores need ML; the restricted likelihood is not a sum over clusters")
    own = fit.design.clusters
    if own is None:
        own = top_level_clusters(fit)
        found = cluster_scores(fit, own.codes.astype(np.int64), own.n_clusters)
    else:
        found = cached_scores(fit)
    fixed = [(fit.spec.response, name) for name in fit.design.names]
    random = [(name, "_cons") for name in (*equation_names(fit), *residual_names(fit))]
    values = np.column_stack([found.beta @ _inverse_root(fit), _in_metric(fit, found.theta)])
    columns = pd.MultiIndex.from_tuples([*fixed, *random], names=["equation", "name"])
    return pd.DataFrame(values, index=_index(own.labels), columns=columns)


def top_level_clusters(fit: Fit, asked: str = "predict: scores need") -> Clusters:
    """The groups that hold all others; single rows in a model without groups. `asked` begins messages."""
    part, n = fit.design.residual, len(fit.design.y)
    sets: list[tuple[np.ndarray, int, pd.DataFrame | None]] = [(t.codes, t.n_groups, t.labels) for t in fit.design.random]
    if part is not None:
        sets.append((part.codes, part.n_groups, None))
    if not sets:
        return Clusters(np.arange(n, dtype=np.int32), n, "", pd.DataFrame({"row": fit.design.kept}))
    codes, n_groups, labels = min(sets, key=lambda one: one[1])
    if int(independent_blocks([one[0] for one in sets], [one[1] for one in sets]).max()) + 1 != n_groups:
        raise OptionError(f"{asked} independent clusters, and the groups of this model are crossed")
    if n_groups == 1:
        raise OptionError(f"{asked} independent clusters, and effects tie the whole sample together")
    if labels is None:
        labels = pd.DataFrame({"cluster": np.arange(n_groups)})
    return Clusters(codes, n_groups, str(labels.columns[-1]), labels)


def _index(labels: pd.DataFrame) -> pd.Index:
    return pd.Index(labels.iloc[:, 0]) if labels.shape[1] == 1 else pd.MultiIndex.from_frame(labels)


def _inverse_root(fit: Fit) -> np.ndarray:
    """(r, p): takes scores in standardised coordinates to scores of the coefficients.

    root = T B with T the orthonormal basis of what constraints leave, the identity without any.
    """
    T = np.eye(len(fit.beta)) if fit.design.constraints is None else fit.design.constraints.T
    B = T.T @ fit.root
    scale = np.linalg.norm(B, axis=1)  # standard errors, whose units may differ widely
    return np.linalg.inv(B / scale[:, None]) / scale @ T.T


def _in_metric(fit: Fit, scores: np.ndarray) -> np.ndarray:
    """Scores (M, q) of the variance parameters in the metric of e(b), from those in (theta, log sigma2)."""
    gradients = variance_metric(fit)[1]
    out = np.full((len(scores), len(gradients)), np.nan)
    rows, columns = np.any(gradients != 0, axis=1), np.append(~fit.boundary, True)
    if rows.sum() == columns.sum():
        out[:, rows] = scores[:, columns] @ np.linalg.inv(gradients[np.ix_(rows, columns)])
    return out
