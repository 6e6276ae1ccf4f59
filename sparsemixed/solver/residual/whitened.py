"""Cross-products of long groups in inv(R), by recursions that whiten row after row: linear in rows, whatever times are missing.

Two families have such recursions. Errors that are independent beyond q units of time (MA, Toeplitz) have a banded R, and a
submatrix of a banded matrix is banded: Cholesky. Those that are part of a Markov process of p numbers (AR of any order,
exponential) are predicted from the row before. Neither has an inv(R) with few entries; what the likelihood needs of it are the
products C'inv(R)C of every group, with C the columns of its effects, of X and y, and those are small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.solver.residual.jets import JetRule, jet_rule, jets
from sparsemixed.solver.residual.kernels_whitening import add_covariance_times, whiten_banded, whiten_by_states
from sparsemixed.solver.threads import shared_out
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.by_level import ByLevel

WORTH_THREADS = 20_000
"""Rows from which the groups are shared out to threads."""
PARTS = 16
"""Of groups at most, so that threads end at about the same time."""


class Member(NamedTuple):
    """A structure, the groups that have it, its own parameters among rho, and the place of its log scale there, if it has one."""

    structure: ResidualStructure
    groups: np.ndarray
    own: slice
    scale: int | None


class Sums(NamedTuple):
    """gram (J, 1 + n, c, c), moved (J, N) and logs (J, N) as in `solver.residual.kernels_whitening`."""

    gram: np.ndarray
    moved: np.ndarray
    logs: np.ndarray


def has_recursion(structure: ResidualStructure) -> bool:
    """Whether the structure's errors can be whitened row after row."""
    if isinstance(structure, ByLevel):
        return all(map(has_recursion, structure.structures))
    return structure.by_lag is not None or structure.transitions is not None


def members(structure: ResidualStructure, t: np.ndarray, start: np.ndarray) -> list[Member]:
    """One for each level of by() that has groups."""
    J = len(start) - 1
    if not isinstance(structure, ByLevel):
        return [Member(structure, np.arange(J), slice(0, structure.n_rho), None)]
    level, found = t[start[:-1], 1], []
    for k, own in enumerate(structure.structures):
        groups = np.flatnonzero(level == k)
        if groups.size:
            scale = structure.slices[k].start if k != structure.unit else None
            found.append(Member(own, groups, structure.inside[k], scale))
    return found


class WhitenedPrecision:
    """C'inv(R)C of every group (J, c, c), flattened.

    Parameters
    ----------
    structure : ResidualStructure
    t : (n,) or (n, 2) float64
        Sorted rows' times.
    start : (J + 1,) int64
        Rows of each group.
    weights : (J,) float64
        How many groups each one stands for.
    rows : (n, c) float64
        C.
    """

    def __init__(self, structure: ResidualStructure, t: np.ndarray, start: np.ndarray, weights: np.ndarray, rows: np.ndarray):
        self.weights, self.rows = weights, np.ascontiguousarray(rows)
        self.start, self.n_rho = start, structure.n_rho
        self.widths = np.diff(start).astype(float)
        self.members = members(structure, t, start)
        self.t = np.ascontiguousarray(t if t.ndim == 1 else t[:, 0])
        self.gaps = Gaps(self.t, start)

    def _sums(self, member: Member, rho: np.ndarray, rule: JetRule, weights: np.ndarray | None) -> Sums:
        J, c = len(self.widths), self.rows.shape[1]
        gram = np.zeros((J, 1 + rule.n, c, c))
        moved = np.zeros((J, 0 if weights is None else rule.size))
        logs = np.zeros((J, rule.size))
        S = np.zeros((J, 0, 0)) if weights is None else weights
        ends = (rule.pairs, S, gram, moved, logs)
        if member.structure.by_lag is not None:
            by_lag = member.structure.by_lag
            (table,) = jets(lambda at: [by_lag(at)], rho[member.own], rule)
            done = self._by_groups(member, lambda own: whiten_banded(own, self.start, self.t, self.rows, table, *ends))
        else:
            moves = self.gaps.transitions(member.structure, rho[member.own], rule)
            rows = self.start, self.t, self.rows, self.gaps.place
            done = self._by_groups(member, lambda own: whiten_by_states(own, *rows, *moves, *ends))
        if not (done and np.all(np.isfinite(gram)) and np.all(np.isfinite(logs))):
            raise NumericalError("the residual covariance matrix of a group is not positive definite")
        return Sums(gram[member.groups], moved[member.groups], logs[member.groups])

    def _by_groups(self, member: Member, whiten: Callable[[np.ndarray], bool]) -> bool:
        """Whether all groups could be whitened: threads take some each, of about as many rows."""
        rows = np.append(0, np.cumsum(self.widths[member.groups]))
        if rows[-1] < WORTH_THREADS:
            return whiten(member.groups)
        ends = np.unique(np.searchsorted(rows, np.linspace(0.0, rows[-1], PARTS + 1)[1:])).tolist()
        return all(shared_out(lambda begin, end: whiten(member.groups[begin:end]), [0, *ends[:-1]], ends))

    def values(self, rho: np.ndarray) -> tuple[np.ndarray, float]:
        """C'inv(R)C (J c c,), and log|R|."""
        out, logdet = np.zeros((len(self.widths), self.rows.shape[1] ** 2)), 0.0
        for member in self.members:
            found = self._sums(member, rho, jet_rule(member.structure.n_rho, 0), None)
            shrunk, logs = _scale(member, rho), found.logs[:, 0] + _log_scale(member, rho) * self.widths[member.groups]
            out[member.groups] = shrunk * found.gram[:, 0].reshape(len(member.groups), -1)
            logdet += float(self.weights[member.groups] @ logs)
        return out.ravel(), logdet

    def derivatives(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives (n_rho, J c c) of the products and of every group's part of log|R| (n_rho, J)."""
        J = len(self.widths)
        data, logdet = np.zeros((self.n_rho, J, self.rows.shape[1] ** 2)), np.zeros((self.n_rho, J))
        for member in self.members:
            found, counts = self._sums(member, rho, jet_rule(member.structure.n_rho, 1), None), self.weights[member.groups]
            shrunk, here = _scale(member, rho), member.groups
            for k in range(member.structure.n_rho):
                half = found.gram[:, 1 + k]
                data[member.own.start + k, here] = shrunk * (half + half.swapaxes(1, 2)).reshape(len(here), -1)
                logdet[member.own.start + k, here] = counts * found.logs[:, 1 + k]
            if member.scale is not None:
                data[member.scale, here] = -2.0 * shrunk * found.gram[:, 0].reshape(len(here), -1)
                logdet[member.scale, here] = 2.0 * counts * self.widths[here]
        return data.reshape(self.n_rho, -1), logdet

    def second(self, rho: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(n_rho, n_rho): second derivatives of log|R| plus those of the products summed with weights (J c c,)."""
        c, out = self.rows.shape[1], np.zeros((self.n_rho,) * 2)
        S = weights.reshape(-1, c, c)
        S = np.ascontiguousarray((S + S.swapaxes(1, 2)) / 2)
        for member in self.members:
            rule, n = jet_rule(member.structure.n_rho, 2), member.structure.n_rho
            found, shrunk, own = self._sums(member, rho, rule, S), _scale(member, rho), member.own
            moved = shrunk * found.moved.sum(axis=0)
            out[own, own] += rule.second(self.weights[member.groups] @ found.logs + moved)
            if member.scale is not None:
                out[member.scale, member.scale] += 4.0 * moved[0]
                out[member.scale, own] -= 2.0 * moved[1 : 1 + n]
                out[own, member.scale] -= 2.0 * moved[1 : 1 + n]
        return out


class Gaps:
    """The distinct gaps (U,) between successive rows of groups, and which of them each row (n,) comes after."""

    def __init__(self, t: np.ndarray, start: np.ndarray):
        gaps = np.diff(t, prepend=t[:1])
        gaps[start[:-1]] = 0.0
        self.distinct, place = np.unique(gaps, return_inverse=True)
        self.place = np.ascontiguousarray(place.ravel().astype(np.int64))

    def transitions(self, structure: ResidualStructure, rho: np.ndarray, rule: JetRule) -> tuple[np.ndarray, np.ndarray, int]:
        """Jets (U p p, N) of Phi and of the noise, and p."""
        assert structure.transitions is not None
        function = structure.transitions

        def both(at: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
            Phi, dPhi, noise, dnoise = function(at, self.distinct)
            return [(Phi, dPhi), (noise, dnoise)]

        Phi, noise = jets(both, rho, rule)
        return Phi.reshape(-1, rule.size), noise.reshape(-1, rule.size), Phi.shape[1]


def _log_scale(member: Member, rho: np.ndarray) -> float:
    """log of the variance, relative to that of the first level."""
    return 0.0 if member.scale is None else 2.0 * float(rho[member.scale])


def _scale(member: Member, rho: np.ndarray) -> float:
    return float(np.exp(-_log_scale(member, rho)))


def covariance_products(
    structure: ResidualStructure, t: np.ndarray, start: np.ndarray, rho: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rw (n,) and each dR/drho w (n_rho, n), of sorted rows, R positive definite or not."""
    times = np.ascontiguousarray(t if t.ndim == 1 else t[:, 0])
    product, change = np.zeros(w.size), np.zeros((structure.n_rho, w.size))
    lengths = np.diff(start)
    for member in members(structure, t, start):
        picked = np.isin(np.repeat(np.arange(lengths.size), lengths), member.groups)
        inner = np.append(0, np.cumsum(lengths[member.groups]))
        found = _times(member.structure, times[picked], inner, rho[member.own], w[picked]) / _scale(member, rho)
        product[picked] = found[:, 0]
        change[member.own, picked] = found[:, 1:].T
        if member.scale is not None:
            change[member.scale, picked] = 2.0 * found[:, 0]
    return product, change


def _times(structure: ResidualStructure, t: np.ndarray, start: np.ndarray, rho: np.ndarray, w: np.ndarray) -> np.ndarray:
    """(n, 1 + n_rho): R times w, and its derivatives."""
    rule = jet_rule(structure.n_rho, 1)
    out = np.zeros((w.size, rule.size))
    out[:, 0] = w
    if structure.by_lag is None:
        gaps = Gaps(t, start)
        Phi, _, p = gaps.transitions(structure, rho, rule)
        add_covariance_times(start, gaps.place, Phi, p, rule.pairs, w, out)
        return out
    by_lag = structure.by_lag
    (table,) = jets(lambda at: [by_lag(at)], rho, rule)
    group = np.repeat(np.arange(start.size - 1), np.diff(start))
    for apart in range(1, min(len(table) - 1, w.size)):
        lag = np.clip(t[apart:] - t[:-apart], 0, len(table) - 1).astype(np.int64)
        entry = np.where((group[apart:] == group[:-apart])[:, None], table[lag], 0.0)
        out[apart:] += entry * w[:-apart, None]
        out[:-apart] += entry * w[apart:, None]
    return out
