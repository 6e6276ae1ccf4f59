"""Special functions that densities, their distribution functions and sums need."""

from __future__ import annotations

from scipy.special import betainc, betaln, gammainc, gammaincc, gammaln, logsumexp, multigammaln, ndtr, ndtri, stdtr

__all__ = ["betainc", "betaln", "gammainc", "gammaincc", "gammaln", "logsumexp", "multigammaln", "ndtr", "ndtri", "stdtr"]
