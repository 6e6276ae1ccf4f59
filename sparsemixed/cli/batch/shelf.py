"""The data of a batch: each file is read once, and what several processes need before they are forked."""

from __future__ import annotations

from typing import Any

from sparsemixed.cli.sources import resolve_data
from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.errors import DataError, SparseMixedError
from sparsemixed.fitting.batches import in_batches
from sparsemixed.fitting.levels import Levels


class Shelf:
    """Data by name.

    A file that cannot be read is an error of every job that wants it, and is not tried again.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self._last: tuple[str, Any] = ("", None)
        self._levels: dict[tuple[str, str], Levels] = {}

    def keep(self, name: str) -> None:
        """Read it now and keep it: forked processes have it without a copy."""
        if name not in self._kept:
            self._kept[name] = self._last[1] if self._last[0] == name else _read(name)

    def data(self, name: str) -> Any:
        """A frame; or what is never held in memory, as it is.

        Raises
        ------
        SparseMixedError
        """
        found = self._kept.get(name)
        if found is None:
            if self._last[0] != name:
                self._last = (name, _read(name))
                self._levels = {key: levels for key, levels in self._levels.items() if key[0] in self._kept}
            found = self._last[1]
        if isinstance(found, Exception):
            raise found
        return found

    def levels(self, name: str, by: str) -> Levels:
        """The rows by the levels of a variable.

        Raises
        ------
        SparseMixedError
        """
        if (name, by) not in self._levels:
            data = self.data(name)
            if not isinstance(data, Frame):
                raise DataError("by needs data in memory, and these are read in batches")
            self._levels[name, by] = Levels(data, by)
        return self._levels[name, by]


def _read(name: str) -> Any:
    try:
        data = resolve_data(name)
        return data if in_batches(data) else read_frame(data)
    except SparseMixedError as error:
        return error
    except Exception as error:  # a name that no file can have, a file that vanishes: whatever the system says
        return DataError(f"`{name}` cannot be read: {error}")
