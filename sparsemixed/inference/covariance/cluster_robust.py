"""Cluster-robust covariance of the coefficients with small-sample corrections: CR0, CR2 (bias-reduced), CR3 (jackknife).

For independent clusters j with covariance V_j under the model, W_j = inv(V_j) and e_j = y_j - X_j beta,

    V_CR = Phi [sum_j X_j'W_j A_j e_j e_j'A_j'W_j X_j] Phi,    Phi = inv(sum_j X_j'W_j X_j),

- CR0: A_j = I;
- CR2: A_j = D_j'B_j^(-1/2) D_j, V_j = D_j'D_j, B_j = D_j (V_j - X_j Phi X_j') D_j', inverse root of Moore and Penrose: the
  symmetric solution of A_j Var(e_j) A_j = V_j, so that E V_CR = Phi when the model is right;
- CR3: A_j = inv(I - X_j Phi X_j'W_j): the change of beta when cluster j is left out.

Bell & McCaffrey (2002), Survey Methodology 28; Pustejovsky & Tipton (2018), Journal of Business & Economic Statistics 36.

Everything is in coordinates in which Phi is the identity. With V_j = LL', U = inv(L)X and C = L'L, B = FF' for D = L' and
F = C (I - UU')^(1/2). The singular values of F give B^(-1/2) without squaring the condition of V_j. A direction of X that one
cluster alone informs has a unit singular value in U; there e_j and A_j are zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name

import numpy as np

from sparsemixed.errors import NumericalError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.cluster_blocks import Stack, stacks
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.spec import VCE

ALONE = 1e-10
"""Share of the information on a direction of the coefficients below which the clusters other than one hold none."""
NULL = 1e-13
"""Singular value, relative to the largest, below which it is zero up to rounding."""


@dataclass(frozen=True)
class ClusterMoments:
    """What covariance and degrees of freedom need of M clusters, with a_j = A_j'W_j X_j and Phi = I.

    Attributes
    ----------
    scores : (M, r) float64
        a_j'e_j.
    spread : (M, r, r) float64
        a_j'V_j a_j.
    pull : (M, r, r) float64
        X_j'a_j.
    """

    scores: np.ndarray
    spread: np.ndarray
    pull: np.ndarray


@cached_on_fit("cluster-moments")
def cluster_moments(fit: Fit, name: str) -> ClusterMoments:
    """The moments of a vce() that brings degrees of freedom, by its name. Not to be changed.

    Raises
    ------
    DataError
        A cluster is too large for a dense covariance matrix.
    NumericalError
        The estimated covariance matrix of a cluster is singular.
    OptionError
        cr3 where without some cluster the coefficients are not determined.
    """
    assert fit.design.clusters is not None
    moments = resolve_name(VCE[name].moments)
    m, r = fit.design.clusters.n_clusters, fit.root.shape[1]
    found = ClusterMoments(np.zeros((m, r)), np.zeros((m, r, r)), np.zeros((m, r, r)))
    for stack in stacks(fit) if r else ():
        parts = moments(fit, stack)
        found.scores[stack.clusters], found.spread[stack.clusters], found.pull[stack.clusters] = parts
    return found


def robust_covariance(fit: Fit, name: str) -> np.ndarray:
    """V_CR (p, p)."""
    half = fit.root @ cluster_moments(fit, name).scores.T
    return half @ half.T


def _whitened(stack: Stack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """L (N, m, m), U = inv(L)X (N, m, r) and inv(L)e (N, m)."""
    try:
        L = np.linalg.cholesky(stack.V)
    except np.linalg.LinAlgError:
        raise NumericalError(
            "cluster-robust standard errors: the estimated covariance matrix of some cluster is singular; a simpler residual "
            "structure may be needed"
        ) from None
    both = np.linalg.solve(L, np.concatenate([stack.X, stack.e[..., None]], axis=2))
    return L, both[..., :-1], both[..., -1]


def _t(x: np.ndarray) -> np.ndarray:
    return x.transpose(0, 2, 1)


def cr0_moments(fit: Fit, stack: Stack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The members of `ClusterMoments` for the N clusters of a stack, with A = I: a = WX."""
    _, U, e = _whitened(stack)
    G = _t(U) @ U
    return np.einsum("nma,nm->na", U, e), G, G


def cr3_moments(fit: Fit, stack: Stack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `cr0_moments`, with a = WX N and N = inv(I - X'WX), the covariance of the coefficients without the cluster."""
    scores, G, _ = cr0_moments(fit, stack)
    values, vectors = np.linalg.eigh(G)
    rest = 1.0 - values
    if np.any(rest < ALONE):
        raise OptionError(
            "vce(cr3): without one of the clusters some coefficient is not determined, so it cannot be left out; use vce(cr2)"
        )
    N = (vectors / rest[:, None, :]) @ _t(vectors)
    return np.einsum("nab,nb->na", N, scores), N @ G @ N, G @ N


def cr2_moments(fit: Fit, stack: Stack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `cr0_moments`, with a = L B^(-1/2) U."""
    L, U, e = _whitened(stack)
    C = _t(L) @ L
    Y, s, _ = np.linalg.svd(U, full_matrices=False)
    rest = 1.0 - s**2
    shrink = 1.0 - np.sqrt(np.where(rest < ALONE, 0.0, rest))
    F = C - ((C @ Y) * shrink[:, None, :]) @ _t(Y)
    vectors, values, _ = np.linalg.svd(F)
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > NULL * values[:, :1])
    half = (vectors * inverse[:, None, :]) @ (_t(vectors) @ U)
    CH = C @ half
    return np.einsum("nma,nm->na", CH, e), _t(CH) @ CH, _t(U) @ CH
