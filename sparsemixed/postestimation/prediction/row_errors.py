"""Variances of the errors of predicted rows: entries of the selected inverse where groups met, batched solutions elsewhere."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.prediction.joint_errors import FactoredFit, factored_fit
from sparsemixed.postestimation.prediction.joint_values import JointErrors, PairErrors
from sparsemixed.postestimation.prediction.kernels import add_pair, add_term
from sparsemixed.postestimation.prediction.predicted_rows import PredictedRows
from sparsemixed.solver.crossproducts.block_products import times_lambda

SOLVED_NUMBERS = 4e6
"""Numbers (32 MB) of right-hand sides that are solved for at once."""


def fitted_variances(fit: Fit, errors: JointErrors, rows: PredictedRows) -> np.ndarray:
    """(m,) variances of the errors of x'beta_hat + z'b_hat; a group that the fit does not know adds nothing.

    Raises
    ------
    DataError
        Groups that no row of the sample had together, and the fit was saved without its data.
    """
    moved, total = np.ascontiguousarray(rows.X @ errors.root), np.zeros(len(rows.X))
    z = [np.ascontiguousarray(errors.columns(t, columns)) for t, columns in enumerate(rows.columns)]
    for t, codes in enumerate(rows.codes):
        add_term(z[t], codes, errors.moves[t], errors.own[t], moved, total)
    total += np.einsum("mr,mr->m", moved, moved)
    for first, second in combinations(range(len(rows.codes)), 2):
        pair, apart = errors.pair(first, second), np.zeros(len(total), bool)
        own, other = rows.codes[first], rows.codes[second]
        add_pair(z[first], own, z[second], other, pair.indptr, pair.groups, pair.values, total, apart)
        here = np.flatnonzero(apart)
        if here.size:
            blocks = _solved_blocks(factored_fit(fit), pair, own[here], other[here])
            total[here] += 2.0 * np.einsum("ma,mab,mb->m", z[first][here], blocks, z[second][here])
    return np.maximum(total, 0.0, out=total)


def _solved_blocks(factored: FactoredFit, pair: PairErrors, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(m, k_first, k_second) covariances of groups that never met, by solutions for the term with fewer of them."""
    at = factored.at
    if any(np.any(weights != 1.0) for weights in at.system.weights):
        raise NotAvailableError("standard errors of groups that never met are not available with weights of groups")
    if len(np.unique(own)) < len(np.unique(other)):
        return _by_columns(factored, pair.second, pair.first, other, own).transpose(0, 2, 1)
    return _by_columns(factored, pair.first, pair.second, own, other)


def _by_columns(factored: FactoredFit, left: int, right: int, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(m, k_left, k_right): right-hand sides are the columns of the distinct groups of the term `right`."""
    at, cp = factored.at, factored.at.cp
    t, u = (factored.layout.order.index(term) for term in (left, right))
    k, out = cp.k[u], np.empty((len(own), cp.k[t], cp.k[u]))
    distinct, place = np.unique(other, return_inverse=True)
    by_group = np.argsort(place, kind="stable")
    stops = np.concatenate([[0], np.cumsum(np.bincount(place))])
    step = max(1, int(SOLVED_NUMBERS / (cp.q * k)))
    for start in range(0, len(distinct), step):
        groups = distinct[start : start + step]
        rhs = np.zeros((cp.q, len(groups) * k))
        rows = cp.slices[u].start + groups[:, None] * k + np.arange(k)
        rhs[rows.ravel(), np.arange(len(groups) * k)] = 1.0
        solved = at.system.solve(times_lambda(cp, at.factors, rhs, transpose=True))
        part = times_lambda(cp, at.factors, solved)[cp.slices[t]].reshape(cp.n_groups[t], cp.k[t], len(groups), k)
        some = by_group[stops[start] : stops[min(start + step, len(distinct))]]
        out[some] = at.sigma2 * part[own[some], :, place[some] - start]
    return out
