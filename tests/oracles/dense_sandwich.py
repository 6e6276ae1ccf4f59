"""Slow, dense, independent: sandwich covariances from the n x n covariance matrix of the data, by the textbook formulas."""

from __future__ import annotations

import numpy as np
import scipy.linalg as sl

from sparsemixed.estimation.parameters import parameters
from tests.oracles import dense_oracle as oracle

STEP = 1e-3


def covariance(fit, theta=None, sigma2=None):
    """V (n, n) of a fit's design, at its own parameters by default; precision weights count, others do not."""
    design = fit.design
    theta, sigma2 = (fit.theta, fit.sigma2) if theta is None else (theta, sigma2)
    layout, n = parameters(design.random), len(design.y)
    R = np.eye(n)
    if design.residual is not None:
        part = design.residual
        R = part.structure.covariance(theta[layout.n_theta :], part.t) * np.equal.outer(part.codes, part.codes)
    if design.weights is not None:
        half = 1 / np.sqrt(design.weights.rows)
        R = R * np.outer(half, half)
    for r, factor in zip(layout.order, named_factors(layout, theta[: layout.n_theta]), strict=True):
        term = design.random[r]
        Z = oracle.random_design([(term.codes, term.n_groups, term.columns)])
        R = R + Z @ np.kron(np.eye(term.n_groups), factor @ factor.T) @ Z.T
    return sigma2 * R


def named_factors(layout, theta):
    """T Lambda of each term: factors of the effects as they are named."""
    return [factor if T is None else T @ factor for factor, T in zip(layout.factors(theta), layout.bases(), strict=True)]


def slope(f, x, k):
    """Derivative of f by x[k], by differences with an error of order STEP^4."""
    unit = STEP * np.eye(len(x))[k]
    return (8 * (f(x + unit) - f(x - unit)) - (f(x + 2 * unit) - f(x - 2 * unit))) / (12 * STEP)


def log_parameters(fit):
    """(theta, log sigma2), and V as a function of it."""
    return np.append(fit.theta, np.log(fit.sigma2)), lambda psi: covariance(fit, psi[:-1], np.exp(psi[-1]))


def scores(fit, codes):
    """Derivatives (M, p + q) of each cluster's own log likelihood by (beta, theta, log sigma2)."""
    psi, V_at = log_parameters(fit)
    y, X, V = fit.design.y, fit.design.X, V_at(psi)
    first = [slope(V_at, psi, k) for k in range(len(psi))]
    out = []
    for j in range(codes.max() + 1):
        own = codes == j
        inverse = np.linalg.inv(V[np.ix_(own, own)])
        pull = inverse @ (y[own] - X[own] @ fit.beta)
        moves = [d[np.ix_(own, own)] for d in first]
        out.append([*(X[own].T @ pull), *(0.5 * (pull @ d @ pull - np.sum(inverse * d)) for d in moves)])
    return np.array(out)


def robust(fit, codes):
    """The robust covariance of beta (p, p) and of (theta, log sigma2), with the bread of each block on its own."""
    psi, V_at = log_parameters(fit)
    y, X = fit.design.y, fit.design.X
    V = V_at(psi)
    s, p, m = scores(fit, codes), X.shape[1], codes.max() + 1

    def gradient(at):
        return oracle.gradient(y, X, V_at(at), [slope(V_at, at, k) for k in range(len(at))], False)

    information = 0.5 * np.array([slope(gradient, psi, k) for k in range(len(psi))])
    breads = np.linalg.inv(X.T @ np.linalg.solve(V, X)), np.linalg.inv((information + information.T) / 2)
    return tuple(m / (m - 1) * bread @ part.T @ part @ bread for bread, part in zip(breads, (s[:, :p], s[:, p:]), strict=True))


def symmetric_power(x, power):
    """A power of a symmetric matrix over its range."""
    values, vectors = np.linalg.eigh(x)
    keep = values > 1e-11 * values[-1]
    return (vectors[:, keep] * values[keep] ** power) @ vectors[:, keep].T


class Sandwich:
    """CR0, CR2 or CR3 of y = X beta + e, e ~ (0, V), with D_j the upper Cholesky factor of V_j as in clubSandwich."""

    def __init__(self, y, X, V, codes, name):
        self.V, inverse = V, np.linalg.inv(V)
        self.Phi = np.linalg.inv(X.T @ inverse @ X)
        beta = self.Phi @ X.T @ inverse @ y
        e, H = y - X @ beta, X @ self.Phi @ X.T @ inverse
        self.influence, self.G = [], []
        for j in range(codes.max() + 1):
            own = np.flatnonzero(codes == j)
            Vj, Xj = V[np.ix_(own, own)], X[own]
            A = np.eye(len(own))
            if name == "cr2":
                D = sl.cholesky(Vj, lower=False)
                A = D.T @ symmetric_power(D @ (Vj - Xj @ self.Phi @ Xj.T) @ D.T, -0.5) @ D
            elif name == "cr3":
                A = np.linalg.inv(np.eye(len(own)) - Xj @ self.Phi @ Xj.T @ np.linalg.inv(Vj))
            a = A.T @ np.linalg.inv(Vj) @ Xj @ self.Phi
            self.influence.append(a.T @ e[own])
            self.G.append((np.eye(len(y)) - H)[own].T @ a)
        self.covariance = sum(np.outer(i, i) for i in self.influence)

    def degrees(self, K):
        """nu of the Wishart approximation of K V_CR K', from all pairs of clusters."""
        P = np.array([[K @ a.T @ self.V @ b @ K.T for b in self.G] for a in self.G])
        half = symmetric_power(np.einsum("jjst->st", P), -0.5)
        B = half @ P @ half
        l = len(K)
        return l * (l + 1) / (np.sum(np.trace(B, axis1=2, axis2=3) ** 2) + np.einsum("ijst,ijts->", B, B))
