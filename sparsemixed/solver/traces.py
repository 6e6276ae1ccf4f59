"""Traces of products of two derivatives, the one part of an exact Hessian that the selected inverse does not hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.solver.congruence import Factors, Pattern, symmetric_product
from sparsemixed.solver.kernels import apply_blocks
from sparsemixed.solver.system import PenalizedSystem, Schur


def trace_products(system: PenalizedSystem, derivatives: Sequence[Pattern]) -> np.ndarray:
    """T[k, l] = tr(N M_k N M_l) for derivatives M_k of M. Call after `system.inverse_blocks`.

    With E = inv(M_00) M_02 the congruence by [[I, -E], [0, I]] makes M block diagonal, and M_k becomes blocks M_k00,
    Y_k = M_k02 - M_k00 E and S_k = M_k22 - E'F_k - F_k'E with F_k = M_k02 - M_k00 E / 2, so that
    T = tr(inv(M_00) M_k00 inv(M_00) M_l00) + 2 tr(inv(M_00) Y_k inv(S) Y_l') + tr(inv(S) S_k inv(S) S_l).

    Parameters
    ----------
    system : PenalizedSystem
    derivatives : sequence of n Pattern

    Returns
    -------
    (n, n) float64
    """
    elimination, block_inverse = system.elimination(), system.block_inverse
    heads, crosses, schur = [], [], []
    for m in derivatives:
        through = _by_group(system, m.first, elimination)
        heads.append(block_inverse @ m.first)
        crosses.append(m.cross - through)
        schur.append(Schur(m.pairs, elimination, m.cross - 0.5 * through))
    weighted = [_by_group(system, block_inverse, cross) for cross in crosses]
    gathered = [system.rest.gather(cross) for cross in crosses]
    n = len(heads)
    traces = np.array([[np.einsum("iab,iba->", a, b) for b in heads] for a in heads]).reshape(n, n)
    if system.cp.q_rest:
        traces += 2.0 * np.array([[np.vdot(a, b) for b in weighted] for a in gathered])
        traces += system.rest.trace_products(schur)
    return traces


def _by_group(system: PenalizedSystem, blocks: np.ndarray, entries: np.ndarray) -> np.ndarray:
    out = np.empty_like(entries)
    apply_blocks(blocks, system.cp.indptr, entries, False, out)
    return out


def factor_derivatives(system: PenalizedSystem, factors: Factors, directions: Sequence[Factors]) -> list[Pattern]:
    """dM/dtheta_k = D_k'A Lambda + Lambda'A D_k for every direction."""
    return [symmetric_product(system.cp, direction, factors) for direction in directions]
