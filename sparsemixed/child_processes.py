"""Signals where a process has others that it starts and ends: the terminal sends Ctrl-C to all of them."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Processes that are started within it hear of no signal before `leave_signals_to_parent`; this one hears of it at the end.

    A forked process has the handlers of the one that it is a copy of until it has set its own. And what a handler raises while
    a process is forked may be lost, for other modules do things there from which Python lets no exception out.
    """
    heard: list[int] = []
    with _handled_by(lambda number, frame: heard.append(number)), _blocked():
        yield
    for number in heard:
        signal.raise_signal(number)


def leave_signals_to_parent() -> None:
    """In a process that another one has started: Ctrl-C is the other's to answer, who may end this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _numbers())


@contextlib.contextmanager
def _handled_by(handler: Any) -> Iterator[None]:
    """Only the main thread may set handlers, and only it runs them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in _numbers()}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, signal.SIG_DFL if earlier is None else earlier)


@contextlib.contextmanager
def _blocked() -> Iterator[None]:
    """In this thread, and in the first one of a process that it forks; other threads of this process may get the signal."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which forks nothing
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _numbers())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _numbers() -> tuple[signal.Signals, ...]:
    return signal.SIGINT, signal.SIGTERM
