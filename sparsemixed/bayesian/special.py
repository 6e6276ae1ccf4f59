"""Special functions that proposals, summaries and sums of weights need."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, gammaln, ndtr, ndtri, stdtrit

__all__ = ["betaln", "gammaln", "logsumexp", "ndtr", "ndtri", "stdtrit"]


def logsumexp(a: np.ndarray, axis: int | None = None, b: np.ndarray | None = None, keepdims: bool = False) -> np.ndarray:
    """log of the sum of b exp(a) along an axis, for b of no less than zero: scipy's takes a millisecond for checks alone."""
    top = np.max(a, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        parts = np.exp(a - top)
        found = top + np.log(np.sum(parts if b is None else b * parts, axis=axis, keepdims=True))
    return found if keepdims else np.squeeze(found, axis=axis)
