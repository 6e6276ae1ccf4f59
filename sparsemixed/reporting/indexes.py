"""Names as the index of a frame or a series, made once for the same names: pandas takes as long for one as a small fit.

An index never changes but for the names of its levels, which every view has for itself.
"""

from __future__ import annotations

from functools import lru_cache

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
    return _pairs(tuple(levels.items())).view()


@lru_cache(maxsize=KEPT)
def _index(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(list(names))


@lru_cache(maxsize=KEPT)
def _pairs(texts: tuple[tuple[str, tuple[str, ...]], ...]) -> pd.MultiIndex:
    levels = [sorted(set(own)) for _, own in texts]
    codes = [[level.index(text) for text in own] for level, (_, own) in zip(levels, texts, strict=True)]
    return pd.MultiIndex([pd.Index(level) for level in levels], codes, names=[name for name, _ in texts], verify_integrity=False)
