"""Memory of compiled loops over vectors of the processor."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_within
from sparsemixed.solver.vectors import WIDTH


@compiled_within
def aligned(rows, columns):
    """A matrix of any contents whose rows begin where vectors of the processor do, if `columns` is a multiple of WIDTH.

    Elsewhere every load would touch two lines of the cache, which takes half as long again in loops that do little else.
    """
    numbers = np.empty(rows * columns + WIDTH)
    first = -(numbers.ctypes.data // 8) % WIDTH
    return numbers[first : first + rows * columns].reshape(rows, columns)


@compiled_within
def aligned_in(numbers, rows, columns):
    """The same within numbers (rows columns + WIDTH or more,) that are there."""
    begin = -(numbers.ctypes.data // 8) % WIDTH
    return numbers[begin : begin + rows * columns].reshape(rows, columns)
