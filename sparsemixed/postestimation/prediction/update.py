"""Predicted effects of groups from new responses, at the fitted parameters: one small solution for each set of groups.

What the sample tells of the effects b of the groups that rows meet in is m = E b with an error of covariance C, the coefficients
known, which moves by -D gamma with the standardised error gamma of the coefficients; of new groups m = 0, C = G, D = 0. Rows with
y = X beta + Zb + e and S = ZCZ' + R then give, with K = CZ'inv(S),

    m + K(y - X beta_hat - Zm),        C - KZC,        D + K(X root - ZD)

(Henderson 1975; the update of Kalman 1960). Rows that share groups, directly or through others, are taken together. Coefficients
and variance parameters stay as they were fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from sparsemixed.errors import DataError, NumericalError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.prediction.extended_rows import ExtendedRows
from sparsemixed.postestimation.prediction.prior import Prior
from sparsemixed.solver.residual.patterns import independent_blocks

MOST_ROWS = 5000
"""Responses, and effects, that one set of groups may tie together: a dense matrix of 200 MB."""


@dataclass(frozen=True)
class Component:
    """Groups that rows tie together.

    Attributes
    ----------
    groups : tuple of (g,) int64
        Of each term, ascending.
    starts : (n_terms,) int64
        Where the effects of each term begin.
    mean, covariance, moves : (E,), (E, E), (E, r)
        Of all effects, term by term, group by group; those of the columns ZT.
    """

    groups: tuple[np.ndarray, ...]
    starts: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    moves: np.ndarray


@dataclass(frozen=True)
class Updated:
    """All components of some rows.

    Attributes
    ----------
    components : tuple of Component
    of_row : (m,) int64
        Component of each row; -1 where a group is missing.
    responses : tuple of (J,) int64
        Of each group of every term, those of the sample first: responses that these rows hold.
    """

    components: tuple[Component, ...]
    of_row: np.ndarray
    responses: tuple[np.ndarray, ...]


def updated(fit: Fit, data: ExtendedRows) -> Updated:
    """The effects of all groups in the rows, given their responses.

    Raises
    ------
    DataError
        What the sample tells of these groups together is not known without its rows; too many rows in one component.
    """
    rows, told = data.rows, data.told
    whole = np.flatnonzero(np.all([codes >= 0 for codes in rows.codes], axis=0)) if rows.codes else np.arange(len(told))
    of_row = np.full(len(told), -1, np.int64)
    sizes = [len(labels) for labels in data.labels]
    codes = [own[whole] for own in rows.codes]
    if whole.size:
        errors = np.unique(data.groups[whole], return_inverse=True)[1].ravel()
        blocks = independent_blocks([*codes, errors], [*sizes, int(errors.max()) + 1])
        of_row[whole] = np.unique(blocks, return_inverse=True)[1].ravel()
    responses = tuple(np.bincount(own[told], minlength=size) for own, size in zip(rows.codes, sizes, strict=True))
    order = whole[np.argsort(of_row[whole], kind="stable")]
    stops = np.flatnonzero(np.diff(of_row[order])) + 1
    prior = Prior(fit)
    components = tuple(_component(fit, prior, data, own) for own in np.split(order, stops) if own.size)
    return Updated(components, of_row, responses)


def _component(fit: Fit, prior: Prior, data: ExtendedRows, own: np.ndarray) -> Component:
    """One component, of the rows at some positions."""
    groups = tuple(np.unique(codes[own]) for codes in data.rows.codes)
    widths = [len(g) * term.k for g, term in zip(groups, fit.design.random, strict=True)]
    starts = np.cumsum([0, *widths])
    told = own[data.told[own]]
    if max(len(told), int(starts[-1])) > MOST_ROWS:
        raise DataError(
            f"predict: {len(told):,} responses and {starts[-1]:,} effects are tied together by groups that they share, and "
            f"{MOST_ROWS:,} is the limit of update"
        )
    mean, C, D = prior.of_groups(groups)
    component = Component(groups, starts[:-1], mean, C, D)
    if not len(told):
        return component
    Z = design_rows(prior, component, data, told)
    S = Z @ C @ Z.T + _errors(fit, data, told)
    try:
        factor = cho_factor(S, lower=True)
    except np.linalg.LinAlgError as error:
        raise NumericalError("predict: the covariance of the new responses is singular: the residual variance is zero") from error
    K = cho_solve(factor, Z @ C).T
    mean = mean + K @ (data.residual[told] - Z @ mean)
    C = C - K @ (Z @ C)
    D = D + K @ (data.rows.X[told] @ prior.root - Z @ D)
    return Component(groups, starts[:-1], mean, (C + C.T) / 2, D)


def _errors(fit: Fit, data: ExtendedRows, told: np.ndarray) -> np.ndarray:
    """R (m, m) of some rows."""
    part = fit.design.residual
    if part is None or part.structure.independent_rows:
        return np.diag(data.errors[told])
    rho = fit.theta[len(fit.theta) - part.structure.n_rho :]
    groups = data.groups[told]
    R = np.where(groups[:, None] == groups, part.structure.covariance(rho, data.times[told]), 0.0)
    scale = np.sqrt(data.errors[told] / np.diag(R))  # sigma, over the root of its weight with precision weights
    return R * np.outer(scale, scale)


def design_rows(prior: Prior, component: Component, data: ExtendedRows, own: np.ndarray) -> np.ndarray:
    """Z (m, E) of some rows, over the effects of their component; columns ZT."""
    out = np.zeros((len(own), len(component.mean)))
    for t, groups in enumerate(component.groups):
        z = prior.columns(t, data.rows.columns[t][own])
        first = component.starts[t] + np.searchsorted(groups, data.rows.codes[t][own]) * z.shape[1]
        for a in range(z.shape[1]):
            out[np.arange(len(own)), first + a] = z[:, a]
    return out
