"""The columns that coefficients stand for once constraints tie them, and whether those vary within groups.

Methods that give every coefficient degrees of freedom by its own column need this: under x1 = x2 the model has the one column
x1 + x2, and both coefficients the degrees of freedom of that one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.delayed import csgraph, sp
from sparsemixed.design.checks import changing_rows
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit

VANISHES = 1e-10
"""Share of a column's norm below which what is left within groups is rounding."""


@dataclass(frozen=True)
class TiedColumns:
    """Some coefficients that move together, and the columns of XT that move them.

    Attributes
    ----------
    coefficients : (c,) int64
        Those with a fixed value are in no set.
    columns : (n, r) float64
        r <= c; the column of X itself for a coefficient alone.
    """

    coefficients: np.ndarray
    columns: np.ndarray

    def vary_within(self, codes: np.ndarray, n_groups: int, method: str) -> bool:
        """Whether the columns have different values inside some group.

        Raises
        ------
        OptionError
            When some combinations of them do and others do not, so that no coefficient belongs to either kind.
        """
        if len(self.coefficients) == 1:
            return bool(varies_within(self.columns, codes, n_groups)[0])
        dimension = varying_dimension(self.columns, codes, n_groups)
        if 0 < dimension < self.columns.shape[1]:
            raise OptionError(
                f"dfmethod({method}) has no degrees of freedom for these constraints(): they tie coefficients of columns that "
                "vary within groups to ones of columns that do not; use dfmethod(satterthwaite) or dfmethod(kroger)"
            )
        return dimension > 0


def tied_columns(fit: Fit) -> list[TiedColumns]:
    """The sets of coefficients that move together, in the order of their first members."""
    X, constraints = fit.design.X, fit.design.constraints
    if constraints is None:
        return [TiedColumns(np.array([j]), X[:, j : j + 1]) for j in range(X.shape[1])]
    T = constraints.T
    p, r = T.shape
    rows, columns = np.nonzero(T)
    graph = sp.coo_array((np.ones(len(rows)), (rows, p + columns)), shape=(p + r, p + r))
    label = csgraph.connected_components(graph, directed=False)[1]
    found = []
    for one in dict.fromkeys(label[:p][~constraints.fixed].tolist()):
        members = np.flatnonzero(label[:p] == one)
        found.append(TiedColumns(members, X[:, members] @ T[np.ix_(members, label[p:] == one)]))
    return found


def varies_within(X: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """(p,) bool: whether a column of X (n, p) has different values inside some group.

    Examples
    --------
    >>> varies_within(np.array([[1.0, 5], [1, 6], [2, 7]]), np.array([0, 0, 1]), 2)
    array([False,  True])
    """
    return np.array([changing_rows(column, codes, n_groups).size > 0 for column in X.T], dtype=bool)


def varying_dimension(columns: np.ndarray, codes: np.ndarray, n_groups: int) -> int:
    """Rank of columns (n, r), computed with rounding errors, once the groups' means are taken off.

    Examples
    --------
    >>> x = np.array([0.1, 0.2, 0.3, 0.7])
    >>> varying_dimension(np.column_stack([x, 1 - x]), np.zeros(4, int), 1)
    1
    >>> varying_dimension(np.column_stack([x + (1 - x)]), np.zeros(4, int), 1)
    0
    """
    scaled = columns / np.linalg.norm(columns, axis=0)
    counts = np.bincount(codes, minlength=n_groups)
    means = np.column_stack([np.bincount(codes, column, n_groups) / np.maximum(counts, 1) for column in scaled.T])
    values = np.linalg.svd(np.linalg.qr(scaled - means[codes], mode="r"), compute_uv=False)
    return int(np.sum(values > VANISHES))
