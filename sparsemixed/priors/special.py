"""Special functions that densities and distribution functions of priors need."""

from __future__ import annotations

from scipy.special import betainc, betaln, gammainc, gammaincc, gammaln, multigammaln, ndtr, stdtr

__all__ = ["betainc", "betaln", "gammainc", "gammaincc", "gammaln", "multigammaln", "ndtr", "stdtr"]
