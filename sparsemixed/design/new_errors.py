"""The residual part of other rows than those fitted: their groups, times, and levels of by()."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.new_rows import Named, matched_groups
from sparsemixed.design.residual import error_grouping, level_label
from sparsemixed.design.values import ResidualPart
from sparsemixed.errors import DataError, NotAvailableError
from sparsemixed.spec import ModelSpec
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES


class NewErrors(NamedTuple):
    """codes (m,) of the groups within which errors are correlated; t (m,) or (m, 2) as in `ResidualPart`."""

    codes: np.ndarray
    t: np.ndarray


def new_errors(part: ResidualPart, spec: ModelSpec, rows: Rows, groups: Groups) -> NewErrors:
    """Groups and times of m rows without missing values.

    Raises
    ------
    DataError
        A level of by(), or a time of a structure whose times are levels, that the sample did not have.
    """
    asked, structure = spec.residual, part.structure
    codes, _ = groups.codes(error_grouping(spec))
    by = None
    if asked.by is not None:
        own, values = rows.distinct(asked.by)
        labels = rows.frame.value_labels.get(asked.by, {})
        texts = [str(labels.get(value, level_label(value))) for value in values]
        by = _places(f"by({asked.by})", texts, structure.by_labels)[own]
    if structure.independent_rows and by is not None:
        return NewErrors(codes, by.astype(float))
    t = np.zeros(rows.n)
    family = RESIDUAL_STRUCTURES[asked.name]
    if asked.t is not None and family.needs_time():
        if part.levels is None:
            t = rows.differences(asked.t)
        else:
            own, place = np.unique(rows.numbers(asked.t), return_inverse=True)
            t = _places(f"t({asked.t})", [level_label(value) for value in own], part.levels)[place].astype(float)
    return NewErrors(codes, t if by is None else np.column_stack([t, by]))


def known_error_groups(part: ResidualPart, rows: Rows) -> np.ndarray:
    """(m,) the group of errors of the sample that each row is in; `new_rows.NEW`, `new_rows.MISSING` where there is none.

    Raises
    ------
    NotAvailableError
        The fit was saved by a version that did not keep the names of these groups.
    """
    if part.labels is None:
        raise NotAvailableError("this fit was saved by an earlier version, without the names of its groups of errors; fit again")
    labels = part.labels
    named = [Named(*rows.distinct(str(name)), labels[name].tolist(), str(name)) for name in labels.columns]
    return matched_groups(named, rows.n)


def _places(what: str, texts: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """(len(texts),) the position of each among those of the sample."""
    unseen = [text for text in texts if text not in known]
    if unseen:
        shown = ", ".join(unseen[:5]) + (", ..." if len(unseen) > 5 else "")
        raise DataError(f"{what} has values that were not in the sample fitted, and no covariance of errors: {shown}")
    return np.array([known.index(text) for text in texts], dtype=np.int64)
