"""Tests of margins one by one, with the degrees of freedom of the fit's method for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import held_rows
from sparsemixed.inference.covariance.vce import beta_covariance
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.multiple import adjusted
from sparsemixed.inference.hypotheses.wald import Coefficients
from sparsemixed.postestimation.margins.values import MarginsRequest


def margin_covariance(fit: Fit, K: np.ndarray, small: bool) -> np.ndarray:
    """K V K' (m, m), V as the fit reports it; with `small` that of its method of degrees of freedom."""
    method = small_sample(fit, True) if small else None
    return K @ (beta_covariance(fit) if method is None else method.covariance(fit)) @ K.T


def row_tests(
    fit: Fit,
    K: np.ndarray,
    estimate: np.ndarray,
    estimable: np.ndarray,
    request: MarginsRequest,
    covariance: np.ndarray | None = None,
    blocks: Sequence[slice] = (),
) -> Coefficients:
    """Tests of margins with rows K (m, p).

    Parameters
    ----------
    estimate : (m,) float64
    estimable : (m,) bool
    request : MarginsRequest
        Degrees of freedom and adjustments.
    covariance : (m, m) float64, optional
        Of the margins; K V K' by default.
    blocks : sequence of slice
        The margins of one term, for which tests are adjusted; all are of one by default.
    """
    if covariance is None:
        covariance = margin_covariance(fit, K, request.small)
    held = estimable & held_rows(fit, K) if not request.unconditional else np.zeros(len(K), bool)
    std_err = np.where(held, 0.0, np.sqrt(np.clip(np.diag(covariance), 0.0, None)))
    std_err, estimate = np.where(estimable, std_err, np.nan), np.where(estimable, estimate, np.nan)
    df = None
    if request.df is not None:
        df = np.full(len(K), request.df)
    elif request.small:
        method = small_sample(fit, True)
        assert method is not None
        # None, where a method defines nothing for a row, is a large-sample test.
        each = [method.dof(fit, row[None]).df if ok else np.nan for row, ok in zip(K, estimable & ~held, strict=True)]
        df = np.array([np.inf if one is None else one for one in each])
    return _adjusted(K, estimate, std_err, df, request, blocks)


def _adjusted(
    K: np.ndarray,
    estimate: np.ndarray,
    std_err: np.ndarray,
    df: np.ndarray | None,
    request: MarginsRequest,
    blocks: Sequence[slice],
) -> Coefficients:
    """Tests and limits, adjusted for the margins of each term or of all together."""
    plain = request.mcompare == "noadjust"
    pieces = [slice(0, len(K))] if plain or request.adjust_all or not blocks else blocks
    found = []
    for own in pieces:
        rank = 1 if plain else int(np.linalg.matrix_rank(K[own]))
        of_own = None if df is None else df[own]
        found.append(adjusted(estimate[own], std_err[own], of_own, request.level, request.mcompare, rank))
    joined = {f.name: np.concatenate([getattr(one, f.name) for one in found]) for f in fields(Coefficients) if f.name != "df"}
    return Coefficients(**joined, df=df)
