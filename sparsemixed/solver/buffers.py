"""Arrays that serve one value after another: what a factorization leaves behind, the next one fills."""

from __future__ import annotations

import weakref

import numpy as np


class Buffers:
    """A pool of float64 arrays, each lent to an owner for as long as that lives; it must not leave its owner uncopied.

    One array of every shape is kept for the next owner; further ones that come back are given up.
    """

    def __init__(self) -> None:
        self._idle: dict[tuple[int, ...], np.ndarray] = {}

    def lend(self, owner: object, shape: tuple[int, ...]) -> np.ndarray:
        """An array of this shape with any contents."""
        array = self._idle.pop(shape, None)
        if array is None:
            array = np.empty(shape)
        # The pool outlives the system that made it only through owners that are still alive.
        weakref.finalize(owner, self._idle.__setitem__, shape, array).atexit = False
        return array

    def give_up(self) -> None:
        """Keep none for the next owner."""
        self._idle.clear()
