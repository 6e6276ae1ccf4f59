"""What pyarrow has besides tables, and whatever exports Arrow's stream of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sparsemixed.errors import DataError, first_line

ROWS_PER_BATCH = 1_000_000
READ_ONCE = (
    "the data are a stream without rows; a stream can be read once, and this one may have been read before: make a new one"
)


class Stream(NamedTuple):
    """Names of columns, and a function from some of them to a pyarrow Table."""

    names: list[str]
    read: Callable[[Sequence[str]], Any]


def table_or_stream(data: Any) -> Any:
    """A batch as a table; readers and data sets as streams; anything else as it is."""
    import pyarrow as pa

    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    if isinstance(data, pa.Table) and len(set(data.column_names)) < data.num_columns:
        repeated = next(name for name in data.column_names if data.column_names.count(name) > 1)
        raise DataError(f"the data have more than one column named `{repeated}`; rename them")
    if isinstance(data, pa.RecordBatchReader):
        return Stream(list(data.schema.names), lambda names: _read(data, names))
    if is_dataset(data):
        return Stream(list(data.schema.names), lambda names: data.to_table(columns=list(names)))
    return data


def is_dataset(data: Any) -> bool:
    """Whether the data are a data set of pyarrow, which is not imported for the answer."""
    return type(data).__module__.startswith("pyarrow._dataset") and hasattr(data, "get_fragments")


def exported_stream(data: Any) -> Stream:
    """An object with `__arrow_c_stream__`, that of ibis or another library.

    Raises
    ------
    DataError
        pyarrow, which reads it, is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise DataError(f"a {type(data).__name__} is read by pyarrow: pip install pyarrow") from error
    # The first stream tells the names; an object that gives one only is read from this one.
    first = pa.RecordBatchReader.from_stream(data)
    waiting = [first]
    return Stream(
        list(first.schema.names), lambda names: _read(waiting.pop() if waiting else pa.RecordBatchReader.from_stream(data), names)
    )


def _read(reader: Any, names: Sequence[str]) -> Any:
    """Some columns of a stream: batch by batch, so that the others are never held."""
    import pyarrow as pa

    places = [reader.schema.names.index(name) for name in names]
    schema = pa.schema([reader.schema.field(place) for place in places])
    try:
        batches = [pa.RecordBatch.from_arrays([batch.column(place) for place in places], schema=schema) for batch in reader]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"the stream that is the data cannot be read, and may have been read before: {first_line(error)}"
        ) from error
    table = pa.Table.from_batches(batches, schema=schema)
    if not len(table):
        raise DataError(READ_ONCE)
    return table


class ArrowDataset:
    """A data set of pyarrow, many files in one of its formats, read in batches.

    Parameters
    ----------
    data : pyarrow.dataset.Dataset
    """

    def __init__(self, data: Any):
        self._data = data

    def head(self) -> Any:
        """A table with all columns and no rows."""
        return self._data.schema.empty_table()

    def batches(self, columns: list[str]) -> Iterator[Any]:
        """Tables of up to a million rows with some columns, file after file."""
        import pyarrow as pa

        for fragment in self._data.get_fragments():
            try:
                for batch in fragment.to_batches(schema=self._data.schema, columns=columns, batch_size=ROWS_PER_BATCH):
                    if batch.num_rows:
                        yield pa.Table.from_batches([batch])
            except Exception as error:  # pyarrow raises its own errors, OSError and ValueError alike
                where = getattr(fragment, "path", "a part of the data set")
                raise DataError(f"cannot read {where}: {first_line(error)}") from error
