"""From a specification and data to a design."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.design.effects import random_part
from sparsemixed.design.fixed import fixed_part
from sparsemixed.design.fixed import rows_of_X as fixed_rows
from sparsemixed.design.frame import Frame, read_frame
from sparsemixed.design.grouping import Groups
from sparsemixed.design.residual import residual_part
from sparsemixed.design.rows import Rows
from sparsemixed.design.sample import check_known, response_values, sample_rows, used_variables
from sparsemixed.design.values import Design
from sparsemixed.spec import ModelSpec


def build_design(spec: ModelSpec, data: Any) -> Design:
    """Turn data into the arrays of a model.

    Parameters
    ----------
    spec : ModelSpec
    data : anything that `read_frame` takes; never modified

    Returns
    -------
    Design

    Raises
    ------
    CommandError
        What the model names is not in the data.
    DataError
        The data cannot be modelled: types, missing or infinite values, no observations, a constant response.
    """
    frame = read_frame(data)
    rows = Rows(frame, sample_rows(spec, frame))
    y = response_values(spec, rows)
    fixed = fixed_part(spec, rows)
    groups = Groups(rows)
    random = random_part(spec, rows, groups)
    residual, residual_notes = residual_part(spec, rows, groups, frame.value_labels)
    return Design(
        y=y,
        X=fixed.X,
        columns=fixed.columns,
        random=random.terms,
        groups=groups.table(spec.random),
        kept=rows.kept,
        notes=fixed.notes + random.notes + residual_notes,
        value_labels={name: frame.value_labels[name] for name in used_variables(spec) if name in frame.value_labels},
        levels=random.levels | fixed.levels,
        residual=residual,
    )


def rows_of_X(design: Design, spec: ModelSpec, data: Any) -> np.ndarray:
    """The fixed part's columns for new data.

    Parameters
    ----------
    design, spec : Design, ModelSpec
        Of the model fitted.
    data : anything that `read_frame` takes
        m rows with the variables of the fixed part; the response is not needed.

    Returns
    -------
    X : (m, p) float64, C-contiguous
        Columns as in `design.X`; NaN in rows where a variable is missing.

    Raises
    ------
    CommandError
        A variable is not in the data.
    DataError
        A categorical variable has a level that the sample had not.
    """
    frame: Frame = read_frame(data)
    names = dict.fromkeys(factor.variable for term in spec.fixed for factor in term.factors)
    check_known(frame, tuple(names), spec)
    return fixed_rows(design.columns, design.levels, spec, Rows(frame, np.arange(frame.n_rows)))
