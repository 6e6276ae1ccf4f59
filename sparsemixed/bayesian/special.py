"""Special functions that proposals, summaries and sums of weights need."""

from __future__ import annotations

from typing import Any

import scipy.special
from scipy.special import betaln, gammaln, ndtr, ndtri, stdtrit

__all__ = ["betaln", "gammaln", "logsumexp", "ndtr", "ndtri", "stdtrit"]


def logsumexp(a: Any, axis: int | None = None, b: Any = None, keepdims: bool = False) -> Any:
    """log of the sum of b exp(a) along an axis."""
    return scipy.special.logsumexp(a, axis=axis, b=b, keepdims=keepdims)
