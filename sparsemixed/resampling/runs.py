"""Replicates made in order, shown as they come, kept in a file where that is wanted, and kept when somebody breaks off."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.estimation.compact import of_fit
from sparsemixed.resampling.replicates import Replicates
from sparsemixed.resampling.samplers import Sampler
from sparsemixed.resampling.statistics import FAILED, Statistic
from sparsemixed.resampling.workers import in_order, pieces_of

SAVE_AFTER = 5.0
"""Seconds between two times that a run is written to its file."""


@dataclass(frozen=True)
class Run:
    """Replicates 0 to B - 1.

    Attributes
    ----------
    values : (B, k)
        Of the statistic; NaN where a replicate failed.
    estimates : Replicates
        Of a statistic that is a function, only what its whole fits report.
    """

    values: np.ndarray
    estimates: Replicates

    def __len__(self) -> int:
        return len(self.values)

    @property
    def failed(self) -> np.ndarray:
        """(B,) bool: replicates without a value."""
        return np.asarray(np.isnan(self.values).all(axis=1))


def empty_run(statistic: Statistic) -> Run:
    """No replicates yet."""
    return Run(np.zeros((0, len(statistic.names))), Replicates.room(0, *statistic.sizes))


def piece_of(sampler: Sampler, statistic: Statistic, begin: int, end: int) -> Run:
    """Some replicates."""
    if statistic.function is None:
        found = sampler.replicates(begin, end)
        return Run(statistic.of_estimates(found), found)
    values = np.full((end - begin, len(statistic.names)), np.nan)
    found = Replicates.room(end - begin, *statistic.sizes)
    for row, replicate in enumerate(range(begin, end)):
        try:
            fit = sampler.fit(replicate)
            found.put(row, of_fit(fit))
            values[row] = statistic.function(fit)
        except FAILED as error:
            found.message[row] = str(error)
    return Run(values, found)


def extended(
    run: Run,
    sampler: Sampler,
    statistic: Statistic,
    reps: int,
    n_jobs: int,
    keep: Callable[[Run], None] | None = None,
    title: str = "bootstrap",
) -> tuple[Run, bool]:
    """The run up to `reps` replicates, and whether it was broken off before.

    Parameters
    ----------
    keep : callable, optional
        Called with what there is, every few seconds and at the end.
    """
    step = sampler.step if statistic.function is None else 1
    pieces = pieces_of(len(run), reps, step)
    found, last, broken = [run], time.monotonic(), False
    threads = sampler.compiled and statistic.function is None
    with progress(title, reps, len(run)) as show:
        try:
            for piece in in_order(lambda begin, end: piece_of(sampler, statistic, begin, end), pieces, n_jobs, threads):
                found.append(piece)
                show(len(piece))
                if keep is not None and time.monotonic() - last > SAVE_AFTER:
                    keep(_all(found))
                    last = time.monotonic()
        except KeyboardInterrupt:
            broken = True
    whole = _all(found)
    if keep is not None:
        keep(whole)
    return whole, broken


def _all(parts: list[Run]) -> Run:
    return Run(np.concatenate([part.values for part in parts]), Replicates.joined([part.estimates for part in parts]))


@contextmanager
def progress(title: str, total: int, done: int) -> Iterator[Callable[[int], Any]]:
    """A bar on a terminal and in notebooks, where tqdm is there; called with how many more are done."""
    if not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        yield lambda more: None
        return
    try:
        from tqdm.auto import tqdm  # an extra, and only loaded to be seen
    except ImportError:
        yield lambda more: None
        return
    with tqdm(total=total, initial=done, desc=title, leave=False) as bar:
        yield bar.update
