"""The residual part of other rows than those fitted: their groups, times, and levels of by()."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.residual import level_label
from sparsemixed.design.values import ResidualPart
from sparsemixed.errors import DataError
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
    codes, _ = groups.codes(spec.random[-1].grouping if asked.group is None else asked.group)
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


def _places(what: str, texts: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """(len(texts),) the position of each among those of the sample."""
    unseen = [text for text in texts if text not in known]
    if unseen:
        shown = ", ".join(unseen[:5]) + (", ..." if len(unseen) > 5 else "")
        raise DataError(f"{what} has values that were not in the sample fitted, and no covariance of errors: {shown}")
    return np.array([known.index(text) for text in texts], dtype=np.int64)
