"""log|M| by stochastic Lanczos quadrature with deflation (Ubaru, Chen & Saad 2017; documentation page on iterative fits).

In the coordinates of the preconditioner, log|M| = log|M_00| + log|P| + tr log(I - K). K has a few eigenvalues near one,
spanned approximately by Q, and a flat bulk, so that

tr log(I - K) = sum over Q of q'(log(I - K) + K)q + E[u'(log(I - K) + K)u] - tr K,

u = (I - QQ')z for random signs z: the sum and the trace of K are exact to Lanczos' convergence, and the expectation,
estimated from probes, has lost both the outlying eigenvalues and its first-order term.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sparsemixed.solver.iterative.deflation import outlying_directions
from sparsemixed.solver.iterative.probe_traces import PROBES_PER_BLOCK, ProbeTraces, random_signs
from sparsemixed.solver.iterative.system import KrylovFactored

WIDTHS, FIRST_PROBES = (8, 64, 256), 64
"""Numbers of deflated directions tried in turn, and the probes after which the next is tried: clusters of ratings give as
many small eigenvalues as there are clusters."""
MOST_STEPS = 60
"""Lanczos steps after which a quadrature is taken as it is; its change then counts in the error."""


class LogDeterminant(NamedTuple):
    """log|M| and its Monte Carlo standard error."""

    value: float
    error: float


def log_determinant(system: KrylovFactored, seed: int, error: float, most: int = 256) -> LogDeterminant:
    """Deflate more directions, then add probes, until the standard error is below `error` or there are `most` probes."""
    random = np.random.default_rng(seed)
    known = system.logdet_head + system.preconditioner.logdet - ProbeTraces(system).trace_of_defect()
    best = LogDeterminant(float("nan"), float("inf"))
    for width in WIDTHS:
        Q = outlying_directions(system, random, width)
        inside = _together(system, Q).sum()
        probes = most if width == WIDTHS[-1] else FIRST_PROBES
        outside = _probed(system, Q, random, error, probes)
        best = min(best, LogDeterminant(float(known + inside + outside.value), outside.error), key=lambda each: each.error)
        if best.error <= error or width >= system.cp.q_schur:
            break
    return best


def _together(system: KrylovFactored, u: np.ndarray) -> np.ndarray:
    """u_c'(log(Shat) + K)u_c (m,) for the columns of u (q2, m), some columns at a time."""
    out = []
    for start in range(0, u.shape[1], PROBES_PER_BLOCK):
        part = np.ascontiguousarray(u[:, start : start + PROBES_PER_BLOCK])
        first = np.einsum("ic,ic->c", part, part - system.scaled(part))
        out.append(quadratures(system.scaled, part, np.log) + first)
    return np.concatenate(out)


def _probed(system: KrylovFactored, Q: np.ndarray, random: np.random.Generator, error: float, most: int) -> LogDeterminant:
    """E[u'(log(Shat) + K)u] over u = (I - QQ')z."""
    values = np.empty(0)
    while True:
        z = random_signs(random, system.cp.q_schur)
        values = np.append(values, _together(system, z - Q @ (Q.T @ z)))
        spread = float(values.std(ddof=1) / np.sqrt(values.size))
        if spread <= error or values.size >= most:
            return LogDeterminant(float(values.mean()), spread)


def quadratures(
    apply: Callable[[np.ndarray], np.ndarray], b: np.ndarray, f: Callable[[np.ndarray], np.ndarray], tolerance: float = 1e-7
) -> np.ndarray:
    """b_c'f(A)b_c (m,) for the columns of b (q, m), by Lanczos with Gauss quadrature (Golub & Meurant 2010, chapter 6).

    Steps are added until no value changes by more than `tolerance` relative to its column's square.
    """
    size = np.linalg.norm(b, axis=0)
    before, current = np.zeros_like(b), b / np.maximum(size, 1e-300)
    alphas, betas = [], []
    value = last = np.zeros(b.shape[1])
    for step in range(MOST_STEPS):
        w = apply(current)
        alpha = np.einsum("ic,ic->c", current, w)
        w -= alpha * current
        if step:
            w -= betas[-1] * before
        alphas.append(alpha)
        value = _gauss(np.array(alphas), np.array(betas), f)
        if step and np.all(np.abs(value - last) <= tolerance):
            break
        last = value
        beta = np.linalg.norm(w, axis=0)
        if np.all(beta <= 1e-13):
            break
        betas.append(beta)
        before, current = current, w / np.maximum(beta, 1e-300)
    return value * size**2


def _gauss(alphas: np.ndarray, betas: np.ndarray, f: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """e_1'f(T)e_1 for the tridiagonal T of each column; alphas (s, m), betas (s - 1, m)."""
    steps, columns = alphas.shape
    T = np.zeros((columns, steps, steps))
    place = np.arange(steps)
    T[:, place, place] = alphas.T
    if steps > 1:
        T[:, place[1:], place[:-1]] = T[:, place[:-1], place[1:]] = betas.T
    values, vectors = np.linalg.eigh(T)
    return np.einsum("cs,cs->c", vectors[:, 0, :] ** 2, f(np.maximum(values, 1e-300)))
