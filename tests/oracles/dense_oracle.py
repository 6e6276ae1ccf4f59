"""Slow, dense, independent: the model's likelihood and derivatives from n x n matrices, by the textbook formulas.

Written from V = R + ZGZ' alone (Searle, Casella & McCulloch 1992, chapter 6), not from the penalised system that it checks.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg as sl


def random_design(terms):
    """Z (n, q) from (codes, n_groups, columns) triples, groups outer and columns inner."""
    blocks = []
    for codes, n_groups, columns in terms:
        n, k = columns.shape
        z = np.zeros((n, n_groups * k))
        for a in range(k):
            z[np.arange(n), codes * k + a] = columns[:, a]
        blocks.append(z)
    return np.hstack(blocks)


def repeated(factors, sizes):
    """Block-diagonal matrix of each (k, k) factor repeated over its number of groups."""
    return sl.block_diag(*[np.kron(np.eye(j), f) for f, j in zip(factors, sizes, strict=True)])


def projection(V, X):
    """inv(V) and P = inv(V) - inv(V) X inv(X'inv(V)X) X'inv(V)."""
    inverse = np.linalg.inv(V)
    if X.shape[1] == 0:
        return inverse, inverse
    half = inverse @ X
    return inverse, inverse - half @ np.linalg.solve(X.T @ half, half.T)


def deviance(y, X, V, reml):
    """-2 log (restricted) likelihood at covariance matrix V, beta profiled out."""
    n, p = X.shape
    inverse, P = projection(V, X)
    value = np.linalg.slogdet(V)[1] + y @ P @ y + (n - p if reml else n) * np.log(2 * np.pi)
    return value + (np.linalg.slogdet(X.T @ inverse @ X)[1] if reml else 0.0)


def with_scale(s2, V, first, second):
    """Value and derivatives of sigma2 V in its parameters and log sigma2, the last one."""
    first = [s2 * v for v in first] + [s2 * V]
    second = [[s2 * v for v in row] + [f] for row, f in zip(second, first, strict=False)] + [[*first[:-1], s2 * V]]
    return s2 * V, first, second


def gradient(y, X, V, first, reml):
    """Derivatives of `deviance` for dV/dphi_k = first[k]: tr(Q V_k) - y'P V_k P y, Q = P (REML) or inv(V) (ML)."""
    inverse, P = projection(V, X)
    Q = P if reml else inverse
    Py = P @ y
    return np.array([np.sum(Q * d.T) - Py @ d @ Py for d in first])


def hessian(y, X, V, first, second, reml):
    """Second derivatives; second[k][l] = d2V / dphi_k dphi_l."""
    inverse, P = projection(V, X)
    Q = P if reml else inverse
    Py = P @ y
    n = len(first)
    products, pulls = [Q @ a for a in first], [a @ Py for a in first]
    out = np.empty((n, n))
    for k in range(n):
        for l in range(n):
            c = second[k][l]
            trace = -np.sum(products[k] * products[l].T) + np.sum(Q * c.T)
            out[k, l] = trace + 2 * pulls[k] @ P @ pulls[l] - Py @ c @ Py
    return out
