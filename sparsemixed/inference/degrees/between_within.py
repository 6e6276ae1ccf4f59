"""Between-within degrees of freedom for any number of nested levels (Pinheiro & Bates 2000, section 2.4.2)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.method import PerCoefficient
from sparsemixed.inference.degrees.tied_columns import TiedColumns, tied_columns, varies_within


class BetweenWithin(PerCoefficient):
    """Each column counts at the level inside which it varies; level i has m_i - (m_(i-1) + p_i) degrees of freedom.

    m_i groups at level i from the top, m_0 = 1 with a constant and 0 without, m_(Q+1) = n; p_i columns that are constant
    within the groups of level i and vary within those of level i - 1. The constant counts at the observations' level,
    as in R's nlme.
    """

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(p,) by the level of each column."""
        n, terms = len(fit.design.y), _nested(fit)
        # The whole sample goes before the levels: what does not vary within it is the constant.
        groups = [(np.zeros(n, np.int64), 1), *terms]
        parts = tied_columns(fit)
        place = [_place(part, groups) for part in parts]
        sizes = [m for _, m in terms] + [n]
        before = [int(0 in place), *sizes[:-1]]
        counts = [sum(q.columns.shape[1] for q, i in zip(parts, place, strict=True) if i == k) for k in range(1, len(sizes) + 1)]
        by_level = [m - (above + p) for m, above, p in zip(sizes, before, counts, strict=True)]
        df = np.full(len(fit.beta), np.nan)
        for part, i in zip(parts, place, strict=True):
            df[part.coefficients] = by_level[i - 1]  # the constant's 0 is the last level
        return df


def _place(part: TiedColumns, groups: list[tuple[np.ndarray, int]]) -> int:
    """The first of the groups, from the top, within which the columns do not vary; their number if they always do."""
    varies = (part.vary_within(codes, m, "betwithin") for codes, m in groups)
    return next((place for place, within in enumerate(varies) if not within), len(groups))


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
