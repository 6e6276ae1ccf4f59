"""Responses drawn from the posterior: for checks of a model against the data that it was fitted to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.bayesian.effects import effect_draws
from sparsemixed.bayesian.posterior import Posterior
from sparsemixed.errors import OptionError
from sparsemixed.spec.numbers import is_whole


def predictive_draws(posterior: Posterior, count: int, what: str, seed: int) -> pd.DataFrame:
    """One column for each draw, one row for each row of the sample.

    Parameters
    ----------
    count : int
        Draws, spread over those of the posterior.
    what : {"response", "fitted", "new"}
        Responses of the same groups; their expectations; responses of new groups, with effects of their own.
    seed : int

    Raises
    ------
    OptionError
        Another `what`; more draws than the posterior has.
    """
    if what not in ("response", "fitted", "new"):
        raise OptionError(f"predictive: what={what!r} must be response, fitted or new")
    if not is_whole(count) or not 1 <= count <= len(posterior.sigma):
        raise OptionError(f"predictive: draws={count!r} must be from 1 to the {len(posterior.sigma):,} draws of the posterior")
    design, random = posterior.fit.design, np.random.default_rng([seed, 1])
    which = np.linspace(0, len(posterior.sigma) - 1, count).astype(int)
    out = np.empty((design.n_rows, count))
    fixed = design.X @ posterior.beta[which].T
    if design.offset is not None:
        fixed = fixed + design.offset[:, None]
    effects = None if what == "new" or not design.random else effect_draws(posterior, which, seed)
    for column, s in enumerate(which):
        out[:, column] = fixed[:, column]
        if effects is not None:
            out[:, column] += _rows(design, next(effects)[1])
        elif design.random:
            out[:, column] += _rows(design, _new_effects(posterior, int(s), random))
        if what != "fitted":
            out[:, column] += _errors(posterior, int(s), random)
    return pd.DataFrame(out, index=design.row_index)


def _rows(design, effects: tuple[np.ndarray, ...]) -> np.ndarray:
    total = np.zeros(design.n_rows)
    for term, b in zip(design.random, effects, strict=True):
        total += np.einsum("nk,nk->n", term.columns, b[term.codes])
    return total


def _new_effects(posterior: Posterior, s: int, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Effects (J, k) of as many new groups."""
    fit, found = posterior.fit, []
    start = 0
    for term in fit.design.random:
        parts = []
        for block in term.blocks:
            component = next(c for c in fit.components if c.block is not None and c.position == block.position)
            assert component.block is not None
            factor = component.block.structure.factor(posterior.theta[s, start : start + component.block.structure.n_theta])
            start += component.block.structure.n_theta
            parts.append(random.standard_normal((term.n_groups, len(factor))) @ (posterior.sigma[s] * factor).T)
        found.append(np.concatenate(parts, axis=1))
    return tuple(found)


def _errors(posterior: Posterior, s: int, random: np.random.Generator) -> np.ndarray:
    design, sigma = posterior.fit.design, posterior.sigma[s]
    z = random.standard_normal(design.n_rows)
    if design.weights is not None and design.weights.kind == "precision":
        sigma = sigma / np.sqrt(design.weights.rows)
    part = design.residual
    if part is None:
        return sigma * z
    rho, out = posterior.theta[s, posterior.theta.shape[1] - part.structure.n_rho :], np.empty(design.n_rows)
    order = np.argsort(part.codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(part.codes[order])) + 1):
        R = part.structure.covariance(rho, part.t[rows])
        out[rows] = np.linalg.cholesky(R) @ z[rows]
    return sigma * out
