"""How far a batch is, on standard error."""

from __future__ import annotations

import sys
import time

from sparsemixed.cli.batch.one_fit import CONVERGED, FAILED, NOT_CONVERGED

EVERY = 0.2
"""Seconds between two lines on a terminal."""
EVERY_ELSEWHERE = 30.0
"""The same in a log."""


class Progress:
    """Counts outcomes, and says them now and then.

    Parameters
    ----------
    total : int
        Fits to do.
    shown : bool
    """

    def __init__(self, total: int, shown: bool):
        self.counts: dict[str, int] = dict.fromkeys((CONVERGED, NOT_CONVERGED, FAILED), 0)
        self._total, self._shown = total, shown
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._began = self._said = time.monotonic()
        self._width = 0

    def add(self, outcome: str) -> None:
        """One more."""
        self.counts[outcome] += 1
        now = time.monotonic()
        if self._shown and now - self._said >= (EVERY if self._terminal else EVERY_ELSEWHERE):
            self._said = now
            self._say(self._line(now))

    def _line(self, now: float) -> str:
        done = sum(self.counts.values())
        rate = done / max(now - self._began, 1e-9)
        failed = f", {self.counts[FAILED]} failed" if self.counts[FAILED] else ""
        return f"{done}/{self._total} fits{failed}, {rate:.3g}/s, {_duration((self._total - done) / rate)} left"

    def _say(self, text: str) -> None:
        if self._terminal:
            self._width, text = len(text), f"\r{text.ljust(self._width)}"
        print(text, end="" if self._terminal else "\n", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0


def _duration(seconds: float) -> str:
    """As people say it.

    Examples
    --------
    >>> _duration(7.4), _duration(130), _duration(9000)
    ('7 s', '2 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.3g} h"
