"""Ctrl-C and a request to end: what is done is written before a batch stops."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

SIGNALS = ("SIGINT", "SIGTERM")


class Interruption:
    """While this context holds, a signal is noted; it breaks off only what runs within `breaking`.

    A second signal breaks off everything.
    """

    def __init__(self) -> None:
        self.asked = False
        self._breaking = False
        self._before: dict[Any, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # others may not set handlers
            for name in SIGNALS:
                number = getattr(signal, name)
                self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _heard(self, number: int, frame: Any) -> None:
        again, self.asked = self.asked, True
        if again or self._breaking:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def breaking(self) -> Iterator[None]:
        """Within it a signal raises KeyboardInterrupt at once."""
        if self.asked:
            raise KeyboardInterrupt
        self._breaking = True
        try:
            yield
        finally:
            self._breaking = False
