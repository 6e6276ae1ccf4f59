"""tr(inv(V) V_k inv(V) V_l) for all variance parameters, from the penalised system alone.

With M = Lambda'Z'ZLambda + I, N = inv(M) and V = sigma2 V0, the identity Lambda'Z'inv(V0)ZLambda = I - N turns every trace
into one over random effects. For V_k = Z (I x B_k) Z' let G_k = inv(lambda) B_k inv(lambda)' on the parameter's block; then

- sigma2^2 tr(inv(V) V_k inv(V) V_l) = tr(G_k G_l) - 2 tr(G_k G_l N) + tr(G_k N G_l N),
- sigma2^2 tr(inv(V) V_k inv(V))     = tr(G_k N) - tr(G_k N N),
- sigma2^2 tr(inv(V) inv(V))         = n - q + tr(N N),

and tr(G_k N G_l N) is what `solver.factored.traces` computes exactly for block-diagonal patterns G. Where inv(S) is dense the
traces are sums over pairs of groups of blocks of H = Z'inv(V0)Z instead, without a product of large matrices for every
parameter (`solver.factored.projected`): sigma2^2 tr(inv(V) V_k inv(V) V_l) = tr(H B_k H B_l), and what sigma2 has in it follows
from I = V0 - Z Lambda Lambda' Z'.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.inference.information.covariance_entries import CovarianceEntry
from sparsemixed.solver.crossproducts.block_products import Factors, Pattern, repeated_blocks
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.projected import ProjectedSums
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.factored.traces import trace_products


def diagonal_totals(cp: CrossProducts, inverse: Pattern) -> list[np.ndarray]:
    """For each term the (k, k) sum of N's diagonal blocks."""
    own = [values.sum(axis=0) for pair, values in zip(cp.pairs, inverse.pairs, strict=True) if pair.t == pair.u]
    return [inverse.first.sum(axis=0), *own]


def expected_traces(system: FactoredSystem, factors: Factors, parameters: list[CovarianceEntry], sigma2: float) -> np.ndarray:
    """T[k, l] = tr(inv(V) V_k inv(V) V_l), (m + 1, m + 1), sigma2 last.

    Parameters
    ----------
    system : FactoredSystem
        At the optimum.
    factors : list of (k, k)
        Lambda there.
    parameters : list of m CovarianceEntry
    sigma2 : float
    """
    if isinstance(system.schur, FactoredDense):
        return _projected_traces(system, system.schur, factors, parameters) / sigma2**2
    cp, m = system.cp, len(parameters)
    whitened = [_whitened(cp, parameter) for parameter in parameters]
    both = _with_unit(system, whitened)
    totals = diagonal_totals(cp, system.inverse_blocks)
    out = np.empty((m + 1, m + 1))
    for k in range(m):
        for j in range(m):
            same = [a @ b for a, b in zip(whitened[k], whitened[j], strict=True)]
            alone = sum(groups * np.trace(g) for groups, g in zip(cp.n_groups, same, strict=True))
            out[k, j] = alone - 2.0 * _contract(same, totals) + both[k, j]
        out[k, m] = out[m, k] = _contract(whitened[k], totals) - both[k, m]
    out[m, m] = cp.n - cp.q + both[m, m]
    return (out + out.T) / (2.0 * sigma2**2)


def _projected_traces(
    system: FactoredSystem, schur: FactoredDense, factors: Factors, parameters: list[CovarianceEntry]
) -> np.ndarray:
    """sigma2^2 T, from the blocks of H."""
    cp, m = system.cp, len(parameters)
    moves = [np.zeros((m + 1, k, k)) for k in cp.k]
    for k, parameter in enumerate(parameters):
        moves[parameter.term][k, parameter.columns, parameter.columns] = parameter.basis
    for move, factor in zip(moves, factors, strict=True):
        move[m] = factor @ factor.T
    found = ProjectedSums(system, schur, factors, moves)
    alone = np.zeros(m + 1)
    for move, own in zip(moves, found.own, strict=True):
        alone += np.tensordot(move, own, axes=2)
    out = found.products.copy()
    out[:m, m] = out[m, :m] = alone[:m] - out[:m, m]
    out[m, m] += cp.n - 2.0 * alone[m]
    return out


def _with_unit(system: FactoredSystem, whitened: list[list[np.ndarray]]) -> np.ndarray:
    """tr(G_k N G_l N) for all pairs of the whitened directions and the identity, (m + 1, m + 1).

    Where no block is on the boundary the identity is a combination of the G_k (the one that gives Lambda Lambda'), which
    saves the dense product of one more direction.
    """
    cp, m = system.cp, len(whitened)
    unit = [np.eye(k) for k in cp.k]
    flat = np.array([_flat(g) for g in whitened]).reshape(m, sum(k * k for k in cp.k))
    size = np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), np.finfo(float).tiny)
    weights = np.linalg.lstsq((flat / size).T, _flat(unit), rcond=None)[0] / size[:, 0]
    if not np.allclose(weights @ flat, _flat(unit), rtol=0.0, atol=1e-12):
        return trace_products(system, [repeated_blocks(cp, g) for g in (*whitened, unit)])
    extended = np.vstack([np.eye(m), weights])
    return extended @ trace_products(system, [repeated_blocks(cp, g) for g in whitened]) @ extended.T


def _flat(blocks: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([block.ravel() for block in blocks])


def _contract(blocks: list[np.ndarray], totals: list[np.ndarray]) -> float:
    """tr of a block-diagonal matrix times N."""
    return float(sum(np.sum(b * t.T) for b, t in zip(blocks, totals, strict=True)))


def _whitened(cp: CrossProducts, parameter: CovarianceEntry) -> list[np.ndarray]:
    """G of one parameter: one (k, k) matrix per term."""
    out = [np.zeros((k, k)) for k in cp.k]
    # Effects that are held at zero, and the columns of the factor that were theirs, have no part in it.
    kept, own = (np.flatnonzero(parameter.root.any(axis=axis)) for axis in (1, 0))
    root = parameter.root[np.ix_(kept, own)]
    half = np.linalg.solve(root, parameter.own[np.ix_(kept, kept)])
    g = np.linalg.solve(root, half.T)
    places = parameter.columns.start + own
    out[parameter.term][np.ix_(places, places)] = (g + g.T) / 2
    return out
