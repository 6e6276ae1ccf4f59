"""A bootstrap: what was observed, its replicates, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.errors import ConvergenceWarning, NotEstimableWarning, OptionError, suggestion, warn
from sparsemixed.estimation.fit import Fit
from sparsemixed.resampling.intervals import METHODS, accelerations, corrected, median_bias
from sparsemixed.resampling.replicated import Replicated
from sparsemixed.resampling.run_file import RunFile
from sparsemixed.resampling.runs import Run, empty_run, extended
from sparsemixed.resampling.samplers import Sampler
from sparsemixed.resampling.statistics import Statistic
from sparsemixed.spec.numbers import is_whole

METHOD_NAMES = (*METHODS, "bca")


@dataclass(frozen=True, repr=False)
class Bootstrapped(Replicated):
    """Replicates of a statistic.

    Attributes
    ----------
    fit : Fit
    kind : str
    seed : int
    statistic : Statistic
    run : Run
    sampler : Sampler
    left_out : callable
        The statistic without each top group (J, k), for the acceleration of BCa limits.
    n_jobs : int
    file : RunFile or None
    clusters : int
        How many are drawn; 0 where none are.
    """

    fit: Fit
    kind: str
    seed: int
    statistic: Statistic
    run: Run
    sampler: Sampler
    left_out: Callable[[], np.ndarray]
    n_jobs: int = 1
    file: RunFile | None = None
    clusters: int = 0

    @property
    def n_not_converged(self) -> int:
        """Replicates with a value whose search has not converged."""
        return int((~self.run.estimates.converged & ~self.failed).sum())

    @property
    def singular(self) -> dict[str, int]:
        """How many replicates have each component on the boundary; they are kept."""
        counts: dict[str, int] = {}
        for text in self.run.estimates.boundary:
            for name in filter(None, str(text).split("; ")):
                counts[name] = counts.get(name, 0) + 1
        return counts

    @property
    def n_singular(self) -> int:
        """Replicates with anything on the boundary."""
        return int((self.run.estimates.boundary != "").sum())

    @property
    def bias(self) -> np.ndarray:
        """(k,) mean of the replicates less what was observed."""
        return np.nanmean(self._there(), axis=0) - self.statistic.observed

    @property
    def std_err(self) -> np.ndarray:
        """(k,) standard deviations of the replicates."""
        return np.nanstd(self._there(), axis=0, ddof=1)

    @property
    def covariance(self) -> np.ndarray:
        """(k, k) of the replicates."""
        there = self._there()
        there = there[~np.isnan(there).any(axis=1)]
        return np.atleast_2d(np.cov(there, rowvar=False)) if len(there) > 1 else np.full((len(self.names),) * 2, np.nan)

    def _there(self) -> np.ndarray:
        found = self.run.values[~self.failed]
        if len(found) < 2:
            raise OptionError(f"bootstrap: {len(found)} replicates are too few for a standard error")
        return found

    def limits(self, method: str, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Low and high (k,) at a level in per cent.

        Raises
        ------
        OptionError
            There is no such method, or too few replicates.
        """
        if method not in METHOD_NAMES:
            raise OptionError(
                f"bootstrap: method={method!r} is not one of {', '.join(METHOD_NAMES)}{suggestion(str(method), METHOD_NAMES)}"
            )
        values, tail = self._there(), 0.5 - level / 200.0
        if method == "bca":
            return corrected(values, self.statistic.observed, tail, self.acceleration)
        return METHODS[method](values, self.statistic.observed, tail)

    @property
    def z0(self) -> np.ndarray:
        """(k,) median bias of the replicates, in normal quantiles."""
        return median_bias(self._there(), self.statistic.observed)

    @property
    def acceleration(self) -> np.ndarray:
        """(k,) of BCa limits, from the jackknife."""
        return accelerations(self.left_out())

    def up_to(self, reps: int, title: str = "bootstrap") -> Run:
        """The run with so many replicates in all; it warns of what went wrong."""
        keep = None if self.file is None else self.file.keep
        run, broken = extended(self.run, self.sampler, self.statistic, reps, self.n_jobs, keep, title)
        if broken:
            warn(f"{title}: broken off after {len(run):,} of {reps:,} replicates, which are kept", ConvergenceWarning)
        failed = np.flatnonzero(run.failed)
        if failed.size:
            first = run.estimates.message[failed[0]]
            lost = f"{failed.size:,} of {len(run):,} replicates failed and are left out"
            warn(f"{title}: {lost}; replicate {failed[0] + 1}: {first}", NotEstimableWarning)
        return run


def read_reps(reps: object, command: str) -> int:
    """A number of replicates.

    Raises
    ------
    OptionError
    """
    if not is_whole(reps) or reps < 2:
        raise OptionError(f"{command}: reps={reps!r} is to be the number of replicates, at least 2")
    return int(reps)


def started(found: Bootstrapped, reps: int) -> Bootstrapped:
    """A bootstrap with its first replicates: those in its file, and more up to `reps`."""
    kept = None if found.file is None else found.file.read()
    begun = replace(found, run=empty_run(found.statistic) if kept is None else kept)
    return replace(begun, run=begun.up_to(max(reps, len(begun.run))))
