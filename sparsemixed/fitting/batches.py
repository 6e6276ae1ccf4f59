"""Data that are never held in memory as a whole."""

from __future__ import annotations

import os
from typing import Any

from sparsemixed.estimation.sources.dask_frames import is_dask


def is_folder(data: Any) -> bool:
    """Whether data are a folder of files, which are read batch by batch."""
    return isinstance(data, (str, os.PathLike)) and os.path.isdir(data)


def in_batches(data: Any) -> bool:
    """Whether a model is fitted to sums over batches of the data, a folder of files or a Dask data frame."""
    return is_dask(data) or is_folder(data)
