"""Batches from a function of the user's, which makes a new iterator over them whenever it is called."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.errors import DataError, SparseMixedError, first_line


def is_batch_function(data: Any) -> bool:
    """Whether the data are a function.

    Examples
    --------
    >>> is_batch_function(lambda: iter([])), is_batch_function({"y": [1.0]})
    (True, False)
    """
    return callable(data) and (inspect.isroutine(data) or isinstance(data, functools.partial))


class BatchFunction:
    """Data in batches of any kind that `read_frame` takes.

    Parameters
    ----------
    make : callable
        Without arguments; gives the same batches in the same order each time.

    Raises
    ------
    DataError
        From its methods: what the function gives is no iterable of tables, gives no batch, or is one iterator again and again.
    """

    def __init__(self, make: Any):
        self._make = make
        self._started: tuple[Frame, Iterator[Frame]] | None = None
        self._last: Any = None
        self._rows: int | None = None

    def head(self) -> Frame:
        """The first batch; the next pass goes on from it, because some libraries allow one open result at a time."""
        frames = self._frames()
        for frame in frames:
            self._started = frame, frames
            return frame
        raise DataError("the function that is the data gives no batches")

    def batches(self, columns: list[str]) -> Iterator[Frame]:
        """All batches, each with at least these columns."""
        frames = self._frames() if self._started is None else itertools.chain([self._started[0]], self._started[1])
        self._started = None
        n_rows = 0
        for frame in frames:
            batch = frame.only(lambda: columns)
            n_rows += batch.n_rows
            yield batch
        if self._rows is not None and n_rows != self._rows:
            raise DataError(
                f"the data changed between the two passes over them: the function gave {self._rows} rows first and then {n_rows}"
            )
        self._rows = n_rows

    def _frames(self) -> Iterator[Frame]:
        try:
            found = self._make()
            if not isinstance(found, Iterable) or isinstance(found, (str, bytes, dict)) or hasattr(found, "columns"):
                kind = type(found).__name__
                raise DataError(f"the function that is the data gives a {kind}; it must give an iterator of batches")
            if isinstance(found, Iterator) and found is self._last:
                raise DataError("the function that is the data gives one iterator twice, which can be read once; make a new one")
            self._last = found
            yield from map(read_frame, found)
        except SparseMixedError:
            raise
        except Exception as error:  # whatever the function meets
            first = first_line(error)
            raise DataError(f"the function that is the data failed: {type(error).__name__}: {first}") from error
