"""Covariance matrices of the random effects, whole: `cov_re` of statsmodels, `VarCorr` of lme4."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.values import RandomBlock
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Component, Fit
from sparsemixed.postestimation.random_effects import effect_names, term_name

COLUMNS = ("grp", "var1", "var2", "vcov", "sdcor")
UNCORRELATED = ("identity", "independent")
"""Structures whose covariances are no parameters."""


def block_covariance(fit: Fit, component: Component) -> np.ndarray:
    """G = sigma2 F F' (m, m) of an equation's random effects, with its factor F at the estimates."""
    assert component.block is not None
    factor = component.block.structure.factor(fit.theta[component.theta])
    return fit.sigma2 * factor @ factor.T


def term_covariances(fit: Fit) -> tuple[np.ndarray, ...]:
    """G (k, k) of every term of the design, of the effects as they are named."""
    by_position = {component.position: component for component in fit.components if component.block is not None}
    found = []
    for term in fit.design.random:
        G, start = np.zeros((term.k, term.k)), 0
        for block in term.blocks:
            stop = start + block.structure.m
            G[start:stop, start:stop] = block_covariance(fit, by_position[block.position])
            start = stop
        found.append(G)
    return tuple(found)


def random_covariance(fit: Fit) -> pd.DataFrame:
    """The covariance matrix (k, k) of the random effects of the only level.

    Raises
    ------
    OptionError
        The model has no random effects, or several levels of them.
    """
    levels = [term_name(term) for term in fit.design.random]
    if len(levels) != 1:
        found = f"{len(levels)} levels, {', '.join(levels)}" if levels else "no random effects"
        raise OptionError(f"cov_re is the covariance matrix of one level, and the model has {found}; VarCorr() lists all of them")
    names = effect_names(fit.design.random[0])
    return pd.DataFrame(term_covariances(fit)[0], index=names, columns=names)


def covariance_table(fit: Fit) -> pd.DataFrame:
    """Variances and covariances with standard deviations and correlations, as R's `as.data.frame(VarCorr(m))`.

    Returns
    -------
    DataFrame
        Columns grp, var1, var2 (None for a variance), vcov, sdcor; the errors come last, as grp `Residual`. The parameters of
        correlated errors have their names in var1, and those that are no variance have no `vcov`.
    """
    rows: list[tuple[Any, ...]] = []
    for component in fit.components:
        rows += _error_rows(component) if component.block is None else _rows(component.block, block_covariance(fit, component))
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).astype({"vcov": float, "sdcor": float})


def _rows(block: RandomBlock, G: np.ndarray) -> list[tuple[Any, ...]]:
    # The levels of R.varname share one variance, and one covariance where they have any.
    shared = len(block.names) < block.structure.m
    names = list(block.names) * (min(block.structure.m, 2) if shared else 1)
    sds = np.sqrt(np.clip(np.diag(G), 0.0, None))
    rows: list[tuple[Any, ...]] = [
        (block.equation, name, None, G[i, i], sds[i]) for i, name in enumerate(names[:1] if shared else names)
    ]
    if block.structure.name not in UNCORRELATED:
        for i, j in combinations(range(len(names)), 2):
            product = sds[i] * sds[j]
            rows.append((block.equation, names[i], names[j], G[i, j], G[i, j] / product if product > 0 else np.nan))
    return rows


def _error_rows(component: Component) -> list[tuple[Any, ...]]:
    pairs = list(zip(component.variances, component.deviations, strict=True))
    if len(pairs) == 1:
        return [("Residual", None, None, pairs[0][0].estimate, pairs[0][1].estimate)]
    return [
        ("Residual", one.label, None, one.estimate if one.kind in ("variance", "covariance") else np.nan, other.estimate)
        for one, other in pairs
    ]
