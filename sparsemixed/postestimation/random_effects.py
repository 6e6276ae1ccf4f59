"""Best linear unbiased predictions of the random effects as data frames."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.design.values import RandomBlock, RandomTerm
from sparsemixed.estimation.fit import Fit


def random_effects(fit: Fit, standard_errors: bool = False) -> dict[str, pd.DataFrame]:
    """One data frame per set of groups.

    Parameters
    ----------
    fit : Fit
    standard_errors : bool
        Standard errors of prediction instead of predictions.

    Returns
    -------
    dict of str to DataFrame
        Keys are the levels as printed, `id`, or `_all: R.week` for a factor. Each frame has the grouping variables first,
        one row per group, and one column per random effect.
    """
    found: dict[str, pd.DataFrame] = {}
    for term, u, u_var in zip(fit.design.random, fit.u, fit.u_var, strict=True):
        values = np.sqrt(np.clip(np.diagonal(u_var, axis1=1, axis2=2), 0.0, None)) if standard_errors else u
        key = term_name(term)
        if key in found:
            key = f"{key} ({', '.join(n for block in term.blocks for n in block.names)})"
        found[key] = _members_frame(term, values) if term.members is not None else _frame(term, values)
    return found


def term_name(term: RandomTerm) -> str:
    """The level of a term, with the factor that divides it."""
    factors = dict.fromkeys(block.factor for block in term.blocks if block.factor)
    return ": ".join([term.blocks[0].equation, *(f"R.{factor}" for factor in factors)])


def effect_names(term: RandomTerm) -> list[str]:
    """Names of the k random coefficients; the columns of a factor share one."""
    return [name for block in term.blocks for name in _block_names(block)]


def _block_names(block: RandomBlock) -> list[str]:
    names = list(block.names)
    return names if len(names) == block.structure.m else names * block.structure.m


def _frame(term: RandomTerm, values: np.ndarray) -> pd.DataFrame:
    """Labels and effects side by side: (n_groups, labels + k)."""
    frame = term.labels.reset_index(drop=True).copy()
    for j, name in enumerate(effect_names(term)):
        frame.insert(len(frame.columns), name, values[:, j].copy(), allow_duplicates=True)
    return frame


def _members_frame(term: RandomTerm, values: np.ndarray) -> pd.DataFrame:
    """One row per level of the factor in each group: the columns of different groups hold different levels."""
    members = np.asarray(term.members, dtype=object)
    there = np.array([[member is not None for member in row] for row in members], dtype=bool)
    groups, columns = np.nonzero(there)
    frame = term.labels.iloc[groups].reset_index(drop=True)
    factor = str(term.blocks[0].factor)
    frame[factor] = pd.Series(members[groups, columns].tolist())
    frame[f"R.{factor}"] = values[groups, columns]
    return frame
