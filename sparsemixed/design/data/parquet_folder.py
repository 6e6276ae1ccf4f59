"""A partitioned Parquet data set, read in batches."""

from __future__ import annotations

import os

from sparsemixed.design.data.arrow import ArrowDataset
from sparsemixed.errors import DataError, first_line


class ParquetFolder(ArrowDataset):
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
            data = dataset.dataset(self.path, format="parquet", partitioning="hive", exclude_invalid_files=False)
        except Exception as error:  # pyarrow raises its own errors, OSError and ValueError alike
            first = first_line(error)
            raise DataError(f"cannot read the Parquet files of {self.path}: {first}") from error
        if not data.files:
            raise DataError(f"{self.path} is a folder without Parquet files")
        super().__init__(data)
