"""Memory for compiled loops over vectors of the processor."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.vectors import WIDTH


def aligned(rows: int, columns: int) -> np.ndarray:
    """A matrix of any contents whose rows begin where vectors of the processor do, if `columns` is a multiple of WIDTH.

    Elsewhere every load would touch two lines of the cache, which takes half as long again in loops that do little else.
    """
    return aligned_in(np.empty(rows * columns + WIDTH), rows, columns)


def aligned_in(numbers: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The same within numbers (rows columns + WIDTH or more,) that are there."""
    begin = -(numbers.ctypes.data // 8) % WIDTH
    return numbers[begin : begin + rows * columns].reshape(rows, columns)
