"""Groups that the sample did not have: which they are, and effects drawn for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.new_rows import NEW
from sparsemixed.design.values import RandomTerm
from sparsemixed.errors import DataError, NotAvailableError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.postestimation.random_effects import term_name


def group_variables(term: RandomTerm) -> list[str]:
    """The variables that name the groups of a term, with the factor whose levels are its effects."""
    return [*map(str, term.labels.columns), *([str(term.blocks[0].factor)] if term.members is not None else [])]


def refuse_new_groups(term: RandomTerm, rows: Rows, codes: np.ndarray) -> None:
    """Raise a DataError that names the groups of a term that the sample did not have; codes (m,) as in `new_rows`."""
    new = np.flatnonzero(codes == NEW)
    if not new.size:
        return
    keys = [[values[code] for code in own[new]] for own, values in map(rows.distinct, group_variables(term))]
    distinct = list(dict.fromkeys(" ".join(map(_text, key)) for key in zip(*keys, strict=True)))
    belong = "1 row belongs to a group" if len(new) == 1 else f"{len(new)} rows belong to groups"
    raise DataError(
        f"{belong} of {term_name(term)} that the sample did not have: {', '.join(distinct[:5])}"
        f'{", ..." if len(distinct) > 5 else ""}; new_levels="population" predicts without an effect of such groups'
    )


def _text(value: Any) -> str:
    """The value of one variable in a message: 2, not 2.0."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def numbered(term: RandomTerm, rows: Rows, codes: np.ndarray) -> tuple[np.ndarray, int]:
    """(m,) numbers of the groups that are new to a term, from 0, -1 in other rows; and how many there are."""
    here = np.flatnonzero(codes == NEW)
    out = np.full(rows.n, -1, np.int64)
    if not here.size:
        return out, 0
    refuse_members(term)
    own, count = Groups(Rows(rows.frame, rows.kept[here])).codes(tuple(map(str, term.labels.columns)))
    out[here] = own
    return out, count


def refuse_members(term: RandomTerm) -> None:
    """Raise where the effects of a group are correlated with those of levels that it may have besides."""
    if term.members is not None:
        raise NotAvailableError(
            f"{term_name(term)} has effects that are correlated with one another, covariance(exchangeable): those of levels that "
            "the sample did not have are not available with their uncertainty"
        )


def drawn_effects(fit: Fit, t: int, rows: Rows, codes: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(m,) what effects drawn from N(0, G), one draw for each group, add to the rows of groups that are new to a term."""
    term, G = fit.design.random[t], term_covariances(fit)[t]
    own, count = numbered(term, rows, codes)
    values, vectors = np.linalg.eigh(G)
    draws = rng.standard_normal((count, term.k)) @ (vectors * np.sqrt(np.clip(values, 0.0, None))).T
    return np.where(own >= 0, np.einsum("mk,mk->m", columns, draws[own]) if count else 0.0, 0.0)
