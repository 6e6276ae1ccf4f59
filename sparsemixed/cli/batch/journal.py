"""The journal beside the results: a line for every fit that is done, written at once, by which a batch is taken up again."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from sparsemixed.errors import DataError

ENDING = ".journal"


def without_key(line: bytes) -> bytes:
    """A line as the results have it: the key, which is the first field of every record, is for the journal alone.

    Examples
    --------
    >>> without_key(b'{"key": "6f", "id": "a"}')
    b'{"id": "a"}'
    """
    return b"{" + line.partition(b", ")[2]


class Place(NamedTuple):
    """Where a record stands in the journal, in bytes, and what came of its fit."""

    offset: int
    length: int
    outcome: str


class Journal:
    """Records by their keys, in a file that only grows.

    A process that is killed may leave half a line at its end, which is cut off. Several records of one key are attempts, of
    which the last one counts.

    Parameters
    ----------
    path : path
    anew : bool
        Forget what is in it.

    Raises
    ------
    DataError
        It cannot be written, holds something else, or belongs to a batch that is running.
    """

    def __init__(self, path: Path, anew: bool):
        self.path = path
        try:
            self._file = path.open("ab+")
        except OSError as error:
            raise DataError(f"`{path}` cannot be written: {error.strerror or error}") from error
        try:
            self._lock()
            if anew:
                self._file.truncate(0)
            self._places = self._read()
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        """Two batches of the same results would fit everything twice."""
        try:
            import fcntl
        except ImportError:  # not on Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"another batch is writing `{self.path}`; wait for it, or choose another OUT") from None
        except OSError:  # file systems without locks
            return

    def _read(self) -> dict[str, Place]:
        found: dict[str, Place] = {}
        self._file.seek(0)
        offset = 0
        for number, line in enumerate(self._file, start=1):
            if not line.endswith(b"\n"):
                self._file.truncate(offset)
                break
            try:
                record = json.loads(line)
                found[record["key"]] = Place(offset, len(line), record["outcome"])
            except (ValueError, KeyError, TypeError, RecursionError):
                raise DataError(
                    f"line {number} of `{self.path}` is no record of a batch; move this file away, or add --restart to begin anew"
                ) from None
            offset += len(line)
        self._end = offset
        return found

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def outcome(self, key: str) -> str:
        """What came of a fit that is done."""
        return self._places[key].outcome

    def add(self, key: str, outcome: str, line: bytes) -> None:
        """Write a record; afterwards it outlives this process."""
        self._file.write(line)
        self._file.flush()
        self._places[key] = Place(self._end, len(line), outcome)
        self._end += len(line)

    def lines(self, keys: list[str]) -> Iterator[bytes]:
        """The records of those keys that are done, in this order, each as a line of JSON."""
        for key in keys:
            place = self._places.get(key)
            if place is not None:
                self._file.seek(place.offset)
                yield self._file.read(place.length)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())
        self._file.close()


class Standing:
    """In place of a journal where the results go to standard output: every line at once, and nothing is taken up again.

    Parameters
    ----------
    write : function of a line of the results
    """

    def __init__(self, write: Any):
        self._write = write
        self._outcomes: dict[str, str] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._outcomes

    def outcome(self, key: str) -> str:
        """What came of a fit that is done."""
        return self._outcomes[key]

    def add(self, key: str, outcome: str, line: bytes) -> None:
        """Write a record."""
        self._write(without_key(line))
        self._outcomes[key] = outcome
