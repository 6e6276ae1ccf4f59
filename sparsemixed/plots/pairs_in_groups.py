"""Pairs of rows within groups: a given number of places apart, or any two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.plots.predicted_effects import term_of

MODEL_GROUPS = 200
"""Groups that the model's curve is averaged over."""
MOST_ROWS = 300
"""Rows of a group, the first ones, that the model's curve takes."""
SQUARES = 2e6
"""Squares of rows in all groups that it takes."""
MOST_PAIRS = 500_000
"""Pairs of rows; of more groups some are left out, evenly."""


@dataclass(frozen=True)
class Series:
    """The rows of the sample in their groups, in order of time.

    Attributes
    ----------
    rows : (n,) int64
        Positions in the sample, group after group.
    codes : (n,) int64
        Group of each, rising.
    times : (n,) float64
    name : str
        Of the groups.
    timed : bool
        Whether the times are those of a variable; else they are ranks in the group.
    """

    rows: np.ndarray
    codes: np.ndarray
    times: np.ndarray
    name: str
    timed: bool

    @property
    def starts(self) -> np.ndarray:
        """(groups + 1,) where groups begin, and the end."""
        return np.concatenate([[0], np.flatnonzero(np.diff(self.codes)) + 1, [len(self.codes)]])


def series_of(fit: Fit, group: str | None, times: np.ndarray | None) -> Series:
    """The groups of the errors where these are correlated, else of the lowest level, or of the level that is named."""
    part = fit.design.residual
    correlated = part is not None and not part.structure.independent_rows
    if group is not None or not correlated:
        if not fit.design.random and group is None:
            raise OptionError("plot: the model has neither groups of effects nor of errors")
        t = term_of(fit, group) if group is not None else _lowest(fit)
        codes, name = fit.design.random[t].codes, fit.design.random[t].blocks[0].equation
    else:
        assert part is not None
        codes, name = part.codes, ":".join(map(str, part.labels.columns)) if part.labels is not None else "groups"
    own = times
    if own is None and correlated and part is not None and part.structure.needs_time():
        own = part.t if part.t.ndim == 1 else part.t[:, 0]
    # Not by times alone: rows of one time keep the order of the data.
    order = np.lexsort((np.arange(len(codes)) if own is None else own, codes))
    ordered = codes[order].astype(np.int64)
    if own is None:
        first = np.concatenate([[0], np.flatnonzero(np.diff(ordered)) + 1])
        ranks = np.arange(len(ordered)) - np.repeat(first, np.diff(np.append(first, len(ordered))))
        return Series(order, ordered, ranks.astype(float), name, False)
    return Series(order, ordered, own[order], name, True)


def _lowest(fit: Fit) -> int:
    """The term with the most groups among those without an exchangeable factor."""
    terms = [t for t, term in enumerate(fit.design.random) if term.members is None]
    return max(terms, key=lambda t: fit.design.random[t].n_groups) if terms else 0


def all_pairs(series: Series, most: int = MOST_PAIRS) -> tuple[np.ndarray, np.ndarray]:
    """Places (m,), (m,) in the series of every two rows of a group, the earlier one first; of groups taken evenly if too many."""
    starts = series.starts
    sizes = np.diff(starts)
    counts = sizes * (sizes - 1) // 2
    every = max(1, int(np.ceil(counts.sum() / most)))
    first, second = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    largest = int(np.sqrt(2 * most))
    taken = np.arange(0, len(sizes), every)
    for size in np.unique(sizes[taken]):
        i, j = np.triu_indices(min(int(size), largest), 1)
        begin = starts[taken[sizes[taken] == size]][:, None]
        first.append((begin + i).ravel())
        second.append((begin + j).ravel())
    return np.concatenate(first), np.concatenate(second)


def model_groups(series: Series) -> list[np.ndarray]:
    """Places in the series of the rows of some groups, evenly taken, few enough for dense matrices."""
    starts = series.starts
    ends = np.minimum(starts[1:], starts[:-1] + MOST_ROWS)
    sizes = (ends - starts[:-1]).astype(float)
    most = max(5, int(min(MODEL_GROUPS, SQUARES / np.mean(sizes**2))))
    taken = np.unique(np.linspace(0, len(sizes) - 1, min(most, len(sizes))).round().astype(int))
    return [np.arange(int(starts[g]), int(ends[g])) for g in taken]
