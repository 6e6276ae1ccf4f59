"""Reading data files."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sparsemixed.design.data.dates import STATA_UNITS
from sparsemixed.design.data.text_files import check_names, read_text
from sparsemixed.errors import DataError, OptionError

Labels = dict[str, dict[int, str]]


class DataFile(NamedTuple):
    """A whole data file.

    Attributes
    ----------
    table : DataFrame
        Its columns are named, or numbered and have their names beside it.
    names : list of str
        Of the columns.
    value_labels : dict
        variable -> {value: label}; only .dta files have any.
    units : dict
        variable -> what its dates count; only .dta files say that.
    """

    table: pd.DataFrame
    names: list[str]
    value_labels: Labels
    units: dict[str, str]


def read_file(path: str | os.PathLike, delimiter: str | None = None) -> DataFile:
    """Read a whole data file.

    Parameters
    ----------
    path : path
        Its ending tells the format, see `READERS`.
    delimiter : str, optional
        Between the columns of a text file; by default it is found in its first lines.

    Raises
    ------
    DataError
        There is no such file, its format is unknown, it cannot be read, or two columns share a name.
    OptionError
        A delimiter for a file that is no text.
    """
    path = Path(path).expanduser()
    name = path.name.lower()
    ending = next((ending for ending in READERS if name.endswith(ending)), None)
    if ending is None:
        raise DataError(f"cannot tell the format of `{path}` from its name; known are {', '.join(READERS)}")
    if not path.is_file():
        raise DataError(f"no such data file: `{path}`")
    if delimiter is not None and ending not in TEXT:
        raise OptionError(f"delimiter={delimiter!r} is for text files ({', '.join(TEXT)}), and `{path}` is none")
    try:
        found = READERS[ending](path) if ending not in TEXT else _text(path, delimiter)
    except ImportError as error:
        raise DataError(f"`{path}` cannot be read without a package that is not installed: {error}") from error
    except Exception as error:  # each format has its own exceptions; to the user they all mean an unreadable file
        raise DataError(f"`{path}` cannot be read: {error}") from error
    return found


STRAY = 3
"""Bytes after the end of a .dta file that are left out: fewer than the length of one more set of labels takes."""


def _stata(path: Path) -> DataFile:
    try:
        return _read_stata(path)
    except struct.error as error:
        # Files before Stata 13 do not say where they end, and a byte that some transfer has added is read as more labels.
        content = path.read_bytes()
        for stray in range(1, STRAY + 1):
            with contextlib.suppress(struct.error):
                return _read_stata(io.BytesIO(content[:-stray]))
        raise ValueError("it is cut off, or has bytes after its end; save it again") from error


def _read_stata(source: Path | io.BytesIO) -> DataFile:
    with pd.io.stata.StataReader(source) as reader:
        table = reader.read(convert_categoricals=False)
        sets = {name: {int(v): label for v, label in labels.items()} for name, labels in reader.value_labels().items()}
        # pandas publishes the label sets by their own names, but not which variable uses which set; formats not at all.
        used = getattr(reader, "_lbllist", table.columns)
        formats = getattr(reader, "_fmtlist", [""] * len(table.columns))
    labels = {variable: sets[name] for variable, name in zip(table.columns, used, strict=True) if name in sets}
    units = {variable: _unit(form) for variable, form in zip(table.columns, formats, strict=True)}
    return DataFile(table, list(table.columns), labels, {variable: unit for variable, unit in units.items() if unit})


def _unit(form: str) -> str:
    """What a format of Stata's counts, `%tdD_m_Y` say; empty for one that shows no dates."""
    form = form.replace("%-", "%")
    return next((unit for start, unit in STATA_UNITS.items() if form.startswith(start)), "")


def _excel(path: Path) -> DataFile:
    """The first sheet, whose first row has the names."""
    with pd.ExcelFile(path, engine="openpyxl") as book:
        # pandas would rename a column that is named like another.
        head = pd.read_excel(book, header=None, nrows=1)
        check_names([str(name) for name in head.iloc[0].dropna()] if len(head) else [])
        return _plain(pd.read_excel(book))


def _plain(table: pd.DataFrame) -> DataFile:
    return DataFile(table, [str(name) for name in table.columns], {}, {})


def _text(path: Path, delimiter: str | None = None) -> DataFile:
    return DataFile(*read_text(path, delimiter), {}, {})


READERS: dict[str, Callable[[Path], DataFile]] = {
    ".dta": _stata,
    ".csv": _text,
    ".csv.gz": _text,
    ".tsv": _text,
    ".tsv.gz": _text,
    ".xlsx": _excel,
    ".parquet": lambda path: _plain(pd.read_parquet(path)),
    ".feather": lambda path: _plain(pd.read_feather(path)),
    ".arrow": lambda path: _plain(pd.read_feather(path)),
}
"""File name ending -> reader."""
TEXT = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
"""Endings of files that have a delimiter."""
