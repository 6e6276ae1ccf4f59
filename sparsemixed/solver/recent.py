"""Factorizations that are kept as long as there is room for them, and computed again from the same inputs where there is not."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic

from sparsemixed.solver.interface import S

MAX_KEPT_NUMBERS = 1e6
"""Numbers (8 MB) that the kept factorizations of one design may hold between them; the last one is kept in any case."""


class Factorization(Generic[S]):
    """A solved system as a function of its inputs, held by whoever may need it: the same numbers whenever it is asked for.

    Parameters
    ----------
    make : callable
        Computes the system; it must depend on nothing that changes.
    recent : Recent
    """

    def __init__(self, make: Callable[[], S], recent: Recent):
        self._make, self._recent = make, recent
        self._system: S | None = None

    def system(self) -> S:
        """The system itself, for use at once: it stays in memory as long as it is referred to."""
        if self._system is None:
            self._recent.admit(self)
            self._system = self._make()
        return self._system

    @property
    def kept(self) -> bool:
        """Whether the system is in memory."""
        return self._system is not None

    def give_up(self) -> None:
        """Free the memory."""
        self._system = None


class Recent:
    """Which factorizations of a design are in memory.

    Parameters
    ----------
    numbers : callable
        Numbers that one of them holds, about.
    """

    def __init__(self, numbers: Callable[[], float]):
        self._numbers = numbers
        self._kept: list[weakref.ref[Factorization]] = []

    def admit(self, newest: Factorization) -> None:
        """Make room for another one: those admitted longest ago go first."""
        alive = [each for each in (ref() for ref in self._kept) if each is not None and each.kept]
        most = int(MAX_KEPT_NUMBERS / max(self._numbers(), 1.0))
        while alive and len(alive) >= most:
            alive.pop(0).give_up()
        self._kept = [weakref.ref(each) for each in (*alive, newest)]
