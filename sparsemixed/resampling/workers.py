"""Pieces of work in order, by one worker or by several: threads where compiled loops do the work, processes where Python does."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from sparsemixed.child_processes import leave_signals_to_parent, signals_wait
from sparsemixed.errors import OptionError
from sparsemixed.spec.numbers import is_whole

Found = TypeVar("Found")
Piece = tuple[int, int]

_WORK: list[Callable[[int, int], Any]] = []
"""What a worker process does; it was there when the process began."""


def read_jobs(n_jobs: Any, command: str) -> int:
    """The number of workers; -1 for as many as there are processors.

    Raises
    ------
    OptionError
    """
    if not is_whole(n_jobs) or (n_jobs < 1 and n_jobs != -1):
        raise OptionError(f"{command}: n_jobs={n_jobs!r} is to be the number of workers, or -1 for one per processor")
    if n_jobs > 0:
        return int(n_jobs)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pieces_of(begin: int, end: int, step: int) -> list[Piece]:
    """Stretches of at most `step` from begin to end."""
    return [(at, min(at + step, end)) for at in range(begin, end, step)]


def in_order(work: Callable[[int, int], Found], pieces: Sequence[Piece], n_jobs: int, threads: bool) -> Iterator[Found]:
    """The results of pieces one after another; what has not begun is left when the reader stops reading.

    Parameters
    ----------
    work : callable
        Takes begin and end.
    threads : bool
        Whether it leaves Python's lock to others most of the time.
    """
    if n_jobs == 1 or len(pieces) < 2:
        yield from (work(*piece) for piece in pieces)
        return
    with _pool(work, min(n_jobs, len(pieces)), threads) as (pool, call):
        waiting: list[Future] = []
        rest = iter(pieces)
        try:
            for piece in rest:
                with signals_wait():  # processes are started here
                    waiting.append(pool.submit(call, *piece))
                # A few ahead: a reader that stops, or breaks off, has not made much in vain.
                if len(waiting) > 2 * n_jobs:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for each in waiting:
                each.cancel()


@contextmanager
def _pool(work: Callable[[int, int], Found], n_jobs: int, threads: bool) -> Iterator[tuple[Executor, Callable[..., Found]]]:
    # Processes as copies of this one, which share what it holds; elsewhere that is not safe, or not there.
    if threads or sys.platform != "linux":
        with ThreadPoolExecutor(n_jobs) as pool:
            yield pool, work
        return
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(n_jobs, mp_context=fork, initializer=_begin, initargs=(work,)) as pool:
        yield pool, _in_process


def _begin(work: Callable[[int, int], Any]) -> None:
    leave_signals_to_parent()
    import numba  # delayed: whoever resamples has loaded it

    # One core each: more threads would only wait for those of the others.
    numba.set_num_threads(1)
    _WORK[:] = [work]


def _in_process(begin: int, end: int) -> Any:
    return _WORK[0](begin, end)
