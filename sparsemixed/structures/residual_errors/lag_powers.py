"""Autocorrelations of an AR(p) process at a few lags of any size, at a cost of log2 of the longest."""

from __future__ import annotations

import numpy as np


def autocorrelations_far_out(rho: np.ndarray, lags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelations (L,) at `lags` (L,) int64 of the process with partial ones tanh(rho), and their gradients (p, L).

    That at lag n is the first entry of G^n, by repeated squaring. Derivatives go along as dual numbers: d(G G) = dG G + G dG.
    """
    G, dG = hessenberg(rho)
    p = rho.size
    state, dstate = np.zeros((p, lags.size), G.dtype), np.zeros((p, p, lags.size), G.dtype)
    state[0] = 1.0
    left = lags.copy()
    while left.any():
        odd = (left & 1).astype(bool)
        dstate[:, :, odd] = dG @ state[:, odd] + G @ dstate[:, :, odd]
        state[:, odd] = G @ state[:, odd]
        left >>= 1
        if left.any():
            G, dG = G @ G, dG @ G + G @ dG
    return state[0], dstate[:, 0]


def hessenberg(rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """G (p, p), the shift by one unit of time in the basis of normalised backward prediction errors, and dG / drho (p, p, p).

    With partial autocorrelations a_1 .. a_p, a_0 = -1 and s_j = sqrt(1 - a_j^2), G_kl = -a_k a_{l+1} s_{k+1} ... s_l for k <= l
    and G_{l+1,l} = s_{l+1} (Simon 2005, section 4.1). It is similar to the companion matrix, whose powers lose all digits where
    two roots are close; G has no singular value above one, so that rounding errors only add.
    """
    p = rho.size
    a, s = np.append([-1.0], np.tanh(rho)), np.append([1.0], _sech(rho))
    G, dG = np.zeros((p, p), a.dtype), np.zeros((p, p, p), a.dtype)
    for l in range(p):
        for k in range(l + 1):
            between = np.prod(s[k + 1 : l + 1])
            G[k, l] = -a[k] * a[l + 1] * between
            dG[l, k, l] = -a[k] * s[l + 1] ** 2 * between
            if k:
                dG[k - 1, k, l] = -(s[k] ** 2) * a[l + 1] * between
            for j in range(k + 1, l + 1):
                dG[j - 1, k, l] -= a[j] * G[k, l]
        if l + 1 < p:
            G[l + 1, l] = s[l + 1]
            dG[l, l + 1, l] = -a[l + 1] * s[l + 1]
    return G, dG


def _sech(w: np.ndarray) -> np.ndarray:
    """1 / cosh(w) without overflow."""
    small = np.exp(-np.where(np.real(w) < 0, -w, w))
    return 2.0 * small / (1.0 + small**2)
