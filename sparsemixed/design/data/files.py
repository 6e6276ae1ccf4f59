"""Reading data files."""

from __future__ import annotations

import os
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


def _stata(path: Path) -> tuple[pd.DataFrame, Labels]:
    with pd.io.stata.StataReader(path) as reader:
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
