"""From a specification and data to a design."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.design.clusters import clusters
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.deferred import deferred
from sparsemixed.design.fixed.columns import FixedPart, fixed_part
from sparsemixed.design.fixed.columns import rows_of_X as fixed_rows
from sparsemixed.design.fixed.constraints import constraints_part
from sparsemixed.design.group_table import group_table
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.names.computed_notes import check_coded_levels, computed_notes
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.plain_columns import plain_design, remember
from sparsemixed.design.random_terms import random_part
from sparsemixed.design.residual import residual_part
from sparsemixed.design.sample import check_known, check_units, offset_values, response_values, sample_rows, used_variables
from sparsemixed.design.values import Design, Weights
from sparsemixed.design.weights.weights import path_weights, term_weights
from sparsemixed.spec import ModelSpec


def build_design(spec: ModelSpec, data: Any) -> Design:
    """Turn data into the arrays of a model.

    Parameters
    ----------
    spec : ModelSpec, concrete (see `concrete_spec`, `learned_spec`)
    data : anything that `read_frame` takes; never modified

    Raises
    ------
    CommandError
        What the model names is not in the data, or a constraint names no coefficient.
    OptionError
        Constraints that cannot hold; weights or residual structures that the groups do not allow.
    DataError
        Wrong types, infinite values, no observations, a constant response, values that no weight may have.
    """
    frame = model_frame(spec, data)
    found = plain_design(spec, frame)
    if found is None:
        found = _whole_design(spec, frame)
        remember(spec, frame, found)
    return found


def _whole_design(spec: ModelSpec, frame: Frame) -> Design:
    rows = Rows(frame, sample_rows(spec, frame))
    y, fixed, groups = response_values(spec, rows), fixed_part(spec, rows), Groups(rows)
    constraints, constraint_notes = constraints_part(spec, fixed.columns)
    paths, random = path_weights(spec, rows, groups), random_part(spec, rows, groups)
    weights = None if paths is None else term_weights(paths, spec, random.terms)
    errors, error_notes = residual_part(spec, rows, groups, frame.value_labels)
    levels, used = random.levels | fixed.levels, used_variables(spec)
    return _with_columns(
        fixed,
        y=y,
        columns=fixed.columns,
        random=random.terms,
        groups=group_table(spec.random, groups, paths),
        kept=rows.kept,
        notes=(*fixed.notes, *constraint_notes, *random.notes, *error_notes, *_data_notes(spec, rows, levels)),
        value_labels={name: frame.value_labels[name] for name in used if name in frame.value_labels},
        levels=levels,
        residual=errors,
        clusters=clusters(spec, rows, groups, paths),
        constraints=constraints,
        weights=weights,
        counts=_level_counts(fixed.levels, rows, weights),
        combinations=fixed.combinations,
        index=rows.index,
        offset=offset_values(spec, rows),
        units={name: frame[name].unit for name in used if frame[name].unit},
    )


def _with_columns(fixed: FixedPart, **others: Any) -> Design:
    """The design with the fixed part's columns; sparse ones become X when that is first read."""
    sparse = fixed.sparse
    if sparse is None:
        return Design(X=fixed.X, **others)  # type: ignore[arg-type]
    return deferred(Design, {("X",): lambda: {"X": sparse.toarray()}}, sparse=sparse, **others)


def _data_notes(spec: ModelSpec, rows: Rows, levels: dict) -> tuple[str, ...]:
    """That an ordered factor in a formula has no polynomial contrasts, which those who come from R would expect; and where a
    function has no value.
    """
    names = [name for name in levels if spec.full_coding and rows.frame[name].ordered]
    ordered = tuple(
        f"note: {name} is an ordered factor; its levels are compared with the base level (treatment contrasts), no polynomials."
        for name in names
    )
    return (*ordered, *computed_notes(spec, rows.frame))


def _level_counts(levels: dict, rows: Rows, weights: Weights | None) -> dict[str, np.ndarray]:
    """Observations (k,) of the k levels of every factor; frequency weights stand for observations, others do not."""
    copies = weights.rows if weights is not None and weights.kind == "frequency" else None
    codes = {name: rows.codes(name, own) for name, own in levels.items()}
    return {name: np.bincount(own, copies, len(levels[name])).astype(float) for name, own in codes.items()}


def rows_of_X(design: Design, spec: ModelSpec, data: Any) -> np.ndarray:
    """The fixed part's columns for new data.

    Parameters
    ----------
    design, spec : Design, ModelSpec
        Of the model fitted.
    data : anything that `read_frame` takes
        m rows with the variables of the fixed part, and those of tsset() if it has time-series operators; the response is
        not needed.

    Returns
    -------
    X : (m, p) float64, C-contiguous
        Columns as in `design.X`; NaN in rows where a variable is missing.

    Raises
    ------
    CommandError
        A variable is not in the data.
    DataError
        A categorical variable has a level that the sample had not; dates do not count what they counted in the sample.
    """
    frame = model_frame(spec, data)
    names = dict.fromkeys(factor.variable for term in spec.fixed for factor in term.factors)
    check_known(frame, tuple(names), spec)
    check_units(frame, tuple(names), design.units)
    rows = Rows(frame, np.arange(frame.n_rows))
    check_coded_levels(spec, names, rows)
    return fixed_rows(design.columns, design.levels, spec, rows)
