"""Independent groups of random effects, each as the triangular root of its cross-products.

With Z_i'Z_i = R_i'R_i and q_i = inv(R_i')Z_i'[X y], the covariance of the part of a group's rows that its random effects reach is
I + (R_i lambda)(R_i lambda)' over sigma2, whose least eigenvalue is one: what follows of its Cholesky factor, log|M_i|,
H_i = Z_i'inv(V_i)Z_i and B_i = Z_i'inv(V_i)[X y], loses no digits however large the variances become (cf. Lindstrom & Bates
1988). The rest of the rows, sum of [X y]'[X y] - q_i'q_i, does not depend on lambda at all.

Derivatives along any direction D of lambda contract H_i and B_i with D lambda' + lambda D', so that the sums over groups are
taken once for all directions: see `MomentSums`.

A group may stand for D_i of the same kind, among which its cross-products are shared out evenly: its R_i is divided by the root
of D_i, and sums count it D_i times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache

import numpy as np

from sparsemixed.solver.groups.kernels import run_program, run_program_at_all
from sparsemixed.solver.groups.programs import (
    Program,
    derivatives_program,
    deviance_program,
    predictions_program,
    roots_program,
    upper_pairs,
)
from sparsemixed.solver.threads import shared_out

LANES = 128
"""Most groups that are worked on together: their numbers stay in the first caches."""
CONSTANTS = np.array([0.0, 1.0])
"""Those that every program knows."""
VECTOR = 8
"""Lanes come in multiples of this."""
CHUNK = 1 << 14
"""Groups whose sums are one thread's piece of work; sums of pieces are added in order, whatever the number of threads."""

FEW = 1 << 16
"""Numbers of all groups up to which sums over them take no longer than the calls of Python around these: whole searches are then
compiled, and half a megabyte may stay in memory until all of a fit is asked for."""


@dataclass(frozen=True)
class MomentSums:
    """Sums over groups, for H_i and B_i and C_i = B_i columns; the second-order ones as matrices of pairs (a, b), (c, d).

    Attributes
    ----------
    H : (k, k)
        Of H_i.
    B : (k, k, P, P)
        B[a, b] of outer(B_i[a], B_i[b]).
    HH : (k, k, k, k)
        Of H_i[a, b] H_i[c, d].
    HC : (k, k, k, k)
        Of H_i[a, b] (C_i C_i')[c, d].
    """

    H: np.ndarray
    B: np.ndarray
    HH: np.ndarray
    HC: np.ndarray


def few(n_groups: int, k: int, width: int) -> bool:
    """Whether the roots of so many groups, with k effects and [X y] of some width, are few numbers."""
    return n_groups * k * (k + width) <= FEW


def block_sizes(n_groups: int) -> tuple[int, int]:
    """How many groups stand side by side in a block, and how many blocks there are."""
    lanes = min(LANES, -(-n_groups // VECTOR) * VECTOR)
    return lanes, -(-n_groups // lanes)


class GroupRoots:
    """The groups of one term.

    Parameters
    ----------
    first : (J, k, k) float64
        Z_i'Z_i.
    right : (J, k, P) float64
        Z_i'[X y].
    weights : (J,) float64, optional
        D: how many groups each one stands for; by default one.

    Attributes
    ----------
    explained : (P, P)
        Sum of q_i'q_i: the part of [X y]'[X y] that random effects reach.
    """

    def __init__(self, first: np.ndarray, right: np.ndarray, weights: np.ndarray | None = None):
        self.n_groups, self.k, self.width = right.shape
        self.lanes, self.n_blocks = block_sizes(self.n_groups)
        self._weights = weights
        self._data = self._blocks(np.concatenate([right, first], axis=2).reshape(self.n_groups, -1))
        sums, _ = self._run(roots_program(self.k, self.width), out=self._data)
        self.explained = sums.reshape(self.width, self.width)
        if weights is not None:
            self._share_out(np.sqrt(weights))

    @property
    def few(self) -> bool:
        """Whether there are so few numbers that calls of Python count."""
        return few(self.n_groups, self.k, self.width)

    @property
    def data(self) -> np.ndarray:
        """(blocks, rows, lanes): [q R] of every group in its lane, row after row, and two rows of weights if there are some."""
        return self._data

    @property
    def weights(self) -> np.ndarray | None:
        """(J,) how many groups each one stands for; None for one."""
        return self._weights

    def rooted(self) -> tuple[np.ndarray, np.ndarray]:
        """q (J, k, P) and R (J, k, k) of all that a group stands for."""
        k, width = self.k, self.width
        both = self._groups(self._data)[:, : k * (width + k)].reshape(-1, k, width + k)
        R = both[:, :, width:]
        return both[:, :, :width], R if self._weights is None else R * np.sqrt(self._weights)[:, None, None]

    def with_data(self, data: np.ndarray) -> GroupRoots:
        """The same groups with other `data`; what these explain is not known."""
        other = copy(self)
        other._data = data
        del other.explained
        return other

    def _blocks(self, rows: np.ndarray) -> np.ndarray:
        """(blocks, c, lanes) from numbers (J, c) of the groups; zeros for groups that fill up the last block."""
        missing = self.n_blocks * self.lanes - self.n_groups
        if missing:
            rows = np.concatenate([rows, np.zeros((missing, rows.shape[1]))])
        return np.ascontiguousarray(rows.reshape(self.n_blocks, self.lanes, -1).transpose(0, 2, 1))

    def _groups(self, rows: np.ndarray) -> np.ndarray:
        """(J, c) from (blocks, c, lanes)."""
        return rows.transpose(0, 2, 1).reshape(-1, rows.shape[1])[: self.n_groups]

    def _share_out(self, root: np.ndarray) -> None:
        """Groups that stand for root^2 (J,) of the same kind: their R over root, and root and 1 / root behind all rows."""
        weights = self._blocks(np.column_stack([root, 1.0 / root]))
        R = self._data.reshape(self.n_blocks, self.k, -1, self.lanes)[:, :, self.width :]
        R *= weights[:, 1][:, None, None]
        self._data = np.concatenate([self._data, weights], axis=1)

    def deviance(self, factor: np.ndarray) -> tuple[np.ndarray, float]:
        """(P, P) sum of q_i'inv(I + R_i G R_i')q_i with G = factor factor' (k, k), and the sum of log|I + R_i G R_i'|.

        The latter is no number where a matrix is not positive definite to rounding.
        """
        sums, roots = self._run(deviance_program(self.k, self.width), factor)
        logs = np.log(roots.ravel()[: self.n_groups])
        logdet = -2.0 * float(logs.sum() if self._weights is None else self._weights @ logs)
        return sums.reshape(self.width, self.width), logdet

    def deviances(self, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`deviance` at many factors (S, k, k), in one compiled pass: (S, P, P) and (S,)."""
        program, count = deviance_program(self.k, self.width), len(factors)
        known = np.concatenate([np.tile(CONSTANTS, (count, 1)), factors.reshape(count, -1)], axis=1)
        sums, logs = np.zeros((count, program.sums)), np.empty(count)
        rows = np.empty(self.n_blocks * program.results * self.lanes)
        weights = np.ones(self.n_groups) if self._weights is None else np.asarray(self._weights, float)
        run_program_at_all(
            program.code, known, self._data.ravel(), self._data.shape[1], self.lanes, self.n_blocks, self.n_groups,
            np.empty(program.registers * self.lanes), weights, sums, rows, logs,
        )  # fmt: skip
        return sums.reshape(count, self.width, self.width), -2.0 * logs

    def moments(self, factor: np.ndarray, columns: np.ndarray) -> MomentSums:
        """Sums for derivatives, at a factor (k, k) and with C_i = B_i columns for columns (P, c)."""
        k, width = self.k, self.width
        sums, _ = self._run(self._program(derivatives_program, columns), factor, columns)
        H, HH, HC = (sums[places] for places in _places(k, width))
        B = sums[: (width * k) ** 2].reshape(width, k, width, k).transpose(1, 3, 0, 2)
        return MomentSums(H, B, HH, HC)

    def predictions(
        self, factor: np.ndarray, direction: np.ndarray, spread: np.ndarray, sigma2: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """b (J, k) and its prediction-error covariance (J, k, k).

        Parameters
        ----------
        factor : (k, k)
        direction : (P,)
            [-beta, 1], with which B_i gives Z_i'inv(V_i)(y - X beta).
        spread : (P, c)
            A root of the covariance of beta over sigma2, with which B_i gives what the uncertainty of beta adds; c may be zero.
        sigma2 : float
        """
        k, columns = self.k, np.concatenate([direction[:, None], spread], axis=1)
        rows = self._run(self._program(predictions_program, columns), factor, columns)[1]
        variances = rows[:, k : k + k * (k + 1) // 2] + rows[:, k + k * (k + 1) // 2 :]
        variances *= sigma2
        means = np.ascontiguousarray(self._groups(rows[:, :k]))
        return means, self._groups(variances)[:, _pair(k).ravel()].reshape(-1, k, k)

    def _program(self, make: Callable[[int, int, int, bool], Program], columns: np.ndarray) -> Program:
        return make(self.k, self.width, columns.shape[1], self._weights is not None)

    def _run(self, program: Program, *constants: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Sums and results (blocks, rows, lanes) of a program for all groups."""
        known = np.concatenate([CONSTANTS, *[each.ravel() for each in constants]])
        out = np.empty((self.n_blocks, program.results, self.lanes)) if out is None else out
        data, rows, shape = self._data.ravel(), out.ravel(), (self._data.shape[1], self.lanes)

        def piece(begin: int, end: int) -> np.ndarray:
            registers, sums = np.empty(program.registers * self.lanes), np.zeros(program.sums)
            run_program(program.code, known, data, *shape, begin, end, registers, sums, rows, program.results)
            return sums

        step, last = max(CHUNK // self.lanes, 1), self.n_blocks
        if last <= step:
            return piece(0, last), out
        return _total(shared_out(piece, range(0, last, step), [*range(step, last, step), last])), out


def _total(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """Their sum, in order."""
    total = pieces[0]
    for piece in pieces[1:]:
        total += piece
    return total


@cache
def _pair(k: int) -> np.ndarray:
    """(k, k): the place of every entry of a symmetric matrix in its upper triangle."""
    out = np.empty((k, k), np.int64)
    for place, (a, b) in enumerate(upper_pairs(k)):
        out[a, b] = out[b, a] = place
    return out


@cache
def _places(k: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where H, HH and HC of `MomentSums` stand among the sums of `derivatives_program`."""
    pair, n = _pair(k), k * (k + 1) // 2
    row = (width * k) ** 2 + (1 + pair) * (1 + 2 * n)
    second = row[:, :, None, None] + 1 + pair
    return row, second, second + n
