"""Linear constraints on the fixed effects: C beta = d, and what they leave, beta = T gamma + a ([P] makecns).

Every equation becomes a row over the columns; coefficients held at zero (base, empty, omitted) take their terms with them.
Rows are eliminated in the order typed (see `design.fixed.elimination`), which tells the implied from the contradictory ones, and
ends in a reduced form that shows the null space: each coefficient that is not a pivot is free, the pivots follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.design.fixed.coefficient_names import CoefficientNames, equation_text
from sparsemixed.design.fixed.elimination import Elimination
from sparsemixed.design.values import Column, Constraints
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.linear_form import Constraint
from sparsemixed.spec import ModelSpec


@dataclass(frozen=True)
class _Row:
    """One equation: weights (columns,) on all columns, (p,) on the estimated ones, the right-hand side, and its origin."""

    every: np.ndarray
    free: np.ndarray
    value: float
    origin: Constraint
    label: str


def constraints_part(spec: ModelSpec, columns: tuple[Column, ...]) -> tuple[Constraints | None, tuple[str, ...]]:
    """The constraints of a model on its estimated columns, and notes about those that were dropped.

    Parameters
    ----------
    spec : ModelSpec
    columns : tuple of Column
        Of the fixed part; p of them estimated.

    Returns
    -------
    constraints : Constraints or None
        None when none are left.
    notes : tuple of str

    Raises
    ------
    CommandError
        A name that is no coefficient.
    OptionError
        Constraints that contradict one another, or demand a value of coefficients that are held at zero.
    """
    if not spec.constraints:
        return None, ()
    elimination, kept, notes = Elimination(), [], []
    for row in _rows(spec, columns):
        who = f"constraint {row.origin.number}" + (f" ({row.label})" if len(row.origin.forms) > 1 else "")
        if not row.free.any():
            if row.value != 0:
                raise OptionError(f"{who} cannot hold: it comes down to 0 = {row.value:g}{_held(columns, row.every)}")
            notes.append(f"note: {who} holds without being imposed{_held(columns, row.every)}; dropped.")
            continue
        found = elimination.add(row.free, row.value, row.origin.number)
        if found.independent:
            kept.append(row)
        elif found.consistent:
            notes.append(f"note: {who} is implied by the others; dropped.")
        else:
            raise OptionError(_contradiction(found.involved))
    if not kept:
        return None, tuple(notes)
    T, a = null_space(*elimination.reduced())
    C = np.array([row.free for row in kept])
    d = np.array([row.value for row in kept])
    return Constraints(C, d, T, a, tuple(row.label for row in kept)), tuple(notes)


def _contradiction(numbers: Sequence[int]) -> str:
    """What is wrong with constraints that no coefficients satisfy, by their numbers."""
    if len(numbers) == 1:
        return f"constraint {numbers[0]} contradicts itself: no coefficients satisfy it"
    names = f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
    return f"constraints {names} contradict each other: no coefficients satisfy them all"


def _rows(spec: ModelSpec, columns: tuple[Column, ...]) -> Iterator[_Row]:
    """Every equation as a row, constants on the right."""
    names = CoefficientNames(columns, spec)
    estimated = [i for i, column in enumerate(columns) if column.status == "estimated"]
    for origin in spec.constraints:
        for form in origin.forms:
            every = np.zeros(len(columns))
            for name, weight in form.weights.items():
                try:
                    every[names.index(name, origin.text, form.positions.get(name))] += weight
                except CommandError as error:
                    raise CommandError(f"constraint {origin.number}: {error.message}", error.text, error.position) from None
            value = 0.0 - form.constant
            label = equation_text([column.name for column in columns], spec.response, every, value)
            yield _Row(every, every[estimated], value, origin, label)


def _held(columns: tuple[Column, ...], row: np.ndarray) -> str:
    """Why nothing is left of a row: the coefficients in it that are zero anyway."""
    zeros = [column.name for column, weight in zip(columns, row, strict=True) if weight != 0]
    return f", because {', '.join(zeros)} {'is' if len(zeros) == 1 else 'are'} zero in this model" if zeros else ""


def null_space(reduced: np.ndarray, value: np.ndarray, pivots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """T and a of constraints in reduced form.

    Parameters
    ----------
    reduced : (m, p) float64
        The identity in the columns `pivots`.
    value : (m,) float64
    pivots : (m,) int64

    Returns
    -------
    T : (p, p - m) float64
        Orthonormal, exact zeros wherever a coefficient does not take part; zero rows for coefficients with a fixed value.
    a : (p,) float64
        The shortest solution.

    Examples
    --------
    >>> T, a = null_space(np.array([[0.0, 1.0, 1.0]]), np.array([1.0]), np.array([2]))
    >>> T.round(4) + 0.0
    array([[ 1.    ,  0.    ],
           [ 0.    ,  0.7071],
           [ 0.    , -0.7071]])
    >>> a
    array([0. , 0.5, 0.5])
    """
    p = reduced.shape[1]
    free = np.setdiff1d(np.arange(p), pivots)
    T, a = np.zeros((p, len(free))), np.zeros(p)
    T[free, np.arange(len(free))] = 1.0
    T[pivots] = -reduced[:, free]
    a[pivots] = value
    # Gram-Schmidt, twice: unlike Householder's method it keeps the zeros, so that coefficients on scales far apart do not
    # mix by rounding. The elimination has kept the entries of T of order one, which makes two passes enough.
    tied = np.flatnonzero(reduced[:, free].any(axis=0))
    for place, j in enumerate(tied):
        before = T[:, tied[:place]]
        for _ in range(2):
            T[:, j] -= before @ (before.T @ T[:, j])
        T[:, j] /= np.linalg.norm(T[:, j])
    for _ in range(2):
        a -= T[:, tied] @ (T[:, tied].T @ a)
    return T, a
