"""Degrees of freedom with a cluster-robust covariance, by Bell & McCaffrey (2002) and Pustejovsky & Tipton (2018).

Where the model is right, K V_CR K' is a sum of w_j w_j' over clusters j, with w_j = K Phi a_j'e_j normal and

    Cov(w_i, w_j) = P_ij = K Phi [(i = j) a_i'V_i a_i - (X_i'a_i)' Phi (X_j'a_j)] Phi K'.

That is all that the degrees of freedom need, and in coordinates with Phi = I, T_i = h'a_i'V_i a_i h and U_i = (X_i'a_i) h,
h = root'K', P_ij = (i = j) T_i - U_i'U_j: sums over pairs of clusters become sums over clusters.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.cluster_robust import ClusterMoments, cluster_moments, robust_covariance
from sparsemixed.inference.degrees.method import Degrees

UNSEEN = 1e-10
"""Expected variance, relative to the model's, below which the clusters say nothing about a contrast: one alone informs it."""
HEAVY = 16
"""Clusters whose pairs are summed one by one."""


class ClusterRobust:
    """A cluster-robust covariance, such as CR2, and its degrees of freedom.

    Parameters
    ----------
    name : str
        Of a vce() that brings degrees of freedom, in `spec.VCE`.
    """

    def __init__(self, name: str):
        self.name = name

    def covariance(self, fit: Fit) -> np.ndarray:
        """(p, p) cluster-robust covariance."""
        return robust_covariance(fit, self.name)

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) degrees of freedom of every coefficient alone; NaN where it has no variance."""
        moments = cluster_moments(fit, self.name)
        return np.array([wishart_degrees(moments, row[:, None]) if row.any() else np.nan for row in fit.root])

    def dof(self, fit: Fit, K: np.ndarray) -> Degrees:
        """Degrees of freedom of the test of K beta for K (l, p) of full row rank.

        The F statistic is Hotelling's, (nu - l + 1) / (nu l) times the chi-squared statistic, with l and nu - l + 1 degrees of
        freedom. Where nu - l + 1 is not positive there is no test: both are NaN.
        """
        moments, h = cluster_moments(fit, self.name), (K @ fit.root).T
        nu = wishart_degrees(moments, h)
        df = nu - len(K) + 1.0
        return Degrees(df, df / nu) if df > 0 else Degrees(float("nan"), float("nan"))


def wishart_degrees(moments: ClusterMoments, h: np.ndarray) -> float:
    """nu of the Wishart distribution with the total variance of Omega^(-1/2) K V_CR K' Omega^(-1/2); h (r, l).

    Omega = E K V_CR K', and nu = l (l + 1) over the sum over pairs of clusters of (tr B_ij)^2 + tr(B_ij B_ij),
    B = Omega^(-1/2) P Omega^(-1/2): their HTZ test. For one row this is 2 (E v)^2 / Var v, v = K V_CR K'.
    """
    h = np.linalg.qr(h)[0]  # nu is the same for any rows that span the hypothesis; these keep Omega well conditioned
    U = moments.pull @ h
    own = h.T @ moments.spread @ h - U.transpose(0, 2, 1) @ U
    Omega = own.sum(axis=0)
    values, vectors = np.linalg.eigh((Omega + Omega.T) / 2)
    if not values[0] > UNSEEN:
        return float("nan")
    root = vectors / np.sqrt(values)  # any root of inv(Omega): the sums do not see a rotation
    l = h.shape[1]
    return float(l * (l + 1) / (_total(root.T @ own @ root) + _between(U @ root)))


def _total(B: np.ndarray) -> float:
    """Sum of (tr B)^2 + tr(B B) over matrices B (N, l, l)."""
    return float(np.sum(np.trace(B, axis1=1, axis2=2) ** 2) + np.einsum("nst,nts->", B, B))


def _between(U: np.ndarray) -> float:
    """The same of B_ij = U_i'U_j summed over i and j other than i; U (M, r, l).

    All pairs less equal ones, through one (r l, r l) matrix; but digits would be lost where a few clusters outweigh the rest,
    so the pairs of the heaviest ones are added one by one.
    """
    order = np.argsort(-np.einsum("nas,nas->n", U, U))
    total, U = 0.0, U[order]
    for i in range(min(HEAVY, len(U))):
        total += 2.0 * _total(U[i].T @ U[i + 1 :])
    rest = U[HEAVY:]
    _, r, l = rest.shape
    flat = rest.reshape(-1, r * l)
    G = (flat.T @ flat).reshape(r, l, r, l)
    every = float(np.sum(G**2) + np.einsum("asbt,atbs->", G, G))
    return total + every - _total(rest.transpose(0, 2, 1) @ rest)
