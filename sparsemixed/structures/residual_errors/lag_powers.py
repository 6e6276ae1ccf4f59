"""Autocorrelations of an AR(p) process at a few lags of any size: powers of its companion matrix by repeated squaring."""

from __future__ import annotations

import numpy as np


def autocorrelations_far_out(
    phi: np.ndarray, dphi: np.ndarray, first: np.ndarray, dfirst: np.ndarray, lags: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelations (L,) at `lags`, and their gradients (n_rho, L), at a cost of log2 of the longest lag.

    The autocorrelations at lags k, k - 1, ..., k - p + 1 are C^k times those at lags 0, 1, ..., p - 1, C the companion matrix
    (they are even in the lag). Derivatives go along as dual numbers: d(C C) = dC C + C dC.

    Parameters
    ----------
    phi : (p,);  dphi : (n_rho, p)
        Coefficients and their gradients; complex allowed.
    first : (p,);  dfirst : (n_rho, p)
        Autocorrelations at lags 0 .. p - 1 and their gradients.
    lags : (L,) int64
    """
    p = phi.size
    C, dC = np.zeros((p, p), phi.dtype), np.zeros((len(dphi), p, p), phi.dtype)
    C[0], dC[:, 0] = phi, dphi
    C[np.arange(1, p), np.arange(p - 1)] = 1.0
    state = np.repeat(first[:, None], lags.size, axis=1)
    dstate = np.repeat(dfirst[:, :, None], lags.size, axis=2)
    left = lags.copy()
    while left.any():
        odd = (left & 1).astype(bool)
        dstate[:, :, odd] = dC @ state[:, odd] + C @ dstate[:, :, odd]
        state[:, odd] = C @ state[:, odd]
        left >>= 1
        if left.any():
            C, dC = C @ C, dC @ C + C @ dC
    return state[0], dstate[:, 0]
