"""Data frames to files, in the format that the file's name tells."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from sparsemixed.errors import DataError
from sparsemixed.storage.destination import read_path, whole_file

WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".csv": lambda table, path: table.to_csv(path, index=False),
    ".csv.gz": lambda table, path: table.to_csv(path, index=False),
    ".parquet": lambda table, path: table.to_parquet(path, index=False),
    ".feather": lambda table, path: table.to_feather(path),
    ".dta": lambda table, path: table.to_stata(path, write_index=False),
}
"""File name ending -> writer."""


def check_format(path: str | os.PathLike) -> None:
    """Refuse a table's file whose name tells no format.

    Raises
    ------
    DataError
    """
    _writer(read_path(path))


def _writer(path: Path) -> Callable[[pd.DataFrame, Path], object]:
    writer = next((writer for ending, writer in WRITERS.items() if path.name.lower().endswith(ending)), None)
    if writer is None:
        raise DataError(f"cannot tell the format of `{path}` from its name; known are {', '.join(WRITERS)}")
    return writer


def write_table(table: pd.DataFrame, path: str | os.PathLike) -> None:
    """Write a data frame, its index left out.

    Raises
    ------
    DataError
        An unknown format, a file that cannot be written, or values that the format has no place for.
    """
    path = read_path(path)
    writer = _writer(path)
    try:
        with whole_file(path) as unfinished:
            writer(table.reset_index(drop=True), unfinished)
    except DataError:
        raise
    except ImportError as error:
        raise DataError(f"`{path}` cannot be written without a package that is not installed: {error}") from error
    except Exception as error:  # each format has its own exceptions; to the user they all mean a file that is not there
        raise DataError(f"`{path}` cannot be written: {error}") from error
