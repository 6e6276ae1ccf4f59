"""The start and the search of one data set of few independent groups, in compiled calls: arrays in, arrays out."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from sparsemixed.solver.groups.programs import derivatives_program, deviance_program
from sparsemixed.solver.groups.roots import GroupRoots

MOST_PLACES = 24
"""Places after which the search is no plain one."""


class Sizes(Protocol):
    """How many groups there are, their effects, the columns of [X y], and how many groups are worked on together."""

    @property
    def n_groups(self) -> int:
        """J"""
        ...

    @property
    def k(self) -> int:
        """Effects of a group."""
        ...

    @property
    def width(self) -> int:
        """P"""
        ...

    @property
    def lanes(self) -> int:
        """Groups side by side."""
        ...


class Descent(NamedTuple):
    """Where a search ended, and its way.

    Attributes
    ----------
    why : int
        `kernels_newton.NR_TOLERANCE` or `CHANGES`; any other where the search has not converged.
    iterations : int
    pwrss : float
        At the end.
    path, profiled, numbers : arrays
        As of `kernels_newton.advance`; their entries from 0 to `iterations` are filled.
    hessian, slopes, beta, inverse : arrays
        Of `kernels_newton.curvature` and `profile`, at the end.
    """

    why: int
    iterations: int
    pwrss: float
    path: np.ndarray
    profiled: np.ndarray
    numbers: np.ndarray
    hessian: np.ndarray
    slopes: np.ndarray
    beta: np.ndarray
    inverse: np.ndarray


class Model(NamedTuple):
    """What a search is told of the model.

    Attributes
    ----------
    moves : (n, k, k)
        Derivatives of lambda.
    faces : (f, n)
        Forms in theta on whose zeros a covariance is singular.
    reml : bool
    bounds : (3,)
        nrtolerance, negative for none; tolerance and ltolerance.
    df : float
    iterate : int
        Most iterations.
    """

    moves: np.ndarray
    faces: np.ndarray
    reml: bool
    bounds: np.ndarray
    df: float
    iterate: int


def descend(start: np.ndarray, data: np.ndarray, roots: Sizes, rest: np.ndarray, model: Model) -> Descent:
    """Newton's method from `start` (n,).

    Parameters
    ----------
    data, rest : arrays
        `roots.data` and what random effects do not reach of [X y]'[X y], or those of another response on the same design.
    roots : GroupRoots or the sizes of some
        Without weights.
    """
    from sparsemixed.solver.groups.kernels_first import first_descent  # delayed: a process with few fits needs none of it

    programs = _programs(roots.k, roots.width, roots.width if model.reml else 1, roots.lanes)
    return Descent(*first_descent(start, data, _once_each(roots.n_groups), programs, rest, *model, MOST_PLACES))


def started(data: np.ndarray, roots: Sizes, rest: np.ndarray, *about) -> np.ndarray | None:
    """The covariance (k, k) over sigma2 to start from; None where a bound is met.

    Parameters
    ----------
    data, roots, rest
        As of `descend`.
    *about
        prior to smallest of `kernels_start.moment_start`.
    """
    from sparsemixed.solver.groups.kernels_first import first_start  # delayed, as above

    programs, covariance = _programs(roots.k, roots.width, max(roots.width - 1, 1), roots.lanes), np.empty((roots.k, roots.k))
    return covariance if first_start(data, _once_each(roots.n_groups), programs, rest, *about, covariance) else None


class OtherResponses:
    """What another response changes of the data of a search.

    Parameters
    ----------
    roots, rest
        Of a response on the same design.
    rows : tuple of arrays
        Q (n, r), codes (n,) and columns (n, k).
    """

    def __init__(self, roots: GroupRoots, rest: np.ndarray, rows: tuple[np.ndarray, np.ndarray, np.ndarray]):
        Q, codes, columns = rows
        self._rows, self._data, self._lanes = (
            (as_kernels_take(Q), as_kernels_take(codes, np.int32), as_kernels_take(columns)),
            roots.data,
            roots.lanes,
        )
        self._own = as_kernels_take(roots.rooted()[1]), as_kernels_take(rest[:-1, :-1])

    def put(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
        """`data` and `rest` of y (n,), its coefficients (r,) on Q, the squares that Q leaves of it, and all of them."""
        from sparsemixed.solver.groups.kernels_first import first_response  # delayed, as above

        r = self._rows[0].shape[1]
        data, rest, fitted = self._data.copy(), np.empty((r + 1, r + 1)), np.empty(r)
        return data, rest, fitted, *first_response(y, self._rows, self._own, self._lanes, data, rest, fitted)


def as_kernels_take(array: np.ndarray, kind: type = np.float64) -> np.ndarray:
    """The array in order and writable: one that is not would be another type, and have the searches compiled once more."""
    return array if array.flags.carray and array.dtype == kind else np.require(array, kind, ["C", "W"])


@lru_cache(maxsize=16)
def _once_each(n_groups: int) -> np.ndarray:
    """Weights of groups that stand for themselves; not to be changed."""
    return np.ones(n_groups)


@cache
def _programs(k: int, width: int, columns: int, lanes: int) -> tuple:
    """Both programs, and the room that they take; of the latter `columns` are those with which C_i is made."""
    deviance, derivatives = deviance_program(k, width), derivatives_program(k, width, columns, False)
    return deviance.code, derivatives.code, lanes, (deviance.registers, derivatives.registers, deviance.sums, derivatives.sums)
