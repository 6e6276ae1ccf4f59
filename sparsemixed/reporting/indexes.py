"""Names as the index of a frame or a series, made once for the same names: pandas takes as long for one as a small fit.

An index never changes but for the names of its levels, which every one that is handed out has for itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

KEPT = 256
"""Indexes of each kind that are kept."""


def index_of(names: tuple[str, ...]) -> pd.Index:
    """What `Index` makes of the names.

    Examples
    --------
    >>> list(index_of(("time", "_cons")))
    ['time', '_cons']
    """
    return _index(names).view()


def pairs_of(**levels: tuple[str, ...]) -> pd.MultiIndex:
    """What `MultiIndex.from_arrays` makes of texts, by the names of its levels.

    Examples
    --------
    >>> list(pairs_of(equation=("id", ""), parameter=("var(_cons)", "var(e)")))
    [('id', 'var(_cons)'), ('', 'var(e)')]
    """
    # From what it consists of, in half of the time that a view takes.
    return pd.MultiIndex(*_levels_and_codes(tuple(levels.values())), names=list(levels), verify_integrity=False)


@lru_cache(maxsize=KEPT)
def _index(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(list(names))


@lru_cache(maxsize=KEPT)
def _levels_and_codes(texts: tuple[tuple[str, ...], ...]) -> tuple[tuple[pd.Index, ...], tuple[np.ndarray, ...]]:
    """Those of every level, as pandas keeps them: the texts that there are, in order, and the places of each among them."""
    levels = [sorted(set(own)) for own in texts]
    codes = [[level.index(text) for text in own] for level, own in zip(levels, texts, strict=True)]
    made = pd.MultiIndex([pd.Index(level) for level in levels], codes, verify_integrity=False)
    return tuple(made.levels), tuple(made.codes)
