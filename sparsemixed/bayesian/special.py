"""Special functions that densities, their distribution functions and sums of weights need."""

from __future__ import annotations

from typing import Any

import scipy.special
from scipy.special import betainc, betaln, gammainc, gammaincc, gammaln, multigammaln, ndtr, ndtri, stdtr

__all__ = ["betainc", "betaln", "gammainc", "gammaincc", "gammaln", "logsumexp", "multigammaln", "ndtr", "ndtri", "stdtr"]


def logsumexp(a: Any, axis: int | None = None, b: Any = None, keepdims: bool = False) -> Any:
    """log of the sum of b exp(a) along an axis."""
    return scipy.special.logsumexp(a, axis=axis, b=b, keepdims=keepdims)
