"""Z'Z one cell after the other: the blocks of two levels that meet, whichever term is eliminated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.crossproducts.crossproducts import CrossProducts


class Cells(NamedTuple):
    """Z_t'Z_u of any two terms, t <= u, in the order of `CrossProducts.k`.

    rows, cols (c,) levels of t and of u that meet; values (c, k_t, k_u). For t == u both orders of two levels are listed.
    """

    t: int
    u: int
    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray


def cells(cp: CrossProducts) -> Iterator[Cells]:
    """All of Z'Z on and above the diagonal of terms."""
    levels = np.arange(cp.n_groups[0])
    yield Cells(0, 0, levels, levels, cp.first)
    groups = np.repeat(levels, np.diff(cp.indptr))
    for u, (start, offset) in enumerate(zip(cp.starts, cp.schur_offsets, strict=True), 1):
        k = cp.k[u]
        values = cp.cross[start[:, None] + np.arange(k)].transpose(0, 2, 1)
        yield Cells(0, u, groups[start], (cp.columns[start] - offset) // k, values)
    for pair in cp.pairs:
        yield Cells(pair.t + 1, pair.u + 1, pair.rows, pair.cols, pair.values)
