"""Second derivatives of log|M|: traces of products of two derivatives, which the selected inverse does not hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.solver.crossproducts.block_products import Factors, Pattern, diagonal_sums, products, stacks, symmetric_product
from sparsemixed.solver.factored.dense import FactoredDense
from sparsemixed.solver.factored.projected import ProjectedSums
from sparsemixed.solver.factored.schur import SchurDerivative
from sparsemixed.solver.factored.system import FactoredSystem
from sparsemixed.solver.kernels import apply_blocks
from sparsemixed.solver.linalg import stacked


def trace_products(system: FactoredSystem, derivatives: Sequence[Pattern]) -> np.ndarray:
    """T[k, l] = tr(N M_k N M_l) for any derivatives M_k of M.

    With group weights D it is the sum over i, j of D_max(i,j) A_k,ij A_l,ij with A_k = inv(L) M_k inv(L)', which is what the
    second derivative of the weighted determinant takes off.

    With F = inv(M_00) M_02 the congruence by [[I, -F], [0, I]] makes M block diagonal, and M_k becomes blocks M_k00,
    Y_k = M_k02 - M_k00 F and S_k = M_k22 - F'W_k - W_k'F with W_k = M_k02 - M_k00 F / 2, so that
    T = tr(inv(M_00) M_k00 inv(M_00) M_l00) + 2 tr(inv(M_00) Y_k inv(S) Y_l') + tr(inv(S) S_k inv(S) S_l).

    Parameters
    ----------
    system : FactoredSystem
    derivatives : sequence of n Pattern

    Returns
    -------
    (n, n) float64
    """
    traces, schur = _eliminated(system, derivatives)
    return traces + system.schur.trace_products(schur) if system.cp.q_schur else traces


def _eliminated(system: FactoredSystem, derivatives: Sequence[Pattern]) -> tuple[np.ndarray, list[SchurDerivative]]:
    """All but the last term of T, and the derivatives of the Schur complement that the last one needs."""
    F, block_inverse = system.elimination(), system.block_inverse
    heads, crosses, schur = [], [], []
    for m in derivatives:
        through = _by_group(system, m.first, F)
        heads.append(stacked(block_inverse, m.first))
        crosses.append(m.cross - through)
        schur.append(SchurDerivative(m.pairs, F, m.cross - 0.5 * through))
    n = len(heads)
    weighted_heads = [system.weights[0][:, None, None] * head for head in heads]
    traces = np.array([[np.einsum("iab,iba->", a, b) for b in heads] for a in weighted_heads]).reshape(n, n)
    if system.cp.q_schur:
        weighted = [_by_group(system, block_inverse, cross) for cross in crosses]
        gathered = [system.schur.gather(cross) for cross in crosses]
        traces += 2.0 * np.array([[np.vdot(a, b) for b in weighted] for a in gathered]).reshape(n, n)
    return traces, schur


def _by_group(system: FactoredSystem, blocks: np.ndarray, entries: np.ndarray) -> np.ndarray:
    out = np.empty_like(entries)
    apply_blocks(blocks, system.cp.indptr, entries, False, out)
    return out


def determinant_hessian(system: FactoredSystem, factors: Factors, directions: Sequence[Factors]) -> np.ndarray:
    """Second derivatives of log|M| in directions D_k of Lambda, in which second derivatives of Lambda vanish.

    They are 2 tr(N D_l'A D_k) - tr(N M_k N M_l). Where inv(S) is dense, they are those of log|V0| = log|M|, which with
    H = Z'inv(V0)Z and W_k = D_k Lambda' + Lambda D_k' are 2 tr(H D_k D_l') - tr(H W_k H W_l): H is gone through once, for any
    number of directions.

    Returns
    -------
    (n, n) float64
    """
    if not isinstance(system.schur, FactoredDense):
        moved = [diagonal_sums(system.cp, system.inverse_blocks, direction) for direction in directions]
        second = np.array([[_inner(sums, direction) for direction in directions] for sums in moved])
        traces = trace_products(system, [symmetric_product(system.cp, direction, factors) for direction in directions])
        return second + second.T - traces
    parts = stacks(directions, system.cp.k)
    halves = [part @ factor.T for part, factor in zip(parts, factors, strict=True)]
    found = ProjectedSums(system, system.schur, factors, [half + half.transpose(0, 2, 1) for half in halves])
    return sum((2.0 * products(part, h) for part, h in zip(parts, found.own, strict=True)), -found.products)


def _inner(sums: Factors, direction: Factors) -> float:
    """Sum over terms of tr(sums D)."""
    return float(sum(np.vdot(s.T, d) for s, d in zip(sums, direction, strict=True)))
