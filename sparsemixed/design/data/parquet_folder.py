"""A partitioned Parquet data set, read in batches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from sparsemixed.errors import DataError

ROWS_PER_BATCH = 1_000_000


class ParquetFolder:
    """The files of a folder as one data set.

    Parameters
    ----------
    path : path

    Raises
    ------
    DataError
        pyarrow is not installed; the folder holds no Parquet files; a file is damaged.
    """

    def __init__(self, path: str | os.PathLike):
        try:
            import pyarrow.dataset as dataset
        except ImportError as error:
            raise DataError(f"{path} is a folder; reading its Parquet files needs pyarrow: pip install pyarrow") from error
        self.path = os.fspath(path)
        try:
            self._data = dataset.dataset(self.path, format="parquet", partitioning="hive", exclude_invalid_files=False)
        except Exception as error:  # pyarrow raises its own errors, OSError and ValueError alike
            raise DataError(f"cannot read the Parquet files of {self.path}: {_first_line(error)}") from error
        if not self._data.files:
            raise DataError(f"{self.path} is a folder without Parquet files")

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
            except Exception as error:
                raise DataError(f"cannot read {fragment.path}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
