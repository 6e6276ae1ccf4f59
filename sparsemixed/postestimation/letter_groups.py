"""Letters for margins: those that share one are not significantly different."""

from __future__ import annotations

from itertools import combinations
from string import ascii_uppercase

import numpy as np
import pandas as pd


def with_groups(margins: pd.DataFrame, pairs: pd.DataFrame, level: float) -> pd.DataFrame:
    """The table of margins with a column `group` of letters, from the adjusted p-values of their pairs.

    Parameters
    ----------
    margins, pairs : DataFrame
        Index (term, margin) and (term, pair); pairs in the order of `itertools.combinations` of the margins.
    level : float
        In per cent; a pair differs where its p-value is below 1 - level / 100.
    """
    letters: list[str] = []
    for term, part in margins.groupby(level="term", sort=False):
        p = pairs.loc[[term], "pvalue"].to_numpy()
        k = len(part)
        different = np.zeros((k, k), bool)
        for (i, j), own in zip(combinations(range(k), 2), p, strict=True):
            different[i, j] = different[j, i] = own < 1.0 - level / 100.0
        letters += letter_groups(part["estimate"].to_numpy(), different)
    return margins.assign(group=letters)


def letter_groups(means: np.ndarray, different: np.ndarray) -> list[str]:
    """For each mean its letters, A for the group that begins with the smallest; empty for missing means.

    Two means share a letter exactly if they are not different, with as few letters as the insertion and absorption of groups
    leaves (Piepho 2004): a group that holds a pair that differs is replaced by one without each, and groups within others are
    dropped.

    Examples
    --------
    >>> far = np.array([[False, False, True], [False, False, False], [True, False, False]])
    >>> letter_groups(np.array([3.0, 2.0, 1.0]), far)
    ['B', 'AB', 'A']
    """
    known = [int(i) for i in np.argsort(means, kind="stable") if np.isfinite(means[i])]
    groups = [frozenset(known)]
    for i, j in combinations(known, 2):
        if different[i, j]:
            split = [group - {one} for group in groups if {i, j} <= group for one in (i, j)]
            every = [*(group for group in groups if not {i, j} <= group), *split]
            groups = [g for n, g in enumerate(every) if not any(g < h or (g == h and m < n) for m, h in enumerate(every))]
    rank = {mean: place for place, mean in enumerate(known)}
    groups = sorted((g for g in groups if g), key=lambda g: sorted(rank[i] for i in g))
    return ["".join(_letter(n) for n, group in enumerate(groups) if i in group) for i in range(len(means))]


def _letter(n: int) -> str:
    return ascii_uppercase[n % 26] + (str(n // 26) if n >= 26 else "")
