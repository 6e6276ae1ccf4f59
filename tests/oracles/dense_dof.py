"""Slow, dense, independent: Kenward & Roger's quantities from n x n matrices, by the formulas of their paper."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.parameters import parameters
from sparsemixed.structures.random.linear_basis import linear_basis
from tests.oracles import dense_oracle as oracle


def directions(terms, boundary=None):
    """dV/dphi for every entry of every block not on the boundary, in the order of the table, and I for the residual."""
    found, start = [], 0
    for term in terms:
        column = 0
        for block in term.blocks:
            m, q = block.structure.m, block.structure.n_theta
            if boundary is None or not boundary[start : start + q].any():
                Z = oracle.random_design([(term.codes, term.n_groups, term.columns[:, column : column + m])])
                for basis in linear_basis(block.structure):
                    found.append(Z @ np.kron(np.eye(term.n_groups), basis) @ Z.T)
            column, start = column + m, start + q
    return [*found, np.eye(len(terms[0].codes))]


def named(fit, W, gone=None):
    """W (m, m) of the entries of each covariance matrix as named, from that of the entries in its family's own basis.

    `gone` (n_theta,) bool are those without any, of whole blocks.
    """
    J = own_to_named(fit, len(W), gone)
    return J @ W @ J.T


def own_to_named(fit, m, gone=None):
    """J (m, m): the derivative of the entries as named by those in the family's own basis; other parameters are what they are."""
    J, start = np.eye(m), 0
    for place in parameters(fit.design.random).places:
        if gone is not None and gone[place.theta].any():
            continue
        own = linear_basis(place.block.structure)
        stop = start + len(own)
        flat, moved = (x.reshape(len(own), -1).T for x in (own, place.block.structure.from_own_basis(own)))
        J[start:stop, start:stop] = np.linalg.lstsq(flat, moved, rcond=None)[0]
        start = stop
    return J


def precision(V, X, first):
    """Phi, P (m, p, p), Q (m, m, p, p) and T[k, l] = tr(inv(V) V_k inv(V) V_l)."""
    inverse = np.linalg.inv(V)
    half = inverse @ X
    Phi = np.linalg.inv(X.T @ half)
    P = np.array([-half.T @ v @ half for v in first])
    Q = np.array([[half.T @ a @ inverse @ b @ half for b in first] for a in first])
    T = np.array([[np.trace(inverse @ a @ inverse @ b) for b in first] for a in first])
    return Phi, P, Q, T


def expected_information(Phi, P, Q, T):
    """I_kl of the restricted likelihood (manual, equation 17)."""
    m = len(P)
    fixed = [[2 * np.trace(Phi @ Q[k, j]) - np.trace(Phi @ P[k] @ Phi @ P[j]) for j in range(m)] for k in range(m)]
    return 0.5 * (T - np.array(fixed))


def of_fit(fit, information):
    """Phi, P, Q and the information matrix (`eim` or `oim`) of a REML fit, components on the boundary left out."""
    terms = fit.design.random
    first = directions(terms, fit.boundary) if terms else [np.eye(len(fit.design.y))]
    every = directions(terms) if terms else first
    V = sum(v.estimate * d for v, d in zip(fit.variances, every, strict=True))
    Phi, P, Q, T = precision(V, fit.design.X, first)
    if information == "eim":
        return Phi, P, Q, expected_information(Phi, P, Q, T)
    none = [[np.zeros_like(V)] * len(first)] * len(first)
    return Phi, P, Q, 0.5 * oracle.hessian(fit.design.y, fit.design.X, V, first, none, True)


def adjusted_covariance(Phi, P, Q, W):
    """Equation 16 without R."""
    m = len(P)
    total = sum(W[k, j] * (Q[k, j] - P[k] @ Phi @ P[j]) for k in range(m) for j in range(m))
    return Phi + 2 * Phi @ total @ Phi


def kenward_roger(Phi, P, W, K):
    """nu and lambda of the F test of K beta (Kenward & Roger 1997, section 3)."""
    rows, m = len(K), len(P)
    Theta = K.T @ np.linalg.solve(K @ Phi @ K.T, K)
    B1 = [Theta @ Phi @ P[k] @ Phi for k in range(m)]
    A1 = sum(W[k, j] * np.trace(B1[k]) * np.trace(B1[j]) for k in range(m) for j in range(m))
    A2 = sum(W[k, j] * np.trace(B1[k] @ B1[j]) for k in range(m) for j in range(m))
    B = (A1 + 6 * A2) / (2 * rows)
    g = ((rows + 1) * A1 - (rows + 4) * A2) / ((rows + 2) * A2)
    c1, c2, c3 = (x / (3 * rows + 2 * (1 - g)) for x in (g, rows - g, rows + 2 - g))
    mean = 1 / (1 - A2 / rows)
    variance = 2 / rows * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    nu = 4 + (rows + 2) / (rows * variance / (2 * mean**2) - 1)
    return nu, nu / (mean * (nu - 2))


def satterthwaite(Phi, P, W, c):
    """nu of c'beta (manual, equation 15)."""
    move = np.array([-c @ Phi @ p @ Phi @ c for p in P])
    return 2 * (c @ Phi @ c) ** 2 / (move @ W @ move)


def sum_of_products(P, Q, Phi, W):
    """The sum over k, l of W_kl (Q_kl - P_k Phi P_l)."""
    m = len(P)
    return sum(W[k, j] * (Q[k, j] - P[k] @ Phi @ P[j]) for k in range(m) for j in range(m))


def second_order(V, X, first, second, W):
    """The sum of W_kl R_kl, and the bias of the REML estimates to first order (Kenward & Roger 2009)."""
    inverse, M = oracle.projection(V, X)
    m = len(first)
    bent = sum(W[k, j] * second[k][j] for k in range(m) for j in range(m))
    traces = np.array([np.trace(M @ a @ M @ bent) for a in first])
    return X.T @ inverse @ bent @ inverse @ X, -0.25 * W @ traces
