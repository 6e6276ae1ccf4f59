"""Repeated-measures degrees of freedom: between and within subjects (Schluchter & Elashoff 1990)."""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees import PerCoefficient


class Repeated(PerCoefficient):
    """Coefficients of columns that vary inside a subject get N - M - p_w, the others M - p_b.

    N rows, M subjects, p_w columns that vary within, p_b that do not, the constant among them.
    """

    title = "Repeated"

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) within or between subjects."""
        codes, subjects = _subjects(fit)
        within = varies_within(fit.design.X, codes, subjects)
        between = float(subjects - np.sum(~within))
        return np.where(within, float(len(codes) - subjects - np.sum(within)), between)


def _subjects(fit: Fit) -> tuple[np.ndarray, int]:
    """Codes and number of the groups of the only level."""
    levels = {equation.grouping for equation in fit.spec.random}
    factors = any(equation.factor is not None for equation in fit.spec.random)
    if len(levels) != 1 or factors or levels == {()}:
        raise OptionError(
            "dfmethod(repeated) is for two-level models, which have exactly one level of groups; "
            "use dfmethod(satterthwaite) or dfmethod(kroger)"
        )
    if fit.design.random:
        term = fit.design.random[0]
        return term.codes, term.n_groups
    if fit.design.residual is None:
        raise OptionError("dfmethod(repeated) needs random effects or a residual structure whose groups are the subjects")
    return fit.design.residual.codes, fit.design.residual.n_groups


def varies_within(X: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """(p,) bool: whether a column of X (n, p) has different values inside some group.

    Examples
    --------
    >>> varies_within(np.array([[1.0, 5], [1, 6], [2, 7]]), np.array([0, 0, 1]), 2)
    array([False,  True])
    """
    first = np.full(n_groups, -1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return np.array([bool(np.any(column != column[first[codes]])) for column in X.T], dtype=bool)
