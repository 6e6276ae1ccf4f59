"""`estat.recovariance`: covariance or correlation matrices of the random effects, level by level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.estat.correlations import correlations
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.postestimation.random_effects import effect_names, term_name


def random_covariances(fit: Fit, relevel: str | None = None, correlation: bool = False) -> pd.DataFrame:
    """Covariance matrices G of the effects of one group.

    Parameters
    ----------
    relevel : str, optional
        A level, `_all` for effects of the whole sample; by default every level.
    correlation : bool
        Correlations instead of covariances; missing beside a variance of zero.

    Returns
    -------
    DataFrame
        (k, k) with the effects as index and columns, of several levels (level, effect) and zero between levels. `r` has Stata's
        `relevels`, and `Cov#` or `Corr#`, # being the number of the level, those of the residuals counting as 1.

    Raises
    ------
    OptionError
        No random effects, or no such level.
    """
    if not fit.design.random:
        raise OptionError("estat.recovariance: the model has no random effects")
    levels: dict[str, list[tuple[list[str], np.ndarray]]] = {}
    for term, G in zip(fit.design.random, term_covariances(fit), strict=True):
        levels.setdefault(term.blocks[0].equation, []).append((_names(term_name(term), effect_names(term)), G))
    if relevel is not None and relevel not in levels:
        raise OptionError(f"estat.recovariance: there is no level {relevel!r}; the levels are {', '.join(levels)}")
    frames = {level: _matrix(parts, correlation) for level, parts in levels.items() if relevel in (None, level)}
    word = "Corr" if correlation else "Cov"
    numbers = {level: len(levels) + 1 - i for i, level in enumerate(levels)}
    stored: dict[str, Any] = {"relevels": " ".join(frames)}
    stored |= {f"{word}{numbers[level]}": frame for level, frame in frames.items()}
    table = next(iter(frames.values())).copy() if len(frames) == 1 else _together(frames)
    kind = "correlation" if correlation else "covariance"
    headings = [f"Random-effects {kind} matrix for level {level}" for level in frames]
    table.attrs = {
        "heading": headings[0],
        "layout": "matrices",
        "matrices": list(zip(headings, frames.values(), strict=True)),
        "r": stored,
    }
    return table


def _names(term: str, names: list[str]) -> list[str]:
    """Effects as printed; those of a factor's levels share a name, which would hide in a matrix, and get numbers."""
    return [f"{name}[{i + 1}]" for i, name in enumerate(names)] if len(set(names)) < len(names) else names


def _matrix(parts: list[tuple[list[str], np.ndarray]], correlation: bool) -> pd.DataFrame:
    """The terms of a level as one matrix."""
    names = [name for own, _ in parts for name in own]
    total, start = np.zeros((len(names), len(names))), 0
    for own, G in parts:
        total[start : start + len(own), start : start + len(own)] = G
        start += len(own)
    if correlation:
        total = correlations(total)
    return pd.DataFrame(total, index=names, columns=names)


def _together(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """All levels in one matrix, zero between them."""
    keys = [(level, name) for level, frame in frames.items() for name in frame.columns]
    index = pd.MultiIndex.from_tuples(keys, names=["level", "effect"])
    total, start = np.zeros((len(keys), len(keys))), 0
    for frame in frames.values():
        total[start : start + len(frame), start : start + len(frame)] = frame
        start += len(frame)
    return pd.DataFrame(total, index=index, columns=index)
