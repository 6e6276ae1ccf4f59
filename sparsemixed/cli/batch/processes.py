"""The fits of a batch in several processes: each gets stretches of fits with the same data, and answers after each fit."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import sys
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from sparsemixed.child_processes import leave_signals_to_parent, signals_wait
from sparsemixed.cli.batch.interruption import Interruption
from sparsemixed.cli.batch.one_fit import failure, line_of, record_of
from sparsemixed.cli.batch.shelf import Shelf
from sparsemixed.cli.batch.units import Unit

LONGEST_STRETCH = 25
"""Fits: few enough that processes end together, many enough that a file is read by one of them."""
STRETCHES_PER_PROCESS = 4
LISTENING = 0.2
"""Seconds after which it is looked whether somebody wants to stop."""
FORKS = sys.platform == "linux"
"""Whether processes begin as copies of this one, which share what it has read; elsewhere that is not safe, or not there."""

Done = Callable[[Unit, str, bytes], None]
"""Takes a fit that is done: its unit, its outcome, and its record as a line."""


def stretches(units: list[Unit], n_processes: int) -> deque[list[Unit]]:
    """Fits with the same data together, files in the order of their first fit."""
    most = max(1, min(LONGEST_STRETCH, len(units) // (STRETCHES_PER_PROCESS * n_processes)))
    by_data: dict[str, list[Unit]] = {}
    for unit in units:
        by_data.setdefault(unit.job.data, []).append(unit)
    return deque(own[i : i + most] for own in by_data.values() for i in range(0, len(own), most))


def run_here(units: list[Unit], shelf: Shelf, done: Done, interruption: Interruption) -> None:
    """All fits in this process, those with the same data one after another.

    Raises
    ------
    KeyboardInterrupt
        Everything that is done has gone to `done`.
    """
    for stretch in stretches(units, 1):
        for unit in stretch:
            with interruption.breaking():
                record = record_of(unit, shelf)
            done(unit, record["outcome"], line_of(record))


def run_in_processes(units: list[Unit], shelf: Shelf, n_processes: int, done: Done, interruption: Interruption) -> None:
    """The same in several processes; what several stretches need is read here first.

    Raises
    ------
    KeyboardInterrupt
        Everything that is done has gone to `done`.
    """
    waiting = stretches(units, n_processes)
    stretches_of: dict[str, int] = {}
    for stretch in waiting:
        name = stretch[0].job.data
        stretches_of[name] = stretches_of.get(name, 0) + 1
    for name, number in stretches_of.items():
        if FORKS and number > 1:
            with interruption.breaking():
                shelf.keep(name)
    pool = _Pool(multiprocessing.get_context("fork" if FORKS else "spawn"), shelf if FORKS else None, waiting, done)
    try:
        pool.run(n_processes, interruption)
    finally:
        pool.stop()


class _Process:
    """A process, the pipe to it, and the fits that it still has to do, in order."""

    def __init__(self, context: Any, shelf: Shelf | None, earlier: list[Connection]):
        self.pipe, other = context.Pipe()
        # A forked process has this end of every pipe too, and would not hear that this process is gone.
        inherited = [] if shelf is None else [self.pipe, *earlier]
        self.process = context.Process(target=_serve, args=(other, shelf, inherited), daemon=True)
        with signals_wait():
            self.process.start()
        other.close()
        self.owed: deque[Unit] = deque()

    def send(self, stretch: list[Unit]) -> None:
        self.owed.extend(stretch)
        self.pipe.send(stretch)


class _Pool:
    """Processes, stretches that wait for them, and where to put what is done."""

    def __init__(self, context: Any, shelf: Shelf | None, waiting: deque[list[Unit]], done: Done):
        self._context, self._shelf, self._waiting, self._done = context, shelf, waiting, done
        self._processes: dict[Connection, _Process] = {}

    def run(self, n_processes: int, interruption: Interruption) -> None:
        """Until nothing is owed, or somebody wants to stop."""
        for _ in range(min(n_processes, len(self._waiting))):
            self._start()
        while self._processes:
            if interruption.asked:
                raise KeyboardInterrupt
            for pipe in wait(list(self._processes), timeout=LISTENING):
                self._hear(self._processes[pipe])  # type: ignore[index]  # pipes are what it was given

    def _start(self) -> None:
        one = _Process(self._context, self._shelf, list(self._processes))
        self._processes[one.pipe] = one
        self._go_on(one)

    def _go_on(self, one: _Process) -> None:
        """The next stretch, or the end of a process that has nothing more to do."""
        try:
            if self._waiting:
                one.send(self._waiting.popleft())
                return
            one.pipe.send(None)
        except OSError:  # it has died: what it owes is found out when it is heard
            return
        del self._processes[one.pipe]
        one.pipe.close()
        one.process.join()

    def _hear(self, one: _Process) -> None:
        try:
            outcome, line = one.pipe.recv()
        except (EOFError, OSError):
            self._bury(one)
            return
        self._done(one.owed.popleft(), outcome, line)
        if not one.owed:
            self._go_on(one)

    def _bury(self, one: _Process) -> None:
        """A process that ended by itself: the fit that it was at has failed, the others wait for a new process."""
        del self._processes[one.pipe]
        one.pipe.close()
        one.process.join()
        if one.owed:
            lost = one.owed.popleft()
            code = one.process.exitcode or 0
            how = f"by signal {-code}" if code < 0 else f"with status {code}"
            record = failure(lost, f"its process was ended {how}; the system ends one when the memory is too small")
            self._done(lost, record["outcome"], line_of(record))
        if one.owed:
            self._waiting.appendleft(list(one.owed))
        if self._waiting:
            self._start()

    def stop(self) -> None:
        """End all processes; what has arrived by now is taken."""
        for one in self._processes.values():
            try:
                while one.pipe.poll():
                    self._done(one.owed.popleft(), *one.pipe.recv())
            except (EOFError, OSError):
                pass
            one.process.terminate()
            one.pipe.close()
        for one in self._processes.values():
            one.process.join()
        self._processes.clear()


def _serve(pipe: Connection, shelf: Shelf | None, inherited: list[Connection]) -> None:
    """What a process does: stretches come in, outcomes and records go out, one by one, until the other end is closed."""
    leave_signals_to_parent()
    for other in inherited:
        other.close()
    gc.freeze()  # looking for garbage among what is shared would copy it
    import numba
    from threadpoolctl import threadpool_limits

    # One core each: more threads would only wait for those of the others.
    numba.set_num_threads(1)
    own = Shelf() if shelf is None else shelf
    with threadpool_limits(1), contextlib.suppress(EOFError, BrokenPipeError):
        while (stretch := pipe.recv()) is not None:
            for unit in stretch:
                record = record_of(unit, own)
                pipe.send((record["outcome"], line_of(record)))
