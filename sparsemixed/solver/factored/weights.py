"""D on the diagonal of blocks, and the determinants of the replicates of weighted groups."""

from __future__ import annotations

import numpy as np


def with_weights(blocks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Blocks (J, k, k) with D added: weights (J,) on the diagonal of each."""
    return blocks + weights[:, None, None] * np.eye(blocks.shape[-1])


def weighted_logdet(lower: np.ndarray, weights: np.ndarray) -> float:
    """Sum over blocks (J, k, k) of D (2 log L_aa - log D)."""
    return float((weights[:, None] * (2.0 * np.log(np.einsum("iaa->ia", lower)) - np.log(weights)[:, None])).sum())
