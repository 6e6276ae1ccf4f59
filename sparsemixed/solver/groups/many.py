"""Many searches on one design of independent groups, as arrays: one row for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.solver.groups.first import as_kernels_take
from sparsemixed.solver.groups.kernels_many import search_many
from sparsemixed.solver.groups.programs import derivatives_program, deviance_program
from sparsemixed.solver.groups.roots import GroupRoots


@dataclass(frozen=True)
class Searches:
    """What is searched, the same for every row.

    Attributes
    ----------
    moves : (n, k, k)
        Derivatives of lambda.
    faces : (f, n)
        Forms in theta on whose zeros a covariance is singular.
    reml : bool
    bounds : (3,)
        nrtolerance, negative for none; tolerance and ltolerance.
    most : int
        Iterations.
    fixed : tuple of arrays
        (R, T, a, T inv(R)): coefficients on X are T inv(R) c + a of those on its orthonormal columns.
    """

    moves: np.ndarray
    faces: np.ndarray
    reml: bool
    bounds: np.ndarray
    most: int
    fixed: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Ends:
    """Where B searches ended.

    Attributes
    ----------
    theta : (B, n);  beta, errors : (B, p), on X
    touched : (B, f) bool
        Faces that the end lies on.
    numbers : (B, 4)
        Deviance, pwrss, iterations, and the squares that X leaves of the response or the weighted observations.
    why : (B,)
        Positive where a search converged; `kernels_search.NO_END`, `kernels_many.FITTED_EXACTLY`, `LEFT_OPEN`.
    """

    theta: np.ndarray
    beta: np.ndarray
    errors: np.ndarray
    touched: np.ndarray
    numbers: np.ndarray
    why: np.ndarray

    @classmethod
    def of(cls, number: int, searches: Searches) -> Ends:
        """Room for some searches."""
        n, p, f = len(searches.moves), searches.fixed[1].shape[0], len(searches.faces)
        shapes = ((number, n), (number, p), (number, p))
        theta, beta, errors = (np.full(shape, np.nan) for shape in shapes)
        return cls(theta, beta, errors, np.zeros((number, f), bool), np.full((number, 4), np.nan), np.zeros(number, np.int64))

    def arrays(self) -> tuple[np.ndarray, ...]:
        """In the order of the kernels."""
        return self.theta, self.beta, self.errors, self.touched, self.numbers, self.why


class ManyResponses:
    """Searches for responses.

    Parameters
    ----------
    roots : GroupRoots
        Of the design with any response.
    rest : (P, P)
        What its random effects do not reach of [X y]'[X y].
    searches : Searches
    rows : tuple of arrays
        (Q (n, r), codes (n,), columns (n, k)), rows times the root of their weight.
    df : float
    """

    def __init__(self, roots: GroupRoots, rest: np.ndarray, searches: Searches, rows: tuple[np.ndarray, ...], df: float):
        _, R = roots.rooted()
        weights = np.ones(roots.n_groups) if roots.weights is None else roots.weights
        Q, codes, columns = rows
        self._rows = (as_kernels_take(Q), as_kernels_take(codes, np.int32), as_kernels_take(columns))
        self._own = (as_kernels_take(R), as_kernels_take(rest[:-1, :-1]))
        self._programs = _programs(roots, searches.reml, roots.weights is not None)
        self._data, self._weights, self._searches, self._df = roots.data, weights, searches, float(df)
        P = roots.width
        none = (np.zeros((0, roots.k, P)), np.zeros((0, P, P)), np.zeros((0, P, P)), np.zeros(0))
        self._groups = (*none, np.zeros(P - 1))

    def run(self, Y: np.ndarray, starts: np.ndarray, out: Ends, begin: int, end: int) -> None:
        """Searches `begin` to `end` of the rows of Y (B, n) from the best of `starts` (s, n), into `out`."""
        s = self._searches
        about = (self._rows, self._own, self._groups, _fixed(s), self._programs, self._data, _model(s), self._df)
        search_many(begin, end, as_kernels_take(Y), self._weights[None], as_kernels_take(starts), *about, out.arrays())


class ManyWeights:
    """Searches for weights of groups that stand for one each.

    Parameters
    ----------
    roots, searches
        As of `ManyResponses`; the roots without weights.
    rows : tuple of arrays
        (Q, left (n,), codes): orthonormal X, what it leaves of the response, and the group of each row.
    fitted : (r,)
        What that leaves out, in coefficients on Q.
    """

    def __init__(self, roots: GroupRoots, searches: Searches, rows: tuple[np.ndarray, ...], fitted: np.ndarray):
        Q, left, codes = rows
        q, _ = roots.rooted()
        Xy = np.column_stack([Q, left])
        gram = np.zeros((roots.n_groups, roots.width, roots.width))
        order, ends = np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes, minlength=roots.n_groups))
        for g, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            own = Xy[order[begin:end]]
            gram[g] = own.T @ own
        left_of_groups = gram - q.transpose(0, 2, 1) @ q
        observations = np.bincount(codes, minlength=roots.n_groups).astype(float)
        self._groups = (as_kernels_take(q), left_of_groups, gram, observations, fitted)
        self._data = np.concatenate([roots.data, np.ones((roots.n_blocks, 2, roots.lanes))], axis=1)
        self._programs, self._searches = _programs(roots, searches.reml, True), searches
        k, r = roots.k, roots.width - 1
        self._rows = (np.zeros((0, r)), np.zeros(0, np.int32), np.zeros((0, k)))
        self._own = (np.zeros((0, k, k)), np.zeros((r, r)))

    def run(self, W: np.ndarray, starts: np.ndarray, out: Ends, begin: int, end: int) -> None:
        """Searches `begin` to `end` of the rows of W (B, J), into `out`."""
        s, none = self._searches, np.zeros((0, 0))
        about = (self._rows, self._own, self._groups, _fixed(s), self._programs, self._data, _model(s), 0.0)
        search_many(begin, end, none, as_kernels_take(W), as_kernels_take(starts), *about, out.arrays())

    def squares_left(self, W: np.ndarray) -> np.ndarray:
        """(B,) sums of squares that X leaves of the response by least squares, NaN where it does not determine coefficients."""
        total = np.tensordot(W, self._groups[2], axes=1)
        r = total.shape[1] - 1
        out = np.full(len(W), np.nan)
        for b, each in enumerate(total):
            try:
                out[b] = each[r, r] - each[r, :r] @ np.linalg.solve(each[:r, :r], each[:r, r]) if r else each[0, 0]
            except np.linalg.LinAlgError:
                continue
        return out

    def logdet(self, W: np.ndarray) -> np.ndarray:
        """(B,) log|X'WX|."""
        r = self._groups[2].shape[1] - 1
        return np.linalg.slogdet(np.tensordot(W, self._groups[2][:, :r, :r], axes=1))[1]


def _fixed(searches: Searches) -> tuple:
    return tuple(map(as_kernels_take, searches.fixed))


def _model(searches: Searches) -> tuple:
    return (
        as_kernels_take(searches.moves),
        as_kernels_take(searches.faces),
        bool(searches.reml),
        searches.bounds,
        int(searches.most),
    )


def _programs(roots: GroupRoots, reml: bool, weighted: bool) -> tuple:
    deviance = deviance_program(roots.k, roots.width)
    derivatives = derivatives_program(roots.k, roots.width, roots.width if reml else 1, weighted)
    size = (deviance.registers, derivatives.registers, deviance.sums, derivatives.sums)
    return deviance.code, derivatives.code, roots.lanes, size
