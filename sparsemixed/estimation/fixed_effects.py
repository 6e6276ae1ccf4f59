"""The p x p system that is left of the coefficients once the random effects are eliminated."""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.lapack import lapack
from sparsemixed.solver.linalg import LARGE, mirrored


def solve_fixed(xvx: np.ndarray, xvy: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """beta, inverse and log-determinant of the fixed effects' system (p may be 0)."""
    if not xvy.size:
        return xvy, xvx, 0.0
    if not (np.all(np.isfinite(xvx)) and np.all(np.isfinite(xvy))):
        raise NumericalError("the fixed effects' system overflowed: variances differ by too many orders of magnitude")
    lower, failed = lapack.dpotrf(xvx, lower=1, clean=1)
    if failed:
        raise NumericalError("the fixed effects are not identified given the random effects")
    beta, logdet = lapack.dpotrs(lower, xvy, lower=1)[0], 2.0 * float(np.log(np.diag(lower)).sum())
    half, _ = lapack.dpotri(lower, lower=1, overwrite_c=1)
    if xvy.size >= LARGE:
        return beta, mirrored(half.T), logdet
    inverse = half + half.T
    inverse.flat[:: xvy.size + 1] *= 0.5
    return beta, inverse, logdet
