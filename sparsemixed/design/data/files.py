"""Reading data files."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from sparsemixed.errors import DataError

Labels = dict[str, dict[int, str]]


def read_file(path: str | os.PathLike) -> tuple[pd.DataFrame, Labels]:
    """Read a whole data file.

    Returns
    -------
    table : DataFrame
    value_labels : dict
        variable -> {value: label}; only .dta files have any.
    """
    path = Path(path).expanduser()
    name = path.name.lower()
    reader = next((reader for ending, reader in READERS.items() if name.endswith(ending)), None)
    if reader is None:
        raise DataError(f"cannot tell the format of `{path}` from its name; known are {', '.join(READERS)}")
    if not path.is_file():
        raise DataError(f"no such data file: `{path}`")
    try:
        return reader(path)
    except ImportError as error:
        raise DataError(f"`{path}` cannot be read without a package that is not installed: {error}") from error
    except Exception as error:  # each format has its own exceptions; to the user they all mean an unreadable file
        raise DataError(f"`{path}` cannot be read: {error}") from error


STRAY = 3
"""Bytes after the end of a .dta file that are left out: fewer than the length of one more set of labels takes."""


def _stata(path: Path) -> tuple[pd.DataFrame, Labels]:
    try:
        return _read_stata(path)
    except struct.error as error:
        # Files before Stata 13 do not say where they end, and a byte that some transfer has added is read as more labels.
        content = path.read_bytes()
        for stray in range(1, STRAY + 1):
            with contextlib.suppress(struct.error):
                return _read_stata(io.BytesIO(content[:-stray]))
        raise ValueError("it is cut off, or has bytes after its end; save it again") from error


def _read_stata(source: Path | io.BytesIO) -> tuple[pd.DataFrame, Labels]:
    with pd.io.stata.StataReader(source) as reader:
        table = reader.read(convert_categoricals=False)
        sets = {name: {int(v): label for v, label in labels.items()} for name, labels in reader.value_labels().items()}
        # pandas publishes the label sets by their own names, but not which variable uses which set.
        used = getattr(reader, "_lbllist", table.columns)
    return table, {variable: sets[name] for variable, name in zip(table.columns, used, strict=True) if name in sets}


def _plain(read: Callable[[Path], pd.DataFrame]) -> Callable[[Path], tuple[pd.DataFrame, Labels]]:
    return lambda path: (read(path), {})


READERS: dict[str, Callable[[Path], tuple[pd.DataFrame, Labels]]] = {
    ".dta": _stata,
    ".csv": _plain(pd.read_csv),
    ".csv.gz": _plain(pd.read_csv),
    ".parquet": _plain(pd.read_parquet),
    ".feather": _plain(pd.read_feather),
}
"""File name ending -> reader."""
