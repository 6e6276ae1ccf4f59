"""Repeated-measures degrees of freedom: between and within subjects (Schluchter & Elashoff 1990)."""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.method import PerCoefficient
from sparsemixed.inference.degrees.tied_columns import tied_columns


class Repeated(PerCoefficient):
    """Coefficients of columns that vary inside a subject get N - M - p_w, the others M - p_b.

    N rows, M subjects, p_w columns that vary within, p_b that do not, the constant among them.
    """

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) within or between subjects."""
        codes, subjects = _subjects(fit)
        parts = tied_columns(fit)
        within = [part.vary_within(codes, subjects, "repeated") for part in parts]
        p_w = sum(part.columns.shape[1] for part, varies in zip(parts, within, strict=True) if varies)
        p_b = fit.design.rank - p_w
        df = np.full(len(fit.beta), np.nan)
        for part, varies in zip(parts, within, strict=True):
            df[part.coefficients] = len(codes) - subjects - p_w if varies else subjects - p_b
        return df


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
