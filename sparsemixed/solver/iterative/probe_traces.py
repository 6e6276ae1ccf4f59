"""Block traces of N = inv(M) from random probes, with what is known exactly taken out of the noise.

For random signs z, E[zz'] = I, and y = inv(Shat) z in the coordinates of the preconditioner P = R'R, w = inv(R) y and
v = inv(R) z give inv(S) = E[w v'] and, with F = inv(M_00) M_02, the part F inv(S) F' of term 0's blocks (Hutchinson 1990).
Taken out as control variates, with their expectations exactly known (documentation page on iterative fits):

- inv(P) = E[v v'];
- the first-order term inv(D) G inv(D), G = H'H, of the remaining terms.

What remains is large only in a few directions Q, where Shat has small eigenvalues, and in small terms. There the sum over
Q's columns, taken as probes, is exact; the random ones are projected, u = (I - QQ')z, because E[uu'] = I - QQ'.

Where all unit vectors are affordable they take the place of Q, and nothing is random. Else every probe gives an estimate, so
that their spread tells the Monte Carlo error. The probes of a seed are the same for every
Lambda, and so is Q after the first steps: the estimated score is a smooth function of Lambda.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sparsemixed.solver.iterative.kernels import quadratics_and_products
from sparsemixed.solver.iterative.preconditioner import Coupled
from sparsemixed.solver.iterative.system import ExactBlocks, KrylovFactored
from sparsemixed.solver.linalg import stacked

PROBE_TOLERANCE = 1e-6
"""Relative residual of the probes' solutions: far below the noise that they carry, as long as N is not nearly I."""
PROBES_PER_BLOCK = 16
"""Probes solved at once: as many columns as pay in a product with a sparse matrix."""


def random_signs(random: np.random.Generator, q: int) -> np.ndarray:
    """(q, PROBES_PER_BLOCK) of -1 and 1."""
    return random.integers(0, 2, (q, PROBES_PER_BLOCK)) * 2.0 - 1.0


@dataclass
class Block:
    """Columns of which inv(Shat) is wanted.

    Attributes
    ----------
    z : (q2, c)
    exact : bool
        Whether their sum is meant, not their mean.
    y : (q2, c) or None
        Their last solutions, which start the next ones.
    inner : (r, c) or None
        Q'z of the random signs, of which z is what the directions Q leave.
    whole : (q2, c) or None
        The last solutions of the signs themselves, until they have been a start.
    """

    z: np.ndarray
    exact: bool
    y: np.ndarray | None = None
    inner: np.ndarray | None = None
    whole: np.ndarray | None = None


class Probes:
    """Random signs (q2, count), projected off the deflated directions, which come first.

    Parameters
    ----------
    q : int
    seed : int
    """

    def __init__(self, q: int, seed: int):
        self.q, self._random = q, np.random.default_rng(seed)
        self._signs: list[np.ndarray] = []
        self._blocks: list[Block] = []
        self.directions, self.exhaustive, self.tolerance = np.empty((q, 0)), False, PROBE_TOLERANCE

    @property
    def count(self) -> int:
        """Number of random vectors drawn so far."""
        return PROBES_PER_BLOCK * len(self._signs)

    def add(self, blocks: int) -> None:
        """Draw more, unless none are needed."""
        for _ in range(0 if self.exhaustive else blocks):
            self._signs.append(random_signs(self._random, self.q))
            self._blocks.append(self._projected(self._signs[-1]))

    def deflate(self, directions: np.ndarray) -> None:
        """Take orthonormal directions (q2, r) out of the noise."""
        if not self.exhaustive:
            wholes = self._whole_solutions()
            self.directions = directions
            projected = [self._projected(z) for z in self._signs]
            self._blocks = _taken_exactly(directions) + projected
            for block, whole in zip(projected, wholes, strict=True):
                block.whole = whole

    def exhaust(self) -> None:
        """Take every unit vector exactly in place of random probes: nothing is random any more."""
        self.exhaustive, self._signs = True, []
        self.directions = np.eye(self.q)
        self._blocks = _taken_exactly(self.directions)

    def _projected(self, z: np.ndarray) -> Block:
        inner = self.directions.T @ z
        return Block(z - self.directions @ inner, False, inner=inner)

    def _whole_solutions(self) -> list[np.ndarray | None]:
        """inv(Shat) z of all signs, as far as they are known: other directions need no other solutions than their own."""
        along, random = self._along(), [block for block in self._blocks if not block.exact]
        if along is None:
            return [None] * len(random)
        return [None if b.y is None or b.inner is None else b.y + along @ b.inner for b in random]

    def _begin(self, block: Block) -> None:
        """Let the solutions of a block start from those of its signs; those of the directions must be there."""
        along = None if block.whole is None else self._along()
        if along is not None and block.whole is not None and block.inner is not None:
            block.y = block.whole - along @ block.inner
        block.whole = None

    def _along(self) -> np.ndarray | None:
        """inv(Shat) Q (q2, r), once it is known."""
        solved = [block.y for block in self._blocks if block.exact]
        if any(y is None for y in solved):
            return None
        return np.concatenate([np.empty((self.q, 0)), *(y for y in solved if y is not None)], axis=1)

    def solutions(self, system: KrylovFactored) -> Iterator[Block]:
        """Each block with its y = inv(Shat) z at the system's Lambda; all unit vectors at once by a dense inverse."""
        inverse = np.linalg.inv(system.scaled(self.directions)) if self.exhaustive else None
        for i, block in enumerate(self._blocks):
            if inverse is not None:
                block.y = np.ascontiguousarray(inverse[:, PROBES_PER_BLOCK * i : PROBES_PER_BLOCK * (i + 1)])
            else:
                self._begin(block)
                block.y = system.solve_scaled(block.z, self.tolerance, block.y)
            yield block


def _taken_exactly(directions: np.ndarray) -> list[Block]:
    parts = [directions[:, c : c + PROBES_PER_BLOCK] for c in range(0, directions.shape[1], PROBES_PER_BLOCK)]
    return [Block(np.ascontiguousarray(part), True) for part in parts]


class ProbeTraces:
    """Estimates of the blocks of N at the system's Lambda.

    Parameters
    ----------
    system : KrylovFactored
    """

    def __init__(self, system: KrylovFactored):
        self.system, cp = system, system.cp
        self._offsets = [*cp.schur_offsets, cp.q_schur]
        self._jacobi = self._offsets[system.jacobi_terms]
        self._level_columns()
        precondition = system.preconditioner
        blocks = precondition.blocks if isinstance(precondition, Coupled) else precondition
        self._inverses = blocks.inverses
        self._blocks = blocks
        if system.exact is None:
            system.exact = self._exact_blocks()
        self.head, self.remaining, self._defect = system.exact

    def _level_columns(self) -> None:
        """First column and width of the level of every column; width 0 outside of the Jacobi terms."""
        cp = self.system.cp
        self._first, self._width = np.zeros(cp.q_schur, np.int64), np.zeros(cp.q_schur, np.int64)
        for t, k in enumerate(cp.k[1:]):
            start, stop = self._offsets[t], self._offsets[t + 1]
            self._first[start:stop] = start + (np.arange(stop - start) // k) * k
            self._width[start:stop] = k if stop <= self._jacobi else 0

    def _exact_blocks(self) -> ExactBlocks:
        """The expectations of the control variates."""
        system, cp = self.system, self.system.cp
        kmax = max(cp.k[1:])
        inverse = np.zeros((cp.q_schur, kmax))
        for t, blocks in enumerate(self._inverses):
            k = cp.k[t + 1]
            inverse[self._offsets[t] : self._offsets[t + 1], :k] = blocks.reshape(-1, k)
        # F inv(D) F' = inv(L)'(H inv(D) H')inv(L), block by block.
        quadratics = np.zeros((cp.n_groups[0], cp.k[0], cp.k[0])) + np.eye(cp.k[0])
        parts = np.zeros((system.cells.bounds.size - 1, cp.q_schur, kmax))
        quadratics_and_products(
            system.cells.bounds, cp.indptr, cp.columns, system.half, self._first, self._width, inverse, parts, quadratics
        )
        gram = parts.sum(axis=0)
        head = stacked(stacked(system.inverse_lower.transpose(0, 2, 1), quadratics), system.inverse_lower)
        defect, remaining = float(np.vdot(inverse, gram)), []
        for t, k in enumerate(cp.k[1:]):
            where = slice(self._offsets[t], self._offsets[t + 1])
            if where.stop <= self._jacobi:
                own = self._inverses[t]
                remaining.append(own + own @ gram[where, :k].reshape(-1, k, k) @ own)
            else:
                remaining.append(np.zeros((cp.n_groups[t + 1], k, k)))
        small = cp.q_schur - self._jacobi
        if small:
            columns = system.preconditioner.half(np.eye(cp.q_schur, small, -self._jacobi))
            own = columns.copy()
            own[self._jacobi :] = 0.0
            defect += float((system.head(own) ** 2).sum())
            self._add_products(remaining, columns)
            back = system.back(columns).reshape(cp.n_groups[0], cp.k[0], small)
            head = head + back @ back.transpose(0, 2, 1)
        return ExactBlocks(head, remaining, defect)

    def trace_of_defect(self) -> float:
        """tr(I - inv(R)'S inv(R)) = tr(inv(P)(P - S)), exactly."""
        return self._defect

    def _add_products(self, blocks: list[np.ndarray], columns: np.ndarray) -> None:
        """Add the diagonal blocks of columns columns' to the remaining terms' blocks."""
        for t, k in enumerate(self.system.cp.k[1:]):
            part = columns[self._offsets[t] : self._offsets[t + 1]].reshape(-1, k, columns.shape[1])
            blocks[t] = blocks[t] + part @ part.transpose(0, 2, 1)

    def remainders(self, block: Block):
        """For each term, pairs (left, right) of (J, k, c) whose outer products, less the others', estimate what is left.

        Yields (term, [(sign, left, right), ...]).
        """
        system, cp = self.system, self.system.cp
        half, z = system.preconditioner.half, block.z
        assert block.y is not None
        v, w = half(z), half(block.y)
        difference = w - v
        Fv, Fd = system.back(v), system.back(difference)
        yield 0, [(1.0, _blocks(Fd, cp.k[0]), _blocks(Fv, cp.k[0]))]
        own = np.zeros_like(v)
        own[: self._jacobi] = self._blocks.half(z[: self._jacobi])
        first = system.square(own)[: self._jacobi]
        first = self._blocks.half(self._blocks.half_transpose(first))
        for t, k in enumerate(cp.k[1:]):
            where = slice(self._offsets[t], self._offsets[t + 1])
            parts = [(1.0, _blocks(difference[where], k), _blocks(v[where], k))]
            if where.stop <= self._jacobi:
                parts.append((-1.0, _blocks(first[where], k), _blocks(own[where], k)))
            yield t + 1, parts

    def block_sums(self, probes: Probes) -> list[np.ndarray]:
        """For each term (count, k, k): each probe's estimate of the sum over groups of the diagonal blocks of N.

        Of exhausted probes (1, k, k): the sum itself.
        """
        random: list[list[np.ndarray]] = [[] for _ in self.system.cp.k]
        exact = [self.head.sum(axis=0), *(blocks.sum(axis=0) for blocks in self.remaining)]
        for block in probes.solutions(self.system):
            for t, parts in self.remainders(block):
                blocks = sum(s * np.einsum("iac,ibc->cab", left, right) for s, left, right in parts)
                blocks = 0.5 * (blocks + blocks.transpose(0, 2, 1))
                if block.exact:
                    exact[t] = exact[t] + blocks.sum(axis=0)
                else:
                    random[t].append(blocks)
        return [known + np.concatenate(each) if each else known[None] for known, each in zip(exact, random, strict=True)]

    def blocks(self, probes: Probes) -> list[np.ndarray]:
        """For each term (J, k, k): the probes' mean estimate of every diagonal block of N."""
        out = [self.head.copy(), *(blocks.copy() for blocks in self.remaining)]
        for block in probes.solutions(self.system):
            share = 0.5 if block.exact else 0.5 / probes.count
            for t, parts in self.remainders(block):
                for s, left, right in parts:
                    product = left @ right.transpose(0, 2, 1)
                    out[t] += share * s * (product + product.transpose(0, 2, 1))
        return out


def _blocks(values: np.ndarray, k: int) -> np.ndarray:
    return values.reshape(-1, k, values.shape[1])
