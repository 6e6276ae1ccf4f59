"""Starting values by MIVQUE(0): quadratic forms of the residual, from the cross-products alone.

For the projected residual r = Qy and the components V_c = Z (I x D_c) Z', D_c the unit symmetric matrices of each term,
E[r'V_c r] is linear in the variances and covariances with coefficients tr(Q V_c Q V_d) (Hartley, Rao & LaMotte 1978).
Solving those equations costs no factorization.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.optimize import lsq_linear

from sparsemixed.solver.crossproducts import CrossProducts

MOST_COMPONENTS = 40
"""Above this number only variances are started from the data, covariances from zero: the equations grow with its square."""
SMALLEST_SHARE = 1e-3
"""Smallest starting variance, as a share of sigma2 per unit of the column's mean square: the deviance is flat at zero."""


@dataclass(frozen=True)
class Component:
    """One unit symmetric matrix: entry (a, b) of the covariance of term t, with its operator I x D (q, q)."""

    term: int
    a: int
    b: int
    operator: sp.csr_array


def mivque_start(cp: CrossProducts) -> list[np.ndarray]:
    """One positive definite (k, k) covariance over sigma2 for each term; X must be orthonormal and y orthogonal to it."""
    p, n = cp.ZtXy.shape[1] - 1, cp.n
    components = _components(cp)
    ztx, zty = cp.ZtXy[:, :p], cp.ZtXy[:, p]
    system, moments = np.empty((len(components) + 1,) * 2), np.empty(len(components) + 1)
    system[:-1, :-1] = _projected_traces(cp, ztx, components)
    # A column in the span of X has no projected trace; its share of the raw one keeps its start finite.
    traces = np.array([max(_trace(cp, ztx, c), 1e-2 * _inner(c.operator, cp.matrix)) for c in components])
    system[:-1, -1] = system[-1, :-1] = traces
    system[-1, -1] = n - p
    moments[:-1] = [zty @ (c.operator @ zty) for c in components]
    moments[-1] = cp.XytXy[p, p]
    total = moments[-1] / max(n - p, 1)
    values = _solve(system, moments, *_bounds(components, traces / n, total))
    sigma2 = max(values[-1], 0.05 * total)
    return _positive(cp, components, values[:-1] / sigma2, traces / n)


def _components(cp: CrossProducts) -> list[Component]:
    pairs = [(t, a, b) for t, k in enumerate(cp.k) for a in range(k) for b in range(a, k)]
    if len(pairs) > MOST_COMPONENTS:
        pairs = [(t, a, b) for t, a, b in pairs if a == b]
    out = []
    for t, a, b in pairs:
        first = cp.slices()[t].start + cp.k[t] * np.arange(cp.n_groups[t])
        rows, cols = (first + a, first + b) if a == b else (np.append(first + a, first + b), np.append(first + b, first + a))
        operator = sp.csr_array((np.ones(rows.size), (rows, cols)), shape=(cp.q, cp.q))
        out.append(Component(t, a, b, operator))
    return out


def _projected_traces(cp: CrossProducts, ztx: np.ndarray, components: list[Component]) -> np.ndarray:
    """tr(Q V_c Q V_d) = tr(S_c B S_d B) with B = Z'QZ = A - FF', F = Z'X, expanded so that B is never formed."""
    a = cp.matrix
    left = [c.operator @ a for c in components]
    moved = [c.operator @ ztx for c in components]
    through = [a @ m for m in moved]
    inner = [ztx.T @ m for m in moved]
    out = np.empty((len(components),) * 2)
    for c in range(len(components)):
        for d in range(c, len(components)):
            # tr(S_c A S_d A) = <S_c A, A S_d> and A S_d is the transpose of S_d A
            whole = _inner(left[c], left[d])
            cross = np.vdot(moved[c], through[d])
            out[c, d] = out[d, c] = whole - 2.0 * cross + np.vdot(inner[c], inner[d].T)
    return out


def _inner(left: sp.csr_array, right: sp.csr_array) -> float:
    """sum_ij left[i, j] right[j, i]."""
    return float(left.multiply(right.T.tocsr()).sum())


def _trace(cp: CrossProducts, ztx: np.ndarray, component: Component) -> float:
    """tr(Q V_c)."""
    return _inner(component.operator, cp.matrix) - float(np.vdot(ztx, component.operator @ ztx))


def _bounds(components: list[Component], traces: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    """No component may claim more than twice the total variance: nearly confounded columns leave the equations free to."""
    largest = {}
    for c, trace in zip(components, traces, strict=True):
        if c.a == c.b:
            largest[c.term, c.a] = 2.0 * total / max(trace, np.finfo(float).tiny)
    upper = np.array([np.sqrt(largest[c.term, c.a] * largest[c.term, c.b]) for c in components])
    lower = np.where([c.a == c.b for c in components], 0.0, -upper)
    return np.append(lower, 0.0), np.append(upper, 2.0 * total)


def _solve(system: np.ndarray, moments: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Bounded least squares in units of the bounds; components that move nothing stay at zero."""
    diagonal = np.diag(system) * upper**2
    used = diagonal > 1e-12 * diagonal.max()
    scale = np.where(used, 1.0 / np.sqrt(np.where(used, np.diag(system), 1.0)), 0.0)
    out = np.zeros_like(moments)
    part = np.ix_(used, used)
    bounds = (lower[used] / scale[used], upper[used] / scale[used])
    solved = lsq_linear((system * np.outer(scale, scale))[part], (moments * scale)[used], bounds=bounds, method="bvls")
    out[used] = solved.x * scale[used]
    return out


def _positive(cp: CrossProducts, components: list[Component], values: np.ndarray, mean_square: np.ndarray) -> list[np.ndarray]:
    """Assemble the covariances and lift their eigenvalues, in units of the columns, off the boundary."""
    out = [np.zeros((k, k)) for k in cp.k]
    unit = [np.ones(k) for k in cp.k]
    for component, value, square in zip(components, values, mean_square, strict=True):
        out[component.term][component.a, component.b] = out[component.term][component.b, component.a] = value
        if component.a == component.b:
            unit[component.term][component.a] = np.sqrt(max(square, np.finfo(float).tiny))
    lifted = []
    for matrix, scale in zip(out, unit, strict=True):
        eigenvalues, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
        floor = max(SMALLEST_SHARE, 1e-2 * eigenvalues.max())
        lifted.append((vectors * np.maximum(eigenvalues, floor)) @ vectors.T / np.outer(scale, scale))
    return lifted
