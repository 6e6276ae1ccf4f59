"""Where the values of other times stand: lags count in the time variable, within panels."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.codes import compress
from sparsemixed.design.frame import Frame
from sparsemixed.errors import DataError
from sparsemixed.spec import TimeSet

NUMBER = "lags count in steps of one: number the periods 1, 2, ..."
LARGEST = 2.0**52
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
        Times that are not whole numbers, or that repeat within a panel.
    """

    def __init__(self, frame: Frame, asked: TimeSet):
        self._n = frame.n_rows
        times, missing = _times(frame, asked.time)
        panels = np.zeros(self._n, dtype=np.int32)
        if asked.panel is not None:
            variable = frame[asked.panel]
            if variable.missing is not None:
                missing = missing | variable.missing
            panels = variable.values
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
        where = f"{asked.time} = {self._times[self._order[repeated[0]]]}"
        if asked.panel is None:
            advice = f"; with several series name the panel variable too: tsset(id {asked.time})"
        else:
            variable, code = frame[asked.panel], frame[asked.panel].values[first]
            where += f" within {asked.panel} = {code if variable.is_number else variable.categories[code]}"
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


def _times(frame: Frame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times (n_rows,) int64, and which are missing."""
    variable = frame[name]
    if not variable.is_number:
        held = "dates" if variable.kind == "dates" else "text"
        raise DataError(f"tsset: the time variable `{name}` holds {held}, not whole numbers; {NUMBER}")
    values = variable.numbers()
    missing = np.isnan(values)
    bad = np.flatnonzero(~missing & ((values != np.rint(values)) | (np.abs(values) > LARGEST)))
    if bad.size:
        raise DataError(
            f"tsset: the time variable `{name}` must hold whole numbers, found {values[bad[0]]:g} in row {bad[0] + 1} of the "
            f"data; {NUMBER}"
        )
    return np.where(missing, 0.0, values).astype(np.int64), missing
