"""Residual bootstrap: predicted effects and residuals drawn with replacement, once their spread is that of the model.

Predictions are shrunken towards zero. For each term they are centred and multiplied by inv(root S) root G, with S their
empirical covariance and G the fitted one, by symmetric roots: their empirical covariance then is G (cf. Carpenter, Goldstein &
Rasbash 2003, Applied Statistics 52). Residuals, independent by the root of their covariance, are centred and scaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.prediction.sample_values import marginal_residuals, random_part
from sparsemixed.postestimation.random_effects import term_name
from sparsemixed.postestimation.row_covariance import within_sample
from sparsemixed.resampling.error_roots import ErrorRoots, error_roots
from sparsemixed.resampling.simulator import Effects, term_roots

RANK = 1e-10
"""Eigenvalue of a covariance, over the largest, up to which it is zero."""


@dataclass(frozen=True)
class ReflatedModel:
    """A fixed part with pools of effects and errors to draw from.

    Attributes
    ----------
    mean : (n,)
    effects : tuple of (Effects, (J, k) pool)
    errors : ErrorRoots
    pool : (n,)
        Of errors, with mean zero and variance one.
    """

    mean: np.ndarray
    effects: tuple[tuple[Effects, np.ndarray], ...]
    errors: ErrorRoots
    pool: np.ndarray

    def numbers(self, rng: np.random.Generator) -> np.ndarray:
        sizes = [*(len(pool) for _, pool in self.effects), len(self.pool)]
        return np.concatenate([rng.integers(0, size, size) for size in sizes])

    def responses(self, numbers: np.ndarray) -> np.ndarray:
        y, begin = np.broadcast_to(self.mean, (len(numbers), len(self.mean))).copy(), 0
        for own, pool in self.effects:
            y += own.added(pool[numbers[:, begin : begin + len(pool)]])
            begin += len(pool)
        return y + self.errors.times(self.pool[numbers[:, begin:]])


def reflated_model(fit: Fit) -> ReflatedModel:
    """The pools of a fit.

    Raises
    ------
    NotAvailableError
        The predicted effects of some term have no spread in a direction in which the model has one.
    """
    design, found = fit.design, []
    for term, root, u in zip(design.random, term_roots(fit), fit.u, strict=True):
        if term.members is not None:
            raise NotAvailableError("bootstrap: kind='residual' is not available for R.varname with covariance(exchangeable)")
        own = Effects(term.codes.astype(np.int64), term.columns, root, term.n_groups)
        found.append((own, _reflated(u, root @ root.T, term_name(term))))
    errors = error_roots(within_sample(fit))
    residuals = marginal_residuals(fit) - random_part(fit)
    numbers = errors.solve(residuals)
    numbers = numbers - numbers.mean()
    return ReflatedModel(design.X @ fit.beta, tuple(found), errors, numbers / np.sqrt(np.mean(numbers**2)))


def _reflated(u: np.ndarray, G: np.ndarray, name: str) -> np.ndarray:
    """Effects (J, k) with mean zero and empirical covariance G."""
    centred = u - u.mean(axis=0)
    S = centred.T @ centred / len(u)
    size = np.sqrt(np.maximum(np.diag(G), np.diag(S)))
    unit = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(S / np.outer(unit, unit))
    there = values > RANK * max(values[-1], np.finfo(float).tiny)
    inverse = (vectors[:, there] / np.sqrt(values[there])) @ vectors[:, there].T
    goal, turns = np.linalg.eigh(G / np.outer(unit, unit))
    half = (turns * np.sqrt(np.maximum(goal, 0.0))) @ turns.T
    outside = half - half @ vectors[:, there] @ vectors[:, there].T
    if np.abs(outside).max(initial=0.0) > 1e-4 * max(np.abs(half).max(initial=0.0), np.finfo(float).tiny):
        raise NotAvailableError(
            f"bootstrap: the predicted effects of {name} do not vary in all directions in which the model has them vary, and "
            "cannot be scaled to its variances; use kind='parametric'"
        )
    return centred / unit @ inverse @ half * unit
