"""Data that are never held in memory as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Protocol

from sparsemixed.design.data.arrow import ArrowDataset, is_dataset
from sparsemixed.design.data.batch_function import BatchFunction, is_batch_function
from sparsemixed.design.data.parquet_folder import ParquetFolder
from sparsemixed.estimation.sources.dask_frames import is_dask


class BatchSource(Protocol):
    """Data that can be read again and again, batch by batch."""

    def head(self) -> Any:
        """A table with all columns."""
        ...

    def batches(self, columns: list[str]) -> Iterator[Any]:
        """Tables with some columns, the same each time."""
        ...


def is_folder(data: Any) -> bool:
    """Whether data are a folder of files, which are read batch by batch."""
    return isinstance(data, (str, os.PathLike)) and os.path.isdir(data)


def batch_source(data: Any) -> BatchSource | None:
    """How to read data batch by batch: a folder, a data set of pyarrow, a function that makes batches; None for others."""
    if is_folder(data):
        return ParquetFolder(data)
    if is_dataset(data):
        return ArrowDataset(data)
    return BatchFunction(data) if is_batch_function(data) else None


def in_batches(data: Any) -> bool:
    """Whether a model is fitted to sums over batches of the data, those of a `batch_source` or of a Dask data frame."""
    return is_dask(data) or is_folder(data) or is_dataset(data) or is_batch_function(data)
