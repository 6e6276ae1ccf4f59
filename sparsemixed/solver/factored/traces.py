"""Traces of products of two derivatives, the one part of an exact Hessian that the selected inverse does not hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.solver.crossproducts.block_products import Factors, Pattern, remaining_diagonals, symmetric_product
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.dense import FactoredDense
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


def factor_trace_products(system: FactoredSystem, factors: Factors, directions: Sequence[Factors]) -> np.ndarray:
    """T[k, l] = tr(N M_k N M_l) for the derivatives of M in directions D_k of Lambda.

    A direction that moves remaining terms only, at a nonsingular Lambda, has M_k = T_k'(M - I) + (M - I)T_k with the
    block-diagonal T_k = inv(Lambda) D_k, hence for every l: T[k, l] = 2 tr(T_k N M_l) - 2 tr(T_k N M_l N), which takes no
    dense product of its own. That pays where inv(S) is dense; elsewhere all directions go the general way.
    """
    derivatives = [symmetric_product(system.cp, direction, factors) for direction in directions]
    factored = system.schur
    if not isinstance(factored, FactoredDense):
        return trace_products(system, derivatives)
    dense = factored.inverse
    multipliers = [(k, _multipliers(factors, direction)) for k, direction in enumerate(directions)]
    moves = {k: move for k, move in multipliers if move is not None}
    cp, n, own = system.cp, len(directions), list(moves)
    general = [k for k in range(n) if k not in moves]
    traces = np.zeros((n, n))
    both = {}  # l -> sums over groups of the diagonal blocks of N M_l N, for each remaining term
    if general:
        part, schur = _eliminated(system, [derivatives[k] for k in general])
        solved = [factored.derivative_times_inverse(s) for s in schur]
        part += np.array([[np.vdot(a, b.T) for b in solved] for a in solved])
        traces[np.ix_(general, general)] = part
        both = {k: _sandwich_diagonals(cp, dense, each) for k, each in zip(general, solved, strict=True)}
    squares = _squares(cp, dense)
    diagonals = [_block_sum(cp, dense, t) for t in range(len(cp.k) - 1)]
    for l in own:
        both[l] = _own_diagonals(moves[l], diagonals, squares)
    for l in range(n):
        once = remaining_diagonals(cp, system.inverse_blocks, derivatives[l])
        for k in own:
            pairs = zip(moves[k], once, both[l], strict=True)
            traces[k, l] = 2.0 * sum(np.vdot(move.T, a - b) for move, a, b in pairs)
            traces[l, k] = traces[k, l]
    return traces


def _multipliers(factors: Factors, direction: Factors) -> list[np.ndarray] | None:
    """inv(Lambda) D for every remaining term, or None where the direction moves the eliminated term or Lambda is singular."""
    if direction[0].any():
        return None
    out = []
    for factor, move in zip(factors[1:], direction[1:], strict=True):
        if not move.any():
            out.append(move)
        elif np.linalg.cond(factor) > 1e6:
            return None
        else:
            out.append(np.linalg.solve(factor, move))
    return out


def _term(cp: CrossProducts, t: int) -> slice:
    start = cp.schur_offsets[t]
    return slice(start, start + cp.sizes[t + 1])


def _block_sum(cp: CrossProducts, matrix: np.ndarray, t: int) -> np.ndarray:
    """(k_t, k_t) sum over the groups of term t of the diagonal blocks of a (q2, q2) matrix."""
    where, k = _term(cp, t), cp.k[t + 1]
    part = matrix[where, where]
    return np.array([[np.trace(part[a::k, b::k]) for b in range(k)] for a in range(k)])


def _sandwich_diagonals(cp: CrossProducts, dense: np.ndarray, solved: np.ndarray) -> list[np.ndarray]:
    """Block sums of inv(S) @ solved, without forming the product."""
    out = []
    for t in range(len(cp.k) - 1):
        where, k = _term(cp, t), cp.k[t + 1]
        rows, columns = dense[where], solved[:, where].T
        out.append(np.array([[np.einsum("im,im->", rows[a::k], columns[b::k]) for b in range(k)] for a in range(k)]))
    return out


def _squares(cp: CrossProducts, dense: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """F_ts[a, b, c, d] = sum over groups i of t and j of s of N[ia, jc] N[ib, jd]."""
    out = {}
    for t in range(len(cp.k) - 1):
        for s in range(len(cp.k) - 1):
            kt, ks = cp.k[t + 1], cp.k[s + 1]
            part = dense[_term(cp, t), _term(cp, s)]
            out[t, s] = np.array(
                [
                    np.einsum("ij,ij->", part[a::kt, c::ks], part[b::kt, d::ks])
                    for a in range(kt) for b in range(kt) for c in range(ks) for d in range(ks)
                ]
            ).reshape(kt, kt, ks, ks)  # fmt: skip
    return out


def _own_diagonals(move, diagonals, squares) -> list[np.ndarray]:
    """Block sums of N M_l N = N T' + T N - N T' N - N T N for M_l = T'(M - I) + (M - I)T."""
    out = []
    for t, diagonal in enumerate(diagonals):
        through = sum(np.einsum("abcd,cd->ab", squares[t, s], move[s]) for s in range(len(move)))
        out.append(diagonal @ move[t].T + move[t] @ diagonal - through - through.T)
    return out
