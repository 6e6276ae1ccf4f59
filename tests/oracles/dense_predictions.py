"""Slow, dense, independent: predictions, their errors and residuals from V = ZGZ' + R of all rows, by the textbook formulas.

Frequency weights are replicated rows, precision weights divide error variances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.data.frame import read_frame
from sparsemixed.estimation.parameters import parameters
from sparsemixed.postestimation.prediction.predicted_rows import rows_of_frame
from tests.oracles import dense_oracle as oracle
from tests.oracles.dense_sandwich import named_factors


@dataclass(frozen=True)
class Dense:
    """A fit as matrices: y (n,), X (n, p), Z (n, q), G (q, q), R (n, n), V, inv(V), Phi; `first` are its rows without copies."""

    fit: object
    y: np.ndarray
    X: np.ndarray
    Z: np.ndarray
    G: np.ndarray
    R: np.ndarray
    first: np.ndarray
    theta: np.ndarray

    @property
    def V(self):
        return self.Z @ self.G @ self.Z.T + self.R

    @property
    def free(self):
        """X and the rest of the response under constraints."""
        constraints = self.fit.design.constraints
        if constraints is None:
            return self.X, self.y
        return self.X @ constraints.T, self.y - self.X @ constraints.a

    def to_free(self, x):
        constraints = self.fit.design.constraints
        return x if constraints is None else x @ constraints.T

    def weights(self, x, z):
        """c (m, n) of rows x (m, p), z (m, q): the prediction is c y, but for what constraints fix."""
        X, _ = self.free
        inverse = np.linalg.inv(self.V)
        Phi = np.linalg.inv(X.T @ inverse @ X) if X.shape[1] else np.zeros((0, 0))
        own = z @ self.G @ self.Z.T @ inverse
        return own + (self.to_free(x) - own @ X) @ Phi @ X.T @ inverse

    def variances(self, x, z):
        """(m,) variances of x'beta_hat + z'b_hat - x'beta - z'b, beta estimated: those of c'y - tau under the model."""
        X, _ = self.free
        inverse = np.linalg.inv(self.V)
        Phi = np.linalg.inv(X.T @ inverse @ X) if X.shape[1] else np.zeros((0, 0))
        half = z @ self.G @ self.Z.T
        known = np.einsum("mq,qr,mr->m", z, self.G, z) - np.einsum("mn,nk,mk->m", half, inverse, half)
        moved = self.to_free(x) - half @ inverse @ X
        return known + np.einsum("mp,pq,mq->m", moved, Phi, moved)

    def rows(self, data):
        """x (m, p), z (m, q), and by term the z (m, k) of groups that are new (zero in other rows) of a data frame."""
        found = rows_of_frame(self.fit, read_frame(data))
        terms, new = [], []
        for term, codes, columns in zip(self.fit.design.random, found.codes, found.columns, strict=True):
            known = np.where((codes >= 0)[:, None], columns, 0.0)
            terms.append((np.maximum(codes, 0), term.n_groups, known))
            new.append(np.where((codes < 0)[:, None], columns, 0.0))
        z = oracle.random_design(terms) if terms else np.zeros((len(data), 0))
        return found.X, z, new

    @property
    def own_rows(self):
        """x, z of the sample without copies."""
        return self.X[self.first], self.Z[self.first]


def term_factors(fit, theta=None):
    """One factor (k, k) for each term of the design, of the effects as named, over sigma."""
    layout, theta = parameters(fit.design.random), fit.theta if theta is None else theta
    found = [None] * len(fit.design.random)
    for r, factor in zip(layout.order, named_factors(layout, theta[: layout.n_theta]), strict=True):
        if r >= 0:
            found[r] = factor
    return found


def dense(fit, theta=None):
    """The matrices of a fit, at its own parameters by default."""
    theta, design = fit.theta if theta is None else theta, fit.design
    n, layout = len(design.y), parameters(design.random) if design.random else None
    replicated = design.weights is not None and design.weights.kind != "precision"
    copies = np.round(design.weights.rows).astype(int) if replicated else np.ones(n, int)
    rows = np.repeat(np.arange(n), copies)
    R = np.eye(n)
    if design.residual is not None:
        part, start = design.residual, layout.n_theta if layout else 0
        R = part.structure.covariance(theta[start:], part.t) * np.equal.outer(part.codes, part.codes)
    if design.weights is not None and not replicated:
        half = 1 / np.sqrt(design.weights.rows)
        R = R * np.outer(half, half)
    R = R[np.ix_(rows, rows)] if not replicated else np.eye(len(rows))
    Z, G = np.zeros((len(rows), 0)), np.zeros((0, 0))
    if design.random:
        Z = oracle.random_design([(t.codes[rows], t.n_groups, t.columns[rows]) for t in design.random])
        factors = term_factors(fit, theta)
        G = oracle.repeated([f @ f.T for f in factors], [t.n_groups for t in design.random])
    first = np.concatenate([[0], np.cumsum(copies)[:-1]])
    s = fit.sigma2
    return Dense(fit, design.y[rows], design.X[rows], Z, s * G, s * R, first, theta)


def corrected(fit, x, z, step=1e-4):
    """(m,) 2 g3, the derivatives of the predictor's weights by differences."""
    from sparsemixed.inference.covariance.vce import theta_covariance

    W, V = theta_covariance(fit).matrix[:-1, :-1], dense(fit).V
    slopes = []
    for k in range(len(fit.theta)):

        def at(h, k=k):
            return dense(fit, fit.theta + h * np.eye(len(fit.theta))[k]).weights(x, z)

        slopes.append((8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step))
    pairs = [(k, l) for k in range(len(slopes)) for l in range(len(slopes))]
    return 2.0 * sum(W[k, l] * np.einsum("mn,nk,mk->m", slopes[k], V, slopes[l]) for k, l in pairs)
