"""Predicted values of the rows of the sample."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.fit import Fit


def fixed_part(fit: Fit) -> np.ndarray:
    """(n,) fixed part, its offset included."""
    xb = fit.design.X @ fit.beta
    return xb if fit.design.offset is None else xb + fit.design.offset


def random_part(fit: Fit, terms: tuple[int, ...] | None = None) -> np.ndarray:
    """(n,) what the predicted effects of some terms, of all by default, add."""
    total = np.zeros(fit.design.n_rows)
    for t in range(len(fit.u)) if terms is None else terms:
        term = fit.design.random[t]
        total = total + np.einsum("ij,ij->i", term.columns, fit.u[t][term.codes])
    return total


def marginal_residuals(fit: Fit) -> np.ndarray:
    """(n,) y - X beta_hat, less the offset."""
    return fit.design.y - fit.design.X @ fit.beta
