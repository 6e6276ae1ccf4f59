"""Between-within degrees of freedom for any number of nested levels (Pinheiro & Bates 2000, section 2.4.2)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees import PerCoefficient
from sparsemixed.inference.repeated_dof import varies_within


class BetweenWithin(PerCoefficient):
    """Each column counts at the level inside which it varies; level i has m_i - (m_(i-1) + p_i) degrees of freedom.

    m_i groups at level i from the top, m_0 = 1 with a constant and 0 without, m_(Q+1) = n; p_i columns that are constant
    within the groups of level i and vary within those of level i - 1. The constant counts at the observations' level,
    as in R's nlme.
    """

    title = "Between-within"

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) by the level of each column."""
        X, terms = fit.design.X, _nested(fit)
        constant = np.all(X[:1] == X, axis=0)
        level = np.full(X.shape[1], len(terms))
        for place, (codes, groups) in reversed(list(enumerate(terms))):
            level[~varies_within(X, codes, groups) & ~constant] = place
        sizes = [groups for _, groups in terms] + [X.shape[0]]
        before = [int(constant.any()), *sizes[:-1]]
        counts = [int(np.sum((level == i) & ~constant)) for i in range(len(sizes))]
        df = np.array([m - (above + p) for m, above, p in zip(sizes, before, counts, strict=True)], dtype=float)
        return df[level]


def _nested(fit: Fit) -> list[tuple[np.ndarray, int]]:
    """Codes and number of groups of each level from the top, each nested in the one before."""
    found = {term.n_groups: term.codes for term in fit.design.random}
    if fit.design.residual is not None:
        found.setdefault(fit.design.residual.n_groups, fit.design.residual.codes)
    levels = [(found[groups], groups) for groups in sorted(found)]
    for (upper, _), (lower, groups) in pairwise(levels):
        if varies_within(upper[:, None], lower, groups)[0]:
            raise OptionError(
                "dfmethod(betwithin) needs nested levels of groups; use dfmethod(satterthwaite) or dfmethod(kroger)"
            )
    return levels
