"""The jackknife: the model fitted again without each group, which then has weight zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.errors import DataError, SparseMixedError
from sparsemixed.estimation.compact import of_fit
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.influence.groups import DeletedGroups, labels_index, single_rows
from sparsemixed.postestimation.influence.remaining_rows import fitted_again, named_covariances
from sparsemixed.resampling.group_fits import LEFT_OPEN, GroupFits
from sparsemixed.resampling.replicated import Replicated
from sparsemixed.resampling.replicates import Replicates
from sparsemixed.resampling.runs import Run, empty_run, extended
from sparsemixed.resampling.statistics import Statistic
from sparsemixed.resampling.top_groups import TopGroups, levels, nested, top_groups


class WithoutGroup:
    """A sampler whose replicate r is the fit without group r.

    Parameters
    ----------
    fit : Fit
    groups : DeletedGroups
    """

    def __init__(self, fit: Fit, groups: DeletedGroups):
        self._fit, self._groups, self._fits = fit, groups, _by_weights(fit, groups)
        self._named = named_covariances(fit)

    @property
    def compiled(self) -> bool:
        return self._fits is not None

    @property
    def step(self) -> int:
        return 1 if self._fits is None else self._fits.step

    def replicates(self, begin: int, end: int) -> Replicates:
        if self._fits is not None:
            counts = np.ones((end - begin, self._groups.n_groups), np.int64)
            counts[np.arange(end - begin), np.arange(begin, end)] = 0
            return self._fits.of(counts)
        out = Replicates.room(end - begin, len(self._fit.beta), len(self._fit.variances))
        for row, group in enumerate(range(begin, end)):
            try:
                out.put(row, of_fit(self.fit(group)))
            except SparseMixedError as error:
                out.message[row] = str(error)
        return out

    def fit(self, replicate: int) -> Fit:
        found = fitted_again(self._fit, self._named, self._groups.codes != replicate)
        if found is None:
            raise DataError(LEFT_OPEN)
        return found


def _by_weights(fit: Fit, groups: DeletedGroups) -> GroupFits | None:
    """Compiled fits by weights of groups, where they serve."""
    found = levels(fit.design)
    if len(found) != 1 or found[0][1] < 2 or not nested(found[0][0], groups.codes):
        return None
    codes, number = found[0]
    cluster = np.zeros(number, np.int64)
    cluster[codes] = groups.codes
    fits = GroupFits(fit, TopGroups(codes.astype(np.int64), number, cluster, groups.n_groups))
    return fits if fits.compiled else None


FEWEST = 2
"""Values, from which there is a variance."""


def default_groups(fit: Fit, command: str) -> DeletedGroups:
    """The groups that are left out where none are named: those of the top level.

    Raises
    ------
    OptionError
        Crossed effects have none.
    """
    codes, number = top_groups(fit.design, command, "name the groups to be left out, by=")
    for term in fit.design.random:
        if np.array_equal(term.codes, codes):
            return DeletedGroups(codes, labels_index(term.labels), ":".join(map(str, term.labels.columns)))
    if not levels(fit.design):
        return single_rows(fit)
    part = fit.design.residual
    if part is not None and part.labels is not None and np.array_equal(part.codes, codes):
        return DeletedGroups(codes, labels_index(part.labels), ":".join(map(str, part.labels.columns)))
    return DeletedGroups(codes, pd.RangeIndex(number, name="group"), "group")


def jackknife_run(fit: Fit, groups: DeletedGroups, statistic: Statistic, n_jobs: int = 1) -> Run:
    """The statistic without each group.

    Raises
    ------
    KeyboardInterrupt
        A jackknife without some groups is none.
    DataError
        Fewer than two fits have a value.
    """
    run, broken = extended(empty_run(statistic), WithoutGroup(fit, groups), statistic, groups.n_groups, n_jobs, title="jackknife")
    if broken:
        raise KeyboardInterrupt
    failed = np.flatnonzero(run.failed)
    if len(run) - failed.size < FEWEST:
        first = f"; the first: {run.estimates.message[failed[0]]}" if failed.size else ""
        raise DataError(f"jackknife: {failed.size:,} of {len(run):,} fits failed, and fewer than {FEWEST} are left{first}")
    return run


@dataclass(frozen=True, repr=False)
class Jackknifed(Replicated):
    """The values of a statistic without each of J groups.

    Attributes
    ----------
    fit : Fit
    groups : DeletedGroups
    statistic : Statistic
    run : Run
    """

    fit: Fit
    groups: DeletedGroups
    statistic: Statistic
    run: Run

    @property
    def mean(self) -> np.ndarray:
        """(k,) of the values."""
        return np.nanmean(self.run.values, axis=0)

    @property
    def bias(self) -> np.ndarray:
        """(k,) (J - 1) times the mean's distance from what was observed (Quenouille 1956)."""
        return (self.reps - 1) * (self.mean - self.statistic.observed)

    @property
    def pseudovalues(self) -> np.ndarray:
        """(J, k) J observed - (J - 1) values."""
        return self.reps * self.statistic.observed - (self.reps - 1) * self.run.values

    @property
    def covariance(self) -> np.ndarray:
        """(k, k) (J - 1) / J times the sum of squares about the mean (Tukey 1958)."""
        deviation = self.run.values[~np.isnan(self.run.values).any(axis=1)] - self.mean
        return (len(deviation) - 1) / len(deviation) * deviation.T @ deviation

    @property
    def std_err(self) -> np.ndarray:
        """(k,) roots of its diagonal."""
        return np.sqrt(np.diag(self.covariance))
