"""Rows of groups of one term: slices, blocks on their diagonal, and sums over all of their blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.crossproducts.crossproducts import CrossProducts

BLOCK = 512
"""Rows and columns of two matrices that are multiplied entry by entry at a time, one of them transposed."""


class Stretch(NamedTuple):
    """Groups begin to end of term t."""

    t: int
    begin: int
    end: int


def stretches(cp: CrossProducts, t: int, most: int) -> list[Stretch]:
    """The groups of term t in stretches of at most `most` scalar rows, or of one group."""
    step = max(1, most // cp.k[t])
    return [Stretch(t, begin, min(begin + step, cp.n_groups[t])) for begin in range(0, cp.n_groups[t], step)]


def scalar_rows(cp: CrossProducts, stretch: Stretch) -> slice:
    """The rows of a stretch among those of its term, or of all remaining terms."""
    k = cp.k[stretch.t]
    start = cp.schur_offsets[stretch.t - 1] if stretch.t else 0
    return slice(start + stretch.begin * k, start + stretch.end * k)


def add_own_blocks(rows: np.ndarray, start: int, blocks: np.ndarray) -> None:
    """Add blocks (k, k) or (J, k, k) to `rows` (J k, m), in place, on the diagonal that begins at column `start`."""
    k = blocks.shape[-1]
    groups = np.arange(len(rows) // k)
    view = rows[:, start : start + len(rows)].reshape(groups.size, k, groups.size, k)
    view[groups, :, groups, :] += blocks


def blocks_times(block: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(I x block) rows (m, q)."""
    k = len(block)
    return block[0, 0] * rows if k == 1 else np.matmul(block, rows.reshape(-1, k, rows.shape[1])).reshape(rows.shape)


def times_blocks(cp: CrossProducts, rows: np.ndarray, blocks: Sequence[np.ndarray]) -> np.ndarray:
    """rows (m, q2) times the block-diagonal matrix that repeats one (k, k) block for each remaining term."""
    out = np.empty_like(rows)
    for block, start, size in zip(blocks, cp.schur_offsets, cp.sizes[1:], strict=True):
        part, k = rows[:, start : start + size], len(block)
        if k == 1:
            np.multiply(part, block[0, 0], out=out[:, start : start + size])
        else:
            out[:, start : start + size] = (part.reshape(len(rows), -1, k) @ block).reshape(len(rows), size)
    return out


def own_sum(square: np.ndarray, k: int) -> np.ndarray:
    """The sum of the diagonal blocks (k, k) of a matrix (J k, J k)."""
    return np.einsum("iaib->ab", square.reshape(len(square) // k, k, -1, k))


def pair_sums(rows: np.ndarray, k: int, m: int) -> np.ndarray:
    """(k k, m m): sums over the blocks X (k, m) of rows (I k, J m) of X_ac X_bd, at place (a, b), (c, d)."""
    if k == m == 1:
        return np.array([[np.vdot(rows, rows)]])
    blocks = rows.reshape(len(rows) // k, k, -1, m).transpose(1, 3, 0, 2).reshape(k * m, -1)
    gram = (blocks @ blocks.T).reshape(k, m, k, m)
    return gram.transpose(0, 2, 1, 3).reshape(k * k, m * m)


def trace_product(left: np.ndarray, right: np.ndarray) -> float:
    """tr(left right) of (n, n) matrices, block by block to stay in cache."""
    size, total = len(left), 0.0
    for i in range(0, size, BLOCK):
        # A product with itself has every pair of blocks twice.
        for j in range(i if left is right else 0, size, BLOCK):
            part = float(np.einsum("ij,ji->", left[i : i + BLOCK, j : j + BLOCK], right[j : j + BLOCK, i : i + BLOCK]))
            total += part if left is not right or i == j else 2.0 * part
    return total
