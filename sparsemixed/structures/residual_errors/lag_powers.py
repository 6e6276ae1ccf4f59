"""Autocorrelations of an AR(p) process at a few lags of any size, at a cost of log2 of the longest."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

import numpy as np

from sparsemixed.structures.residual_errors.base import Transitions


def autocorrelations_far_out(rho: np.ndarray, lags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelations (L,) at `lags` (L,) int64 of the process with partial ones tanh(rho), and their gradients (p, L).

    That at lag n is the first entry of G^n, by repeated squaring of G = I - E in terms of E: (I - E)^2 = I - (2E - E^2). A
    process that correlates over many units of time has E near zero, and what of it is below the rounding of G decides how fast
    correlations fall. Derivatives go along as dual numbers.
    """
    E, dE = departure(rho)
    p = rho.size
    state, dstate = np.zeros((p, lags.size), E.dtype), np.zeros((p, p, lags.size), E.dtype)
    state[0] = 1.0
    left = lags.copy()
    while left.any():
        odd = (left & 1).astype(bool)
        dstate[:, :, odd] -= dE @ state[:, odd] + E @ dstate[:, :, odd]
        state[:, odd] -= E @ state[:, odd]
        left >>= 1
        if left.any():
            E, dE = _squared(E, dE)
    return state[0], dstate[:, 0]


def transitions(rho: np.ndarray, gaps: np.ndarray) -> Transitions:
    """How the p normalised backward prediction errors, of which the first is the error itself, move over `gaps` (U,) int64.

    Phi = G^gap as in `autocorrelations_far_out`; the noise of one unit of time is bb' with b_k = -a_k s_{k+1} ... s_p, and that
    of twice a gap is the gap's and that carried over another one: sums of positive semidefinite matrices, without cancellation.
    """
    E, dE = departure(rho)
    b, db = _innovation(rho)
    p, left = rho.size, gaps.copy()
    noise = np.outer(b, b)
    dnoise = db[:, :, None] * b + b[:, None] * db[:, None, :]
    Phi, total = np.zeros((gaps.size, p, p), E.dtype) + np.eye(p), np.zeros((gaps.size, p, p), E.dtype)
    dPhi, dtotal = np.zeros((p, *Phi.shape), E.dtype), np.zeros((p, *Phi.shape), E.dtype)
    while left.any():
        G = np.eye(p) - E
        odd = (left & 1).astype(bool)
        total[odd], dtotal[:, odd] = _carried(G, -dE[:, None], total[odd], dtotal[:, odd])
        total[odd] += noise
        dtotal[:, odd] += dnoise[:, None]
        dPhi[:, odd] -= dE[:, None] @ Phi[odd] + E @ dPhi[:, odd]
        Phi[odd] -= E @ Phi[odd]
        left >>= 1
        if left.any():
            more, dmore = _carried(G, -dE, noise, dnoise)
            noise += more
            dnoise += dmore
            E, dE = _squared(E, dE)
    return Transitions(Phi, dPhi, total, dtotal)


def _squared(E: np.ndarray, dE: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """I - (I - E)^2 and its derivatives."""
    return 2.0 * E - E @ E, 2.0 * dE - dE @ E - E @ dE


def _carried(G: np.ndarray, dG: np.ndarray, noise: np.ndarray, dnoise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """G noise G' and its derivatives."""
    half = noise @ G.T
    turned = dG @ half
    return G @ half, turned + turned.swapaxes(-1, -2) + G @ dnoise @ G.T


def _innovation(rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """b (p,), what the innovation of unit variance adds to each backward prediction error, and db / drho (p, p)."""
    p = rho.size
    a, s = np.append([-1.0], np.tanh(rho)), np.append([1.0], _sech(rho))
    rest = np.array([np.prod(s[k + 1 :]) for k in range(p)])
    b = -a[:p] * rest
    db = np.zeros((p, p), a.dtype)
    for k in range(p):
        db[k:, k] = -a[k + 1 :] * b[k]
        if k:
            db[k - 1, k] = -(s[k] ** 2) * rest[k]
    return b, db


def departure(rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E = I - G (p, p) and dE / drho (p, p, p): G is the shift by one unit of time among normalised backward prediction errors.

    With partial autocorrelations a_1 .. a_p, a_0 = -1 and s_j = sqrt(1 - a_j^2), G_kl = -a_k a_{l+1} s_{k+1} ... s_l for k <= l
    and G_{l+1,l} = s_{l+1} (Simon 2005, section 4.1). It is similar to the companion matrix, whose powers lose all digits where
    two roots are close; G has no singular value above one, so that rounding errors only add. No entry of E cancels.
    """
    p = rho.size
    a, s, rest = np.append([-1.0], np.tanh(rho)), np.append([1.0], _sech(rho)), np.append([0.0], _complement(rho))
    E, dE = np.zeros((p, p), a.dtype), np.zeros((p, p, p), a.dtype)
    for l in range(p):
        for k in range(l + 1):
            between = np.prod(s[k + 1 : l + 1])
            E[k, l] = a[k] * a[l + 1] * between
            dE[l, k, l] = a[k] * s[l + 1] ** 2 * between
            if k:
                dE[k - 1, k, l] = s[k] ** 2 * a[l + 1] * between
            for j in range(k + 1, l + 1):
                dE[j - 1, k, l] -= a[j] * E[k, l]
        opposite = np.real(a[l] * a[l + 1]) < 0
        E[l, l] = rest[l] + rest[l + 1] - rest[l] * rest[l + 1] if opposite else 1.0 + a[l] * a[l + 1]
        if l + 1 < p:
            E[l + 1, l] = -s[l + 1]
            dE[l, l + 1, l] = a[l + 1] * s[l + 1]
    return E, dE


def coordinates_of_roots(logarithms: Sequence[float]) -> np.ndarray:
    """rho (p,) of the process whose p roots have these logarithms, below zero: by the Levinson recursion backwards.

    Roots near one leave partial autocorrelations whose distance from one is the square of theirs: digits are no object here.

    Examples
    --------
    >>> np.tanh(coordinates_of_roots([np.log(0.5), np.log(0.25)])).round(6)  # phi = (0.75, -0.125)
    array([ 0.666667, -0.125   ])
    """
    with localcontext() as context:
        context.prec = 60 + 40 * len(logarithms)
        phi: list[Decimal] = []
        for logarithm in logarithms:
            root = Decimal(logarithm).exp()
            phi = [one - root * other for one, other in zip([*phi, Decimal(0)], [Decimal(-1), *phi], strict=True)]
        rho = []
        while phi:
            last = phi[-1]
            rho.append(float(((1 + last) / (1 - last)).ln() / 2))
            room = 1 - last * last
            phi = [(one + last * other) / room for one, other in zip(phi[:-1], phi[-2::-1], strict=True)]
    return np.array(rho[::-1])


def _sech(w: np.ndarray) -> np.ndarray:
    """1 / cosh(w) without overflow."""
    small = np.exp(-np.where(np.real(w) < 0, -w, w))
    return 2.0 * small / (1.0 + small**2)


def _complement(w: np.ndarray) -> np.ndarray:
    """1 - |tanh(w)| without cancellation."""
    small = np.exp(-2.0 * np.where(np.real(w) < 0, -w, w))
    return 2.0 * small / (1.0 + small)
