"""Designs of data that come in batches of rows: what the batches must agree on is found in a first pass, rows in a second.

First pass: of every batch the rows are kept that show a group or a cell of categorical variables for the first time, and some
more. This *skeleton* is small, and the design of the skeleton has all groups, levels and columns of the whole. Second pass:
every batch's rows in the terms of that design.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.computed.contrasts import is_contrast
from sparsemixed.design.data.codes import combine_all, first_rows
from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.columns import rows_of_X
from sparsemixed.design.names.learned import (
    check_functions,
    learned_contrasts,
    learned_numbers,
    with_plain_factors,
)
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.new_rows import new_rows
from sparsemixed.design.row_data import without_rows
from sparsemixed.design.sample import adjusted_response, check_known, sample_rows, used_variables
from sparsemixed.design.values import Design, GroupRow, SampleSize
from sparsemixed.errors import DataError, NoObservationsError, OptionError
from sparsemixed.solver.crossproducts.crossproducts import TermData
from sparsemixed.spec import ModelSpec
from sparsemixed.spec.computed import source_names

SAMPLED = 2000
"""Rows of each batch that the skeleton has in any case, for the check of collinearity."""
MOST_CELLS = 100_000
"""Rows of a skeleton above which several batches' are thinned out before they are joined."""
SPREAD = 200
"""Rows of each batch that the skeleton has for every computed column, evenly over its values: a spline is zero elsewhere."""


@dataclass(frozen=True)
class BatchRows:
    """One batch in the terms of the design: y (m,), X (m, p), and one TermData per random term."""

    y: np.ndarray
    X: np.ndarray
    terms: tuple[TermData, ...]


def check_batches(spec: ModelSpec, head: Frame) -> None:
    """Refuse what needs all rows at once, and variables that the batches do not have.

    Parameters
    ----------
    head : Frame
        With the columns of the batches and no rows.

    Raises
    ------
    OptionError, CommandError
    """
    condition = spec.sample.condition
    asked = {
        "residuals()": not spec.residual.one_variance,
        "weights": spec.weights is not None,
        f"vce({spec.vce.name})": not spec.vce.method.model_based,
        "tsset() and time-series operators": spec.tsset is not None,
        "in": spec.sample.first is not None or spec.sample.last is not None,
        "a condition with _n, _N or x[row]": condition is not None and condition.looks_at_rows,
        "a model without random effects": not spec.random,
    }
    refused = next((name for name, there in asked.items() if there), None)
    if refused:
        raise OptionError(f"{refused} needs all rows at once, and these data come in batches; read them into memory first")
    check_known(head, used_columns(spec), spec)
    check_functions(spec, head)


def used_columns(spec: ModelSpec) -> list[str]:
    """Columns of the data that the model and its condition need."""
    condition = spec.sample.condition
    names = [*used_variables(spec), *(sorted(condition.variables) if condition is not None else ())]
    return list(source_names(names, spec.computed))


def learned_from_batches(spec: ModelSpec, batches: Callable[[list[str]], Iterable[Any]]) -> ModelSpec:
    """As `learned_spec`, from data in batches: what a function is computed from is held in memory while it is learned.

    Parameters
    ----------
    spec : ModelSpec, concrete
    batches : callable
        From the names of columns to a pass over these.
    """
    if not spec.computed:
        return spec
    numbers = [one for one in spec.computed if not is_contrast(one)]
    names = list(source_names((one.text for one in numbers), numbers))
    if names:
        parts = [pd.DataFrame({name: frame.series(name) for name in names}) for frame in map(read_frame, batches(names))]
        sources = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)
        spec = learned_numbers(spec, read_frame(sources), check=False)
    if len(numbers) == len(spec.computed):
        return spec
    plain = with_plain_factors(spec)
    return learned_contrasts(spec, joined(plain, [skeleton(plain, batch) for batch in batches(used_columns(plain))]))


def skeleton(spec: ModelSpec, batch: Any) -> pd.DataFrame | None:
    """The rows of a batch that the design needs to see; None when it has no rows that are used."""
    frame = model_frame(spec, batch)
    try:
        kept = sample_rows(spec, frame)
    except NoObservationsError:
        return None
    rows = Rows(frame, kept)
    wanted = [np.arange(min(SAMPLED, rows.n))]
    for variables in _sets(spec, rows):
        codes = combine_all([rows.distinct(name)[0] for name in variables], rows.n)
        wanted.append(first_rows(codes, int(codes.max()) + 1))
    wanted += [_spread(rows.numbers(name)) for name in _numbers_computed(spec)]
    picked = kept[np.unique(np.concatenate(wanted))]
    columns = {name: frame.series(name).iloc[picked].reset_index(drop=True) for name in used_columns(spec)}
    return pd.DataFrame(columns)


def _numbers_computed(spec: ModelSpec) -> list[str]:
    """Columns that functions of numbers make."""
    used = set(used_variables(spec))
    return [name for one in spec.computed if not is_contrast(one) for name in one.columns if name in used]


def _spread(values: np.ndarray) -> np.ndarray:
    """Positions of values evenly from the smallest to the largest, by rank."""
    order = np.argsort(values, kind="stable")
    return order[np.unique(np.linspace(0, len(order) - 1, min(SPREAD, len(order))).astype(np.int64))]


def _sets(spec: ModelSpec, rows: Rows) -> set[tuple[str, ...]]:
    """Sets of variables whose combinations are groups or cells."""
    sets = {equation.grouping for equation in spec.random if equation.grouping}
    sets |= {(*equation.grouping, equation.factor) for equation in spec.random if equation.factor}
    terms = [*spec.fixed, *(term for equation in spec.random for term in equation.terms)]
    coded = {name: one.sources[0] for one in spec.computed if is_contrast(one) for name in one.columns}
    for term in terms:
        categorical = [f.variable for f in term.factors if f.kind == "categorical" or f.variable in coded or _by_type(f, rows)]
        names = tuple(dict.fromkeys(coded.get(name, name) for name in categorical))
        if names:
            sets.add(names)
    return sets


def _by_type(factor, rows: Rows) -> bool:
    return factor.kind == "by_type" and rows.frame[factor.variable].has_names


def joined(spec: ModelSpec, parts: Sequence[pd.DataFrame | None]) -> pd.DataFrame:
    """One skeleton of several; rows that show nothing new are dropped.

    Raises
    ------
    DataError
        No batch has rows that are used; a column holds numbers in one batch and texts in another.
    """
    found = [part for part in parts if part is not None]
    if not found:
        raise DataError("no observations: no batch has rows that the model can use")
    for name in found[0].columns:
        kinds = [pd.api.types.is_numeric_dtype(part[name].dtype) for part in found]
        if len(set(kinds)) > 1:
            first, other = kinds.index(True), kinds.index(False)
            raise DataError(
                f"variable `{name}` holds numbers in batch {first + 1} and something else in batch {other + 1}; "
                "give it one type in all parts of the data"
            )
    whole = pd.concat(found, ignore_index=True)
    return whole if len(found) == 1 or len(whole) <= MOST_CELLS else skeleton(spec, whole)  # type: ignore[return-value]


def batch_rows(spec: ModelSpec, design: Design, batch: Any) -> BatchRows | None:
    """The rows of a batch that are used; None when there are none."""
    frame = model_frame(spec, batch)
    try:
        rows = Rows(frame, sample_rows(spec, frame))
    except NoObservationsError:
        return None
    terms = []
    for term in design.random:
        found = new_rows(term, design, spec, rows)
        if found.codes.min() < 0:
            raise DataError("the data changed between the two passes over them: a group is new")
        terms.append(TermData(found.codes.astype(np.int32), term.n_groups, np.ascontiguousarray(found.columns)))
    X = rows_of_X(design.columns, design.levels, spec, rows)
    return BatchRows(adjusted_response(spec, rows), X, tuple(terms))


def group_counts(spec: ModelSpec, design: Design, batch: BatchRows) -> list[np.ndarray]:
    """Rows of the batch in every group of every level of the model, where a term has that level's groups."""
    out = []
    for grouping in dict.fromkeys(equation.grouping for equation in spec.random):
        term = next((t for t, each in enumerate(design.random) if tuple(each.labels.columns) == grouping), None)
        if not grouping:
            out.append(np.array([float(batch.y.size)]))
        elif term is None:
            out.append(np.empty(0))
        else:
            out.append(np.bincount(batch.terms[term].codes, minlength=design.random[term].n_groups).astype(float))
    return out


def whole_design(design: Design, size: SampleSize, counts: Sequence[np.ndarray]) -> Design:
    """The design without rows, with the numbers of rows of the whole data."""
    groups = tuple(
        GroupRow(row.name, own.size, int(own.min()), float(own.mean()), int(own.max())) if own.size else row
        for row, own in zip(design.groups, counts, strict=True)
    )
    random = tuple(without_rows(term) for term in design.random)
    return without_rows(design, random=random, size=size, groups=groups, counts={})
