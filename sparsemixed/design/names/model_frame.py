"""The data as a model sees them: with columns that time-series operators and functions make, and under abbreviated names."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from sparsemixed.design.computed.contrasts import contrast_values, is_contrast
from sparsemixed.design.computed.evaluate import computed_values, undefined_rows
from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.data.variable import Variable
from sparsemixed.design.names.time_index import TimeIndex
from sparsemixed.design.sample import used_variables
from sparsemixed.errors import DataError
from sparsemixed.spec import ModelSpec
from sparsemixed.spec.computed import Computed
from sparsemixed.time_series import TimeOperator, split_name
from sparsemixed.wildcards import compiled


def model_frame(spec: ModelSpec, data: Any) -> Frame:
    """Look at data without converting or changing them.

    Parameters
    ----------
    spec : ModelSpec
        Its `tsset`, `abbreviations` and `computed` say what a name may stand for besides a column.
    data : anything that `read_frame` takes
    """
    frame = read_frame(data)
    plain = spec.tsset is None and not spec.abbreviations and not any("~" in name for name in spec.positions)
    if isinstance(frame, ModelFrame) or (plain and not spec.computed):
        return frame
    return ModelFrame(frame, spec)


class ModelFrame(Frame):
    """A frame in which `L2D.x` is a column if `x` and the variables of tsset() are, and `poly(x, 2)1` is one if `x` is.

    They are computed on first use from all rows, functions with what they remember of the data that the model was made for.

    Parameters
    ----------
    frame : Frame
    spec : ModelSpec
    """

    def __init__(self, frame: Frame, spec: ModelSpec):
        super().__init__(frame.names, frame.n_rows, frame._fetch, frame.value_labels, frame.index, frame.units)
        self._spec = spec
        self._places = {name: (one, place) for one in spec.computed for place, name in enumerate(one.columns)}
        for name in used_variables(spec):
            operated = split_name(name)
            if operated is not None and operated[0].shifts_only and operated[1] in frame.value_labels:
                self.value_labels[name] = frame.value_labels[operated[1]]

    def __contains__(self, name: str) -> bool:
        if name in self._places:
            return all(source in self for source in self._places[name][0].sources)
        return super().__contains__(name) or self._operated(name) is not None or self._abbreviated(name) is not None

    def __getitem__(self, name: str) -> Variable:
        if name in self._places and name not in self._converted:
            self._compute(self._places[name][0])
        if name not in self._converted and not super().__contains__(name):
            operated, whole = self._operated(name), self._abbreviated(name)
            if operated is not None:
                self._converted[name] = self._computed(name, *operated)
            elif whole is not None:
                self._converted[name] = self[whole]
        return super().__getitem__(name)

    def _compute(self, computed: Computed) -> None:
        """Make the columns of a function."""
        if is_contrast(computed):
            values = contrast_values(computed, Rows(self, np.arange(self.n_rows)))
        else:
            values = computed_values(computed, self.__getitem__, self.n_rows, computed.states)
        for name, column in zip(computed.columns, values.T, strict=True):
            missing = np.isnan(column)
            self._converted[name] = Variable(name, "numeric", np.ascontiguousarray(column), missing if missing.any() else None)

    def undefined(self, computed: Computed) -> np.ndarray:
        """Rows (m,) int64 in which a function has no value although its variables have: log(-1)."""
        values = np.column_stack([self[name].numbers() for name in computed.columns])
        return undefined_rows(computed, self.__getitem__, values)

    def _operated(self, name: str) -> tuple[TimeOperator, str] | None:
        operated, times = split_name(name), self._spec.tsset
        if operated is None or times is None:
            return None
        declared = all(super(ModelFrame, self).__contains__(one) for one in (times.time, times.panel) if one is not None)
        return operated if declared and operated[1] in self else None

    def _abbreviated(self, name: str) -> str | None:
        """The only column that `x~z` matches, or whose name starts so, where abbreviations are allowed."""
        if "~" in name:
            wildcards = compiled(name.replace("~", "*"))
            longer = [known for known in self.names if wildcards.matches(known)]
            return longer[0] if len(longer) == 1 else None
        longer = [known for known in self.names if known.startswith(name)] if self._spec.abbreviations else []
        return longer[0] if len(longer) == 1 else None

    @cached_property
    def _times(self) -> TimeIndex:
        assert self._spec.tsset is not None
        return TimeIndex(self, self._spec.tsset)

    def _computed(self, name: str, operator: TimeOperator, variable: str) -> Variable:
        source = self[variable]
        if operator.shifts_only:
            return _shifted(source, name, self._times.rows(operator.lag))
        if not source.counts_as_number:
            raise DataError(f"`{name}` is a difference, and `{variable}` holds {source.kind}, not numbers")
        values = np.append(source.numbers(), np.nan)  # row -1, where there is no such time, is missing
        total = np.zeros(self.n_rows)
        for lag, weight in operator.weights().items():
            total += weight * values[self._times.rows(lag)]
        missing = np.isnan(total)
        return Variable(name, "numeric", total, missing if missing.any() else None)


def _shifted(source: Variable, name: str, rows: np.ndarray) -> Variable:
    """The values of other rows, in their own type; -1 is no row."""
    missing = rows < 0
    if source.missing is not None:
        missing = missing | source.missing[rows]
    values = source.values[np.maximum(rows, 0)]
    blank = (np.nan if values.dtype.kind == "f" else 0) if source.is_number else -1
    values[missing] = blank
    exact = None if source.exact is None else np.where(missing, np.int32(-1), source.exact[rows])
    return replace(source, name=name, values=values, missing=missing if missing.any() else None, exact=exact)
