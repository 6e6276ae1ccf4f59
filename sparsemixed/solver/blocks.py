"""Cholesky factors of the blocks of a block-diagonal matrix."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.kernels import factor_blocks


def factored_blocks(blocks: np.ndarray, out_lower: np.ndarray, out_inverse: np.ndarray) -> int:
    """The Cholesky factors of blocks (J, k, k), and their inverses; both outputs (J, k, k).

    Returns
    -------
    int
        -1, or the first block that is not positive definite: the outputs mean nothing then.

    Examples
    --------
    >>> lower, inverse = np.empty((2, 1, 1)), np.empty((2, 1, 1))
    >>> factored_blocks(np.array([[[4.0]], [[16.0]]]), lower, inverse), lower.ravel().tolist(), inverse.ravel().tolist()
    (-1, [2.0, 4.0], [0.5, 0.25])
    >>> factored_blocks(np.array([[[4.0]], [[-1.0]]]), lower, inverse)
    1
    """
    if blocks.shape[1] != 1:
        return factor_blocks(blocks, out_lower, out_inverse)
    if not (positive := blocks > 0.0).all():
        return int(positive.argmin())
    np.sqrt(blocks, out=out_lower)
    np.divide(1.0, out_lower, out=out_inverse)
    return -1
