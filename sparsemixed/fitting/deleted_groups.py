"""Which rows are deleted together, by the words of a user: levels of the model, or columns of its data."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pandas as pd

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.errors import DataError, OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call, frame_of, settled
from sparsemixed.postestimation.influence.groups import DeletedGroups, group_names, labels_index, level_of_model, single_rows
from sparsemixed.postestimation.model_comparison import check_same_rows


def deleted_groups(fit: Fit, call: Call | None, by: str | Sequence[str] | None, command: str) -> DeletedGroups:
    """Single rows without `by`; else the level of the model that it names, or the values of columns of the data.

    Raises
    ------
    OptionError
        Nothing is called so.
    DataError
        The data are not known any more, or are no longer what they were; missing values in the column.
    """
    if not fit.design.has_rows:
        fit.design.y  # noqa: B018  says why there are none
    if by is None:
        return single_rows(fit)
    found = level_of_model(fit, by)
    if found is not None:
        return found
    names = group_names(by)
    source = None if call is None else settled(call).data
    if call is None or source is None:
        levels = [":".join(map(str, term.labels.columns)) for term in fit.design.random]
        raise OptionError(
            f"{command}: by={by!r} is no level of the model ({', '.join(levels)}), and the fit does not know its data"
        )
    frame = frame_of(call, command)
    if not isinstance(source, (str, os.PathLike)):
        check_same_rows(fit, frame, command)
    for name in names:
        if name not in frame:
            raise OptionError(f"{command}: by: there is no variable `{name}`{suggestion(name, frame.names)}")
        missing = frame[name].missing
        gone = 0 if missing is None else int(np.sum(missing[fit.design.kept]))
        if gone:
            raise DataError(f"{command}: by: `{name}` is missing in {gone} rows of the sample; give these a value of their own")
    groups = Groups(Rows(frame, fit.design.kept))
    codes, _ = groups.codes(names)
    labels: pd.DataFrame = groups.labels(names)
    return DeletedGroups(codes.astype(np.int64), labels_index(labels), ":".join(names))
