"""Variances of margins that account for the sampling of the rows that they average over: vce(unconditional).

The equations of the coefficients and of the margins m are stacked over independent clusters j. With s_j the cluster's score, B
the inverse of the negative Hessian in the coefficients, J the derivative of the margins by them, w_i the weights of rows and W
their sum in the margin's group,

    psi_j = J B s_j + (1/W) sum of w_i (m_i - m) over the cluster's rows of the group,    V = M / (M - 1) sum_j psi_j psi_j'.

A cluster of frequency f stands for f clusters. (Stata's manual, margins, Methods and formulas; Huber 1967.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.design.data.codes import first_rows
from sparsemixed.design.values import Clusters
from sparsemixed.errors import DataError, NumericalError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.scores import Scores, cluster_scores
from sparsemixed.inference.covariance.sandwich import is_robust, root_weights
from sparsemixed.inference.covariance.sandwich import scores as cached_scores
from sparsemixed.postestimation.margins.cell_means import RowValues
from sparsemixed.postestimation.margins.row_forms import Recipe, RowForms
from sparsemixed.postestimation.margins.sample import MarginSample
from sparsemixed.postestimation.scores import top_level_clusters

OPTION = "margins: vce(unconditional)"


@dataclass(frozen=True)
class Sampling:
    """Covariance (m, m) of margins, and the number of clusters behind it."""

    covariance: np.ndarray
    n_clusters: int


Evaluated = tuple[RowForms, Iterable[tuple[RowValues, np.ndarray]], Recipe, bool]
"""What evaluates a margin in rows, these, the margin, and whether it varies over rows at all."""


def check_unconditional(fit: Fit) -> None:
    """Raise where the coefficients have no scores by clusters.

    Raises
    ------
    OptionError
        REML; cluster-robust standard errors with corrections of their own.
    DataError
        A fit without its rows.
    """
    if fit.spec.estimation.method == "reml":
        raise OptionError(
            f"{OPTION} needs a fit by ML: it rests on scores of clusters, and the restricted likelihood is no sum over clusters"
        )
    if fit.spec.vce.method.degrees is not None:
        raise OptionError(
            f"{OPTION} is not defined with vce({fit.spec.vce.name}), whose corrections are for the coefficients alone; use "
            "vce(robust)"
        )
    if not fit.design.has_rows:
        raise DataError(f"{OPTION} needs the rows that the model was fitted to, and this fit does not hold them")


def sampling_of_rows(fit: Fit, sample: MarginSample, J: np.ndarray, each: Sequence[Evaluated]) -> Sampling:
    """Covariance of margins with derivatives J (m, p)."""
    check_unconditional(fit)
    if sample.foreign:
        raise OptionError(f"{OPTION} accounts for the sampling of the fit's own rows; it does not go with data= or noesample")
    clusters, scores = _clusters(fit)
    influence = scores.beta @ (J @ fit.root).T
    codes = _codes(fit, sample, clusters)
    for k, (forms, batches, recipe, varies) in enumerate(each):
        if not varies:
            continue
        ((values, rows),) = batches  # all rows are in memory
        own = np.ones(len(rows)) if values.weights is None else values.weights[rows]
        value = forms.each(recipe, values, rows)
        share = own / own.sum()
        influence[:, k] += np.bincount(codes[rows], share * (value - share @ value), clusters.n_clusters)
    influence = influence * root_weights(clusters)
    return Sampling(influence.T @ influence, clusters.number)


def _clusters(fit: Fit) -> tuple[Clusters, Scores]:
    """Those of the fit's robust standard errors, else its top-level groups."""
    if fit.design.clusters is not None and is_robust(fit):
        return fit.design.clusters, cached_scores(fit)
    clusters = _replicated(fit, top_level_clusters(fit, f"{OPTION} needs"))
    if clusters.number < 2:
        raise DataError(f"{OPTION}: there is only one cluster, and variances between clusters need several")
    try:
        return clusters, cluster_scores(fit, clusters.codes.astype(np.int64), clusters.n_clusters)
    except NumericalError as error:
        raise NumericalError(f"{OPTION} needs scores of clusters, and this fit has none: {error}") from None


def _replicated(fit: Fit, clusters: Clusters) -> Clusters:
    """With the number of clusters that each stands for, where frequency weights replicate whole ones."""
    weights = fit.design.weights
    if weights is None or weights.kind != "frequency":
        return clusters
    if not fit.design.random and (fit.design.residual is None or fit.spec.weights is None or fit.spec.weights.rows is None):
        return replace(clusters, frequency=weights.rows[first_rows(clusters.codes, clusters.n_clusters)])
    for term, of_groups in zip(fit.design.random, weights.groups, strict=True):
        if term.n_groups == clusters.n_clusters and np.array_equal(term.codes, clusters.codes):
            return replace(clusters, frequency=of_groups)
    return clusters


def _codes(fit: Fit, sample: MarginSample, clusters: Clusters) -> np.ndarray:
    """(n,) cluster of every row of the sample, which is all of the fit's rows or some of them."""
    if sample.values is None:
        return clusters.codes
    return clusters.codes[np.searchsorted(fit.design.kept, sample.values.rows.kept)]
