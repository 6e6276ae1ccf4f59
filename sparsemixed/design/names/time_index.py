"""Where the values of other times stand: lags count in the time variable, within panels."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.data.codes import compress
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.names.periods import period_numbers
from sparsemixed.errors import DataError
from sparsemixed.spec import TimeSet

NUMBER = "lags count in steps of one: number the periods 1, 2, ..."
LARGEST_EXACT_TIME = 2.0**52
"""Times beyond this are not whole numbers but rounded ones."""


class TimeIndex:
    """The rows of all data by panel and time.

    Parameters
    ----------
    frame : Frame
        Has the variables of `asked`.
    asked : TimeSet

    Raises
    ------
    DataError
        Times that are not whole numbers of periods, or that repeat within a panel.
    """

    def __init__(self, frame: Frame, asked: TimeSet):
        self._n = frame.n_rows
        times, missing = _times(frame, asked)
        panels = np.zeros(self._n, dtype=np.int32)
        if asked.panel is not None:
            variable = frame[asked.panel]
            if variable.missing is not None:
                missing = missing | variable.missing
            panels = variable.keys
        self._rows = np.flatnonzero(~missing)
        self._times, self._panels = times[self._rows], compress(panels[self._rows])[0]
        rank, self._distinct = compress(self._times)
        self._width = len(self._distinct)
        keys = self._panels.astype(np.int64) * self._width + rank
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._check_distinct(frame, asked)
        self._found: dict[int, np.ndarray] = {}

    def _check_distinct(self, frame: Frame, asked: TimeSet) -> None:
        repeated = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        if not repeated.size:
            return
        first, second = self._rows[np.sort(self._order[repeated[0] : repeated[0] + 2])]
        where = f"{asked.time} = {_shown(frame, asked.time, first)}"
        if asked.panel is None:
            advice = f"; with several series name the panel variable too: tsset(id {asked.time})"
        else:
            where += f" within {asked.panel} = {_shown(frame, asked.panel, first)}"
            advice = ""
        raise DataError(
            f"tsset: the time variable `{asked.time}` repeats: rows {first + 1} and {second + 1} of the data both have "
            f"{where}{advice}"
        )

    def rows(self, lag: int) -> np.ndarray:
        """(n_rows,) int64: for each row the one of its panel that is `lag` earlier, -1 where there is none."""
        if lag not in self._found:
            wanted = self._times - lag
            place = np.minimum(np.searchsorted(self._distinct, wanted), max(self._width - 1, 0))
            keys = self._panels.astype(np.int64) * self._width + place
            at = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
            result = np.full(self._n, -1, dtype=np.int64)
            if self._rows.size:
                there = (self._distinct[place] == wanted) & (self._keys[at] == keys)
                result[self._rows[there]] = self._rows[self._order[at[there]]]
            self._found[lag] = result
        return self._found[lag]


def _shown(frame: Frame, name: str, row: int) -> object:
    variable, value = frame[name], frame[name].values[row]
    return f"{value:.15g}" if variable.is_number else variable.categories[value]


def _times(frame: Frame, asked: TimeSet) -> tuple[np.ndarray, np.ndarray]:
    """Times in periods (n_rows,) int64, and which are missing."""
    values = _values(frame, asked)
    missing = np.isnan(values)
    if asked.delta != 1.0 and not missing.all():
        values = (values - np.nanmin(values)) / asked.delta
        # Times such as 0.1, 0.2, ... are no multiples to the last digit.
        values = np.where(np.abs(values - np.rint(values)) < 1e-6, np.rint(values), values)
    bad = np.flatnonzero(~missing & ((values != np.rint(values)) | (np.abs(values) > LARGEST_EXACT_TIME)))
    if bad.size:
        raise DataError(_irregular(frame, asked, int(bad[0])))
    return np.where(missing, 0.0, values).astype(np.int64), missing


def _values(frame: Frame, asked: TimeSet) -> np.ndarray:
    """The time variable as numbers (n_rows,), dates in periods."""
    variable = frame[asked.time]
    if variable.kind == "dates":
        return np.append(period_numbers(asked.time, variable.categories, asked.unit), np.nan)[variable.values]
    if not variable.is_number:
        raise DataError(f"tsset: the time variable `{asked.time}` holds text, not whole numbers or dates; {NUMBER}")
    if asked.unit:
        raise DataError(
            f"tsset: the time variable `{asked.time}` holds numbers, not dates: leave {asked.unit} out, periods are numbered"
        )
    return variable.numbers()


def _irregular(frame: Frame, asked: TimeSet, row: int) -> str:
    found = _shown(frame, asked.time, row)
    if asked.delta != 1.0:
        wanted, advice = f"be multiples of delta({asked.delta:g}) apart", "lags count in steps of delta"
    else:
        wanted, advice = "hold whole numbers", f"{NUMBER}, or name the step: tsset({asked.time}, delta(0.5))"
    return f"tsset: the time variable `{asked.time}` must {wanted}, found {found} in row {row + 1} of the data; {advice}"
