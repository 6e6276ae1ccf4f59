"""The p x p system that is left of the coefficients once the random effects are eliminated."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from sparsemixed.errors import NumericalError


def solve_fixed(xvx: np.ndarray, xvy: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """beta, inverse and log-determinant of the fixed effects' system (p may be 0)."""
    if not xvy.size:
        return xvy, xvx, 0.0
    if not (np.all(np.isfinite(xvx)) and np.all(np.isfinite(xvy))):
        raise NumericalError("the fixed effects' system overflowed: variances differ by too many orders of magnitude")
    try:
        factor = cho_factor(xvx, lower=True)
    except np.linalg.LinAlgError as error:
        raise NumericalError("the fixed effects are not identified given the random effects") from error
    inverse = cho_solve(factor, np.eye(xvy.size))
    return cho_solve(factor, xvy), inverse, 2.0 * float(np.log(np.diag(factor[0])).sum())
