"""Gauss-Jordan elimination, equation by equation, that tells zeros from rounding errors whatever the units.

Beside every number stands a bound: the sum of the sizes of all that was added and subtracted to make it. A number that is a
tiny share of its bound is what cancellation left over, so it is set to zero. Rescaling an equation or an unknown rescales
number and bound alike; no tolerance on absolute sizes, and none on angles, has this property.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

CANCELLED = 1e-12
"""Share of its bound at which a number counts as zero."""


class Added(NamedTuple):
    """What became of an equation: whether it says something new, whether it agrees, and the numbers of all involved."""

    independent: bool
    consistent: bool
    involved: tuple[int, ...]


@dataclass
class _Pivot:
    """An equation [row, value] with its bounds (p + 1,), solved for the unknown `column`, and the equations it was made of."""

    numbers: np.ndarray
    bounds: np.ndarray
    column: int
    involved: frozenset[int]


class Elimination:
    """Equations taken one at a time, each reduced by those before it.

    Examples
    --------
    >>> equations = Elimination()
    >>> equations.add(np.array([1.0, -1.0]), 0.0, 1)
    Added(independent=True, consistent=True, involved=(1,))
    >>> equations.add(np.array([1e-9, 0.0]), 2e-9, 2).independent
    True
    >>> equations.add(np.array([0.0, 3.0]), 6.0, 3)
    Added(independent=False, consistent=True, involved=(1, 2, 3))
    >>> equations.reduced()[1]
    array([2., 2.])
    """

    def __init__(self):
        self._pivots: list[_Pivot] = []

    def add(self, row: np.ndarray, value: float, number: int) -> Added:
        """Take the equation row (p,) . x = value, numbered for reports, unless it follows from those before or contradicts."""
        numbers = np.append(row, value)
        scale = np.abs(row).max()
        numbers = numbers / scale if scale > 0 else numbers
        bounds, involved = np.abs(numbers), {number}
        for pivot in self._pivots:
            if _eliminate(numbers, bounds, pivot):
                involved |= pivot.involved
        names = tuple(sorted(involved))
        if not numbers[:-1].any():
            return Added(False, not numbers[-1], names)
        column = int(np.argmax(np.abs(numbers[:-1])))
        bounds = bounds / abs(numbers[column])
        numbers = numbers / numbers[column]
        new = _Pivot(numbers, bounds, column, frozenset(involved))
        for pivot in self._pivots:
            if _eliminate(pivot.numbers, pivot.bounds, new):
                pivot.involved |= new.involved
        self._pivots.append(new)
        return Added(True, True, names)

    def reduced(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Equations (m, p), right-hand sides (m,) and pivots (m,): every pivot's column is one of the identity."""
        numbers = np.array([pivot.numbers for pivot in self._pivots])
        return numbers[:, :-1], numbers[:, -1], np.array([pivot.column for pivot in self._pivots], dtype=np.int64)


def _eliminate(numbers: np.ndarray, bounds: np.ndarray, pivot: _Pivot) -> bool:
    """Subtract the multiple of a pivot equation that clears its unknown, in place; whether there was anything to clear."""
    factor = numbers[pivot.column]
    if factor == 0:
        return False
    numbers -= factor * pivot.numbers
    bounds += abs(factor) * pivot.bounds
    numbers[np.abs(numbers) <= CANCELLED * bounds] = 0.0
    numbers[pivot.column] = bounds[pivot.column] = 0.0
    return True
