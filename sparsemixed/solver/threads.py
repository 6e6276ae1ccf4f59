"""How many threads there are: for BLAS one where matrices are small, for pieces of work as many as numba's loops have."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import numba
from numba.core import config
from numba.np.ufunc import parallel
from threadpoolctl import ThreadpoolController

WORTH_THREADS = 1500
"""Order of a dense matrix from which more threads pay (measured on 2 cores; below it they lose when the machine is busy)."""
POOL = "sparsemixed"
"""What the names of the threads begin with that pieces of work are shared out to."""

Found = TypeVar("Found")


def number_of_threads() -> int:
    """As many as numba's loops have.

    Numba starts its threads in order to answer. Where nobody has set their number before, it is the one that they start with, and
    none of them is needed: ours are threads of Python.
    """
    started = getattr(parallel, "_is_initialized", True)
    return numba.get_num_threads() if started else config.NUMBA_NUM_THREADS


def shared_out(work: Callable[[int, int], Found], begins: Iterable[int], ends: Iterable[int]) -> list[Found]:
    """The results of `work` on pieces from begins to ends, in order; it should leave Python's lock to others most of the time."""
    pieces, threads = [*zip(begins, ends, strict=True)], number_of_threads()
    # A thread of the pool that waited for others of it could wait for itself.
    if threads == 1 or len(pieces) == 1 or threading.current_thread().name.startswith(POOL):
        return [work(*piece) for piece in pieces]
    waiting, found = iter(enumerate(pieces)), [None] * len(pieces)

    def take() -> None:
        for i, piece in waiting:
            found[i] = work(*piece)  # type: ignore[call-overload]

    # This thread takes its part too: to wake another one and to be woken takes as long as many a piece.
    helpers = [_pool(threads).submit(take) for _ in range(min(threads, len(pieces)) - 1)]
    try:
        take()
    finally:
        late = [helper for helper in helpers if not helper.cancel()]  # they would find nothing left
        wait(late)
    for helper in late:
        helper.result()
    return found  # type: ignore[return-value]  # all of them by now


def stretches(number: int) -> tuple[list[int], list[int]]:
    """Where as many stretches of iterations begin and end as there are threads."""
    threads = number_of_threads()
    bounds = [number * thread // threads for thread in range(threads + 1)]
    return bounds[:-1], bounds[1:]


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that stay: to start them takes longer than the work of many evaluations."""
    return ThreadPoolExecutor(threads, thread_name_prefix=POOL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked process has none of them


@cache
def _libraries() -> list[Any]:
    """The BLAS libraries that are loaded, by threadpoolctl's classes."""
    return [library for library in ThreadpoolController().lib_controllers if library.user_api == "blas"]


@contextmanager
def blas_threads(order: int) -> Iterator[None]:
    """Context in which BLAS runs on one thread if the largest dense matrix has less than WORTH_THREADS rows.

    With larger ones only scipy keeps its LAPACK threads: numpy serves small products here, and its idle threads would keep
    a core busy for some 25 ms after each (measured: a quarter of a large crossed fit). The compiled loops keep their
    own threads. The number of threads belongs to the process: it is as before when the last fit of any thread has left.
    """
    limited = _libraries() if order < WORTH_THREADS else [one for one in _libraries() if _is_numpys(one.filepath)]
    _LIMITS.enter(limited)
    try:
        yield
    finally:
        _LIMITS.leave(limited)


def _is_numpys(path: str) -> bool:
    return "numpy.libs" in path or "numpy/.dylibs" in path


class _Limits:
    """Which fits hold which library at one thread, counted by thread, so that the last to leave opens it again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._before: dict[str, int] = {}
        self._holders: dict[str, list[int]] = {}

    def enter(self, libraries: list[Any]) -> None:
        with self._lock:
            for library in libraries:
                holders = self._holders.setdefault(library.filepath, [])
                if not holders:
                    before = self._before[library.filepath] = library.get_num_threads()
                    if before != 1:
                        library.set_num_threads(1)
                holders.append(threading.get_ident())

    def leave(self, libraries: list[Any]) -> None:
        with self._lock:
            for library in libraries:
                holders = self._holders[library.filepath]
                holders.remove(threading.get_ident())
                if not holders and (before := self._before.pop(library.filepath)) != 1:
                    library.set_num_threads(before)

    def forked(self) -> None:
        """Called in the child, which has the forking thread alone: what others held there, nobody will ever leave here."""
        self._lock.release()
        for library in _libraries() if self._before else ():
            holders = self._holders.get(library.filepath, [])
            others = [ident for ident in holders if ident != threading.get_ident()]
            holders[:] = [ident for ident in holders if ident == threading.get_ident()]
            if others and not holders:
                library.set_num_threads(self._before.pop(library.filepath))

    def register(self) -> None:
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._lock.acquire, after_in_parent=self._lock.release, after_in_child=self.forked)


_LIMITS = _Limits()
_LIMITS.register()
