"""Which rows of the data are used."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.weights.values import positively_weighted, weight_values
from sparsemixed.design.wording import first_names
from sparsemixed.errors import CommandError, DataError, NoObservationsError, UnknownVariableError
from sparsemixed.spec import ModelSpec, Sample
from sparsemixed.spec.computed import Computed, source_names
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES
from sparsemixed.time_series import split_name


def used_variables(spec: ModelSpec) -> tuple[str, ...]:
    """Every variable of the model, once each, in the order of the model; a row missing in any of them is not used."""

    def each() -> Iterator[str]:
        yield spec.response
        yield from spec.offsets
        for term in spec.fixed:
            yield from (factor.variable for factor in term.factors)
        for equation in spec.random:
            yield from equation.grouping
            for term in equation.terms:
                yield from (factor.variable for factor in term.factors)
            if equation.factor is not None:
                yield equation.factor
        # A time that the structure has no use for drops no rows.
        used = RESIDUAL_STRUCTURES[spec.residual.name].needs_time()
        yield from (name for name in (spec.residual.by, spec.residual.t if used else None) if name is not None)
        if spec.vce.variable is not None:
            yield spec.vce.variable

    return tuple(dict.fromkeys(each()))


def weight_variables(spec: ModelSpec) -> tuple[str, ...]:
    """Variables in the expressions of weights; a row is not used where an expression is missing."""
    each = () if spec.weights is None else spec.weights.each
    return tuple(dict.fromkeys(name for weight in each for name in sorted(weight.expression.variables)))


def check_known(frame: Frame, names: Sequence[str], spec: ModelSpec) -> None:
    """Raise a CommandError at the first name that is no column of the data, suggesting one that is.

    For what a formula computes it is the columns behind it that must be there.
    """
    for name in source_names(names, spec.computed):
        operated = split_name(name)
        if operated is not None and (name not in frame or (name in frame.names and spec.tsset is not None)):
            raise _not_operated(name, operated[1], frame, spec)
        if name not in frame:
            advice = _suggestion(name, frame.names)
            message = f"variable `{name}` not found{advice}"
            raise UnknownVariableError(message, spec.text, spec.positions.get(name), name, advice)


def check_units(frame: Frame, names: Sequence[str], fitted: Mapping[str, str]) -> None:
    """Raise a DataError at the first covariate that counts something else than it did in the sample, `fitted` by name."""
    for name in names:
        variable, was = frame[name], fitted.get(name, "")
        dates = variable.kind == "dates"
        if (dates and not variable.categories) or (variable.unit if dates else "") == was:
            continue
        held = f"counted {was}" if was else "held no dates"
        holds = f"counts {variable.unit}" if dates else "holds no dates"
        raise DataError(f"variable `{name}` {held} in the data fitted and {holds} here; convert it first")


def check_tsset(frame: Frame, spec: ModelSpec) -> None:
    """Raise a CommandError if a variable of tsset() is no column of the data."""
    for name in () if spec.tsset is None else (spec.tsset.panel, spec.tsset.time):
        if name is not None and name not in frame:
            position = spec.tsset.position if spec.tsset is not None else None
            message = f"tsset: variable `{name}` not found{_suggestion(name, frame.names)}"
            raise CommandError(message, spec.text if position is not None else None, position)


def _not_operated(name: str, variable: str, frame: Frame, spec: ModelSpec) -> CommandError:
    """Why a name with time-series operators is no variable."""
    times, position = spec.tsset, spec.positions.get(name)
    if name in frame.names:
        message = f"{name} is a column of the data as well as `{variable}` with an operator; rename the column"
    elif times is None and variable in frame:
        message = f'{name} needs a time variable: declare panel and time with the option tsset(id t), or tsset="id t"'
    else:
        check_tsset(frame, spec)
        shown = name if times is None else variable  # without tsset() a dot may just be part of the name
        message = f"variable `{shown}` not found{_suggestion(shown, frame.names)}"
    return CommandError(message, spec.text if position is not None else None, position)


def _suggestion(name: str, known: Sequence[str]) -> str:
    by_lower = {other.lower(): other for other in reversed(known)}
    longer = [other for other in known if other.startswith(name)]
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    if len(longer) == 1:
        return f"; did you mean `{longer[0]}`?"
    if close:
        return f"; did you mean `{by_lower[close[0]]}`?"
    return f"; the data have {first_names(known)}" if known else "; the data have no variables"


def sample_rows(spec: ModelSpec, frame: Frame) -> np.ndarray:
    """Positions of the rows used: those that `if` and `in` select, less those with a missing value in any variable or weight
    and those with a weight of zero.

    Returns
    -------
    kept : (n,) int64, increasing, never empty

    Raises
    ------
    CommandError
        Unknown variable.
    DataError
        No observations, a range outside of the data, infinite values, values that no weight may have.
    """
    names = used_variables(spec)
    condition = spec.sample.condition
    in_condition = tuple(sorted(condition.variables)) if condition is not None else ()
    in_weights = weight_variables(spec)
    check_known(frame, names + in_condition + in_weights, spec)
    check_tsset(frame, spec)
    if frame.n_rows == 0:
        raise NoObservationsError("the data have no rows")
    selected = _in_range(spec.sample, frame.n_rows)
    if condition is not None:
        selected &= _condition(spec.sample, frame, in_condition)
        if not selected.any():
            text = f" `{spec.sample.condition_text}`" if spec.sample.condition_text else ""
            raise NoObservationsError(f"no observations: the `if` condition{text} selects none of the {frame.n_rows} rows")
    values = [weight_values(spec.weights, weight, frame) for weight in spec.weights.each] if spec.weights is not None else []
    missing = {name: mask for name in names if (mask := frame[name].missing) is not None}
    if spec.weights is not None:
        missing |= {weight.text: np.isnan(value) for weight, value in zip(spec.weights.each, values, strict=True)}
    complete = selected.copy() if missing else selected
    for mask in missing.values():
        complete &= ~mask
    if not complete.any():
        raise NoObservationsError(_all_missing(missing, selected))
    kept = np.arange(frame.n_rows) if complete.all() else np.flatnonzero(complete)
    _check_finite(spec, frame, names + in_weights, kept)
    return kept if spec.weights is None else positively_weighted(spec.weights, values, frame, kept)


def _condition(sample: Sample, frame: Frame, names: tuple[str, ...]) -> np.ndarray:
    columns = {name: frame[name].for_expression() for name in names}
    return sample.condition.selects(columns, frame.n_rows)


def _in_range(sample: Sample, n_rows: int) -> np.ndarray:
    """(n_rows,) bool: the rows between `first` and `last`, counted from 1, or from the end when negative."""
    first = 1 if sample.first is None else sample.first
    last = n_rows if sample.last is None else sample.last
    start, stop = (place + n_rows + 1 if place < 0 else place for place in (first, last))
    if not 1 <= start <= stop <= n_rows:
        raise DataError(f"the range `in {first}/{last}` does not lie within the {n_rows} rows of the data")
    selected = np.zeros(n_rows, dtype=bool)
    selected[start - 1 : stop] = True
    return selected


def _all_missing(missing: dict[str, np.ndarray], selected: np.ndarray) -> str:
    """The message when the masks (n_rows,) of missing values leave no row."""
    total = int(selected.sum())
    lost = {name: int(mask[selected].sum()) for name, mask in missing.items() if mask[selected].any()}
    whole = [f"`{name}`" for name, count in lost.items() if count == total]
    if whole:
        verb = "is" if len(whole) == 1 else "are"
        return f"no observations: {', '.join(whole)} {verb} missing in all of the {total} rows selected"
    counts = ", ".join(f"`{name}` ({count})" for name, count in lost.items())
    return f"no observations: each of the {total} rows selected is missing some variable of the model: {counts}"


def _infinite(computed: Computed, frame: Frame, rows: np.ndarray, n: int) -> str:
    where = ", ".join(f"{name} = {frame[name].values[rows[0]]:g}" for name in computed.sources if frame[name].is_number)
    return (
        f"{computed.text} is infinite in {len(rows)} of the {n} rows used, first in row {rows[0] + 1} of the data where {where}; "
        "leave these rows out, or use another function"
    )


def _check_finite(spec: ModelSpec, frame: Frame, names: Sequence[str], kept: np.ndarray) -> None:
    for name in names:
        if frame[name].is_finite:
            continue
        values = frame[name].values
        infinite = int(np.isinf(values[kept]).sum())
        if infinite:
            computed = next((one for one in spec.computed if name in one.columns), None)
            if computed is not None:
                raise DataError(_infinite(computed, frame, kept[np.isinf(values[kept])], len(kept)))
            raise DataError(
                f"variable `{name}` is infinite in {infinite} of the {len(kept)} rows used; "
                "make those values missing or leave the rows out with `if`"
            )


def response_values(spec: ModelSpec, rows: Rows) -> np.ndarray:
    """The response less its offsets, (n,) float64.

    Raises
    ------
    DataError
        When it is not numeric, or does not vary.
    """
    y = adjusted_response(spec, rows)
    if y[0] == y[-1] and y.min() == y.max():
        less = " less its offset" if spec.offsets else ""
        raise DataError(
            f"the response `{spec.response}`{less} is constant (= {y[0]:g}) in the {rows.n} observations used; "
            "there is no variance to model"
        )
    return y


def adjusted_response(spec: ModelSpec, rows: Rows) -> np.ndarray:
    """The response less its offsets, (n,) float64."""
    y = rows.numbers(spec.response, use="response")
    offset = offset_values(spec, rows)
    return y if offset is None else y - offset


def offset_values(spec: ModelSpec, rows: Rows) -> np.ndarray | None:
    """The sum of all offsets (n,) float64, NaN where one is missing; None where there are none."""
    values = [rows.numbers(name) for name in spec.offsets]
    return sum(values[1:], start=values[0]) if values else None
