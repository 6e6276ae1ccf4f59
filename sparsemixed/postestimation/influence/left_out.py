"""`loo`: how well every row, or every group of rows, is predicted by the others.

With coefficients and random effects integrated out, the coefficients under a flat prior, the variance parameters as fitted
(Sundararajan & Keerthi 2001, Neural Computation 13; P as in `whitened`)

    y_I | y_-I ~ N(y_I - inv(P_II)(Py)_I, inv(P_II)).

That is what a fit without the rows predicts for them, from effects of groups that it still sees and the variances of others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.errors import DataError, NotEstimableWarning, OptionError, warn
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.hypotheses.distributions import normal_cdf
from sparsemixed.postestimation.influence.deletion import alone, from_information
from sparsemixed.postestimation.influence.fixed_theta import solved, whitened
from sparsemixed.postestimation.influence.groups import DeletedGroups
from sparsemixed.postestimation.influence.whitened import MOST_ROWS, Stack, Whitened


@dataclass(frozen=True)
class LeftOut:
    """Predictive distributions.

    Attributes
    ----------
    mean, sd : (n,) float64
        Of every row without its group; NaN where the others do not determine the coefficients.
    density : (J,) float64
        log p of a group's rows together.
    y : (n,) float64
    total_sd : (J,) float64
        Of the sum of a group's rows.
    """

    mean: np.ndarray
    sd: np.ndarray
    density: np.ndarray
    y: np.ndarray
    total_sd: np.ndarray


def leave_out(fit: Fit, groups: DeletedGroups, rows: bool) -> pd.DataFrame:
    """Predictions without each group: one row for each row, or for each group.

    Raises
    ------
    OptionError
        Weights that replicate observations, which have no predictive density; one group alone.
    DataError
        A group of too many rows.
    """
    if fit.design.weights is not None and fit.design.weights.kind != "precision":
        raise OptionError("loo: predictive densities are not available with weights that replicate observations; leave them out")
    if groups.n_groups < 2:
        raise OptionError(f"loo: {groups.by or 'the sample'} has one group alone, and nothing predicts it")
    whole = whitened(fit)
    found = _rows(fit, whole) if groups.by is None else _groups(fit, whole, groups)
    missing = np.flatnonzero(np.isnan(found.density))
    if missing.size:
        more = f" and {missing.size - 1} more" if missing.size > 1 else ""
        warn(
            f"loo: without {groups.named(int(missing[0]))}{more} the coefficients are not determined; predictions are missing",
            NotEstimableWarning,
        )
    if groups.by is None or rows:
        return _by_row(fit, groups, found)
    return _by_group(groups, found)


def _by_row(fit: Fit, groups: DeletedGroups, found: LeftOut) -> pd.DataFrame:
    z = (found.y - found.mean) / found.sd
    columns = {"y": found.y, "mean": found.mean, "sd": found.sd}
    if groups.by is None:
        columns["elpd"] = found.density
    else:
        columns = {groups.by: np.asarray(groups.index)[groups.codes], **columns}
    return pd.DataFrame(columns | {"pit": normal_cdf(z)}, index=fit.design.row_index)


def _by_group(groups: DeletedGroups, found: LeftOut) -> pd.DataFrame:
    sizes = np.bincount(groups.codes, minlength=groups.n_groups)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(groups.codes, values, groups.n_groups)

    y, mean, sd = total(found.y) / sizes, total(found.mean) / sizes, found.total_sd / sizes
    columns = {"rows": sizes, "y": y, "mean": mean, "sd": sd, "elpd": found.density, "press": total((found.y - found.mean) ** 2)}
    return pd.DataFrame(columns | {"pit": normal_cdf((y - mean) / sd)}, index=groups.index)


def _response(fit: Fit) -> np.ndarray:
    return fit.design.y if fit.design.offset is None else fit.design.y + fit.design.offset


def _rows(fit: Fit, rows: Whitened) -> LeftOut:
    """Row by row, in closed form."""
    P, y = rows.P, _response(fit)
    with np.errstate(divide="ignore", invalid="ignore"):
        P = np.where(alone(P, rows.precision.diagonal()), np.nan, P)
    sd = rows.scale / np.sqrt(P)
    error = rows.scale * rows.e / P
    density = -0.5 * (np.log(2.0 * np.pi) + (error / sd) ** 2) - np.log(sd)
    return LeftOut(y - error, sd, density, y, sd)


def _groups(fit: Fit, rows: Whitened, groups: DeletedGroups) -> LeftOut:
    """Two passes over the sets of rows: what they say of the coefficients, then what the others say of them."""
    J, r, y = groups.n_groups, rows.E.shape[1], _response(fit)
    G, c, logs, squares = np.zeros((J, r, r)), np.zeros((J, r)), np.zeros(J), np.zeros(J)
    done = np.zeros(J, bool)
    for stack in rows.precision.stacks(groups.codes, J):
        U, s, L = solved(stack)
        np.add.at(G, stack.groups, U.transpose(0, 2, 1) @ U)
        np.add.at(c, stack.groups, np.einsum("nma,nm->na", U, s))
        np.add.at(logs, stack.groups, 2.0 * np.log(np.einsum("nii->ni", L)).sum(axis=1))
        np.add.at(squares, stack.groups, np.einsum("nm,nm->n", s, s))
        done[stack.groups] = True
    if not done.all():
        large = int(np.flatnonzero(~done)[0])
        count = int(np.sum(groups.codes == large))
        raise DataError(
            f"loo: {groups.named(large)} has {count:,} rows that share groups with others, and a joint density is computed for "
            f"at most {MOST_ROWS:,}; leave out smaller groups"
        )
    d, K, gained = from_information(G, c)
    mean, sd, spread = np.empty(len(y)), np.empty(len(y)), np.zeros(J)
    for stack in rows.precision.stacks(groups.codes, J):
        _predict(rows, stack, d, K, mean, sd, spread)
    spread += _through_coefficients(rows, groups, K)
    sizes = np.bincount(groups.codes, np.log(2.0 * np.pi) + 2.0 * np.log(rows.scale), J)
    density = -0.5 * (sizes - logs + gained + squares + np.einsum("ja,ja->j", c, d))
    return LeftOut(y - mean, sd, density, y, np.sqrt(spread))


def _predict(
    rows: Whitened, stack: Stack, d: np.ndarray, K: np.ndarray, mean: np.ndarray, sd: np.ndarray, spread: np.ndarray
) -> None:
    """Errors of prediction into mean (n,), standard deviations into sd (n,), and 1'inv(H)1 added to spread (J,).

    inv(P_II) = inv(H) + inv(H)E K E'inv(H), of which inv(H) is block-diagonal in the sets of a group.
    """
    V = np.linalg.inv(stack.H)
    VE = V @ stack.E
    error = np.einsum("nij,nj->ni", V, stack.e) + np.einsum("nia,na->ni", VE, d[stack.groups])
    variance = np.einsum("nii->ni", V) + np.einsum("nia,nab,nib->ni", VE, K[stack.groups], VE, optimize=True)
    scale = np.where(stack.place, rows.scale[stack.rows], 0.0)
    if stack.Q is None:
        total = np.einsum("ni,nij,nj->n", scale, V, scale, optimize=True)
    else:
        inner = V + VE @ K[stack.groups] @ VE.transpose(0, 2, 1) - np.eye(V.shape[1])
        variance = 1.0 + np.einsum("nmi,nij,nmj->nm", stack.Q, inner, stack.Q, optimize=True)
        error = np.einsum("nmi,ni->nm", stack.Q, error)
        turned = np.einsum("nmi,nm->ni", stack.Q, scale)
        plain = V - np.eye(V.shape[1])
        total = np.einsum("nm,nm->n", scale, scale) + np.einsum("ni,nij,nj->n", turned, plain, turned, optimize=True)
    here = stack.place
    mean[stack.rows[here]] = (rows.scale[stack.rows] * error)[here]
    sd[stack.rows[here]] = (rows.scale[stack.rows] * np.sqrt(variance))[here]
    np.add.at(spread, stack.groups, total)


def _through_coefficients(rows: Whitened, groups: DeletedGroups, K: np.ndarray) -> np.ndarray:
    """(J,) what the uncertainty of the coefficients adds to the variance of a group's sum: f'K f with f = E'inv(H) scale."""
    J, r = groups.n_groups, rows.E.shape[1]
    f = np.zeros((J, r))
    for stack in rows.precision.stacks(groups.codes, J):
        scale = np.where(stack.place, rows.scale[stack.rows], 0.0)
        turned = scale if stack.Q is None else np.einsum("nmi,nm->ni", stack.Q, scale)
        np.add.at(f, stack.groups, np.einsum("nia,ni->na", stack.E, np.linalg.solve(stack.H, turned[..., None])[..., 0]))
    return np.einsum("ja,jab,jb->j", f, K, f)
