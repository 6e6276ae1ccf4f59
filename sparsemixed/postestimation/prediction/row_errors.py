"""Variances of the errors of predicted rows: entries of the selected inverse where groups met, batched solutions elsewhere."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.prediction.joint_errors import FactoredFit, factored_fit
from sparsemixed.postestimation.prediction.joint_values import JointErrors, PairErrors
from sparsemixed.postestimation.prediction.predicted_rows import PredictedRows
from sparsemixed.solver.crossproducts.block_products import times_lambda
from sparsemixed.solver.factored.places import entries

CHUNK = 1 << 16
"""Rows at a time: what is made of them stays in the cache and in bounds."""
SOLVED_NUMBERS = 4e6
"""Numbers (32 MB) of right-hand sides that are solved for at once."""


def fitted_variances(fit: Fit, errors: JointErrors, rows: PredictedRows) -> np.ndarray:
    """(m,) variances of the errors of x'beta_hat + z'b_hat; a group that the fit does not know adds nothing.

    Raises
    ------
    DataError
        Groups that no row of the sample had together, and the fit was saved without its data.
    """
    out = np.empty(len(rows.X))
    for start in range(0, len(out), CHUNK):
        here = slice(start, start + CHUNK)
        out[here] = _own_variances(errors, rows.take(here))
    for first, second in combinations(range(len(rows.codes)), 2):
        out += 2.0 * _pair_covariances(fit, errors, rows, first, second)
    return np.maximum(out, 0.0, out=out)


def _own_variances(errors: JointErrors, rows: PredictedRows) -> np.ndarray:
    """What coefficients and each term alone contribute."""
    moved, total = rows.X @ errors.root, np.zeros(len(rows.X))
    for t, (codes, columns) in enumerate(zip(rows.codes, rows.columns, strict=True)):
        z, own = _known(errors, t, codes, columns)
        moved -= np.einsum("ma,mar->mr", z, errors.moves[t][own])
        total += np.einsum("ma,mab,mb->m", z, errors.own[t][own], z)
    return total + np.einsum("mr,mr->m", moved, moved)


def _known(errors: JointErrors, t: int, codes: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The engine's columns of a term, zero in rows whose group is not known, and groups that can be looked up."""
    return np.where((codes >= 0)[:, None], errors.columns(t, columns), 0.0), np.maximum(codes, 0)


def _pair_covariances(fit: Fit, errors: JointErrors, rows: PredictedRows, first: int, second: int) -> np.ndarray:
    """(m,) covariances of the contributions of two terms to each row."""
    (z, own), (w, other) = (_known(errors, t, rows.codes[t], rows.columns[t]) for t in (first, second))
    pair, out = errors.pair(first, second), np.zeros(len(z))
    # Effects that do not act have no part, whether their groups met or not.
    here = np.flatnonzero((rows.codes[first] >= 0) & (rows.codes[second] >= 0) & z.any(axis=1) & w.any(axis=1))
    place = entries(pair.indptr, pair.groups, other[here], own[here])
    met = place >= 0
    for start in range(0, len(here), CHUNK):
        some = here[start : start + CHUNK][met[start : start + CHUNK]]
        values = pair.values[place[start : start + CHUNK][met[start : start + CHUNK]]]
        out[some] = np.einsum("ma,mab,mb->m", z[some], values, w[some])
    apart = here[~met]
    if apart.size:
        blocks = _solved_blocks(factored_fit(fit), pair, own[apart], other[apart])
        out[apart] = np.einsum("ma,mab,mb->m", z[apart], blocks, w[apart])
    return out


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
