"""Text files: columns between delimiters, which are found in the first lines where nothing names them."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from itertools import repeat
from pathlib import Path
from typing import Any

import pandas as pd

DELIMITERS = (",", ";", "\t", "|")
"""Those that are looked for; the first of two that fit equally well."""
NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
"""How a delimiter may be written where it is hard to type."""
SAMPLE = 65_536
"""Bytes at the beginning of a file that are looked at."""


def read_text(path: Path, delimiter: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Read a text file whose first line has the names.

    Parameters
    ----------
    path : Path
        Its name ends in .gz if it is compressed.
    delimiter : str, optional
        One character, or a word of `NAMED`; by default a tab for .tsv, else the one that the first lines agree in.

    Returns
    -------
    table : DataFrame
    names : list of str
        Of its columns, which are numbered or have these names.

    Raises
    ------
    ValueError
        Two columns share a name, or the delimiter is more than one character.
    """
    delimiter = None if delimiter is None else NAMED.get(delimiter, delimiter)
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError(f"the delimiter {delimiter!r} is not one character; words are {', '.join(sorted(NAMED))}")
    content = _beginning(path)
    whole = len(content) < SAMPLE
    sample = content.decode("utf-8-sig", errors="replace")
    # The last line of a part is none.
    sample = sample if whole else sample[: sample.rfind("\n") + 1]
    if delimiter is None:
        delimiter = "\t" if ".tsv" in path.suffixes else found_delimiter(sample)
    names = plain_names(sample, delimiter)
    # pandas would rename a column that is named like another.
    check_names(names or [name for name in next(csv.reader(sample.splitlines(True), delimiter=delimiter), []) if name])
    # An index of names takes as long as the values of a small file.
    numbered: dict[str, Any] = {} if names is None else {"names": range(len(names)), "header": 0}
    table = pd.read_csv(
        io.BytesIO(content) if whole else path,
        sep=delimiter,
        decimal="," if has_decimal_commas(sample, delimiter) else ".",
        low_memory=not whole,  # in parts, of which so small a file has one
        **numbered,
    )
    return table, list(table.columns) if names is None else names


def _beginning(path: Path) -> bytes:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        return file.read(SAMPLE)


def plain_names(sample: str, delimiter: str) -> list[str] | None:
    """The names in the first line; None where pandas must say what they are: quoted, blank, or after an empty line.

    Examples
    --------
    >>> plain_names("id,y\\n1,2\\n", ","), plain_names("id,,y\\n1,2,3\\n", ",")
    (['id', 'y'], None)
    """
    names = sample.partition("\n")[0].removesuffix("\r").split(delimiter)
    plain = all(name.isprintable() and name.strip() and '"' not in name for name in names)
    return names if plain else None


def found_delimiter(sample: str) -> str:
    """The delimiter that stands in every line equally often, most often if several do; a comma if none does.

    Examples
    --------
    >>> found_delimiter("a;b\\n1,5;2\\n"), found_delimiter('x,"a;b"\\n1,"c"\\n'), found_delimiter("y\\n1\\n")
    (';', ',', ',')
    """
    lines = [line for line in re.sub(r'"[^"]*"', "", sample).splitlines() if line.strip()]
    first = {mark: lines[0].count(mark) for mark in DELIMITERS if lines and mark in lines[0]}
    agreed = [mark for mark in first if set(map(str.count, lines, repeat(mark))) == {first[mark]}]
    return max(agreed, key=first.__getitem__, default=",")


def has_decimal_commas(sample: str, delimiter: str) -> bool:
    """Whether numbers have commas for points: some have, none has a point, and not all could be thousands.

    Examples
    --------
    >>> has_decimal_commas("a;b\\n1,5;2\\n", ";"), has_decimal_commas("a;b\\n1,500;2\\n", ";")
    (True, False)
    """
    if delimiter == ",":
        return False
    fields = [field.strip(' "') for line in sample.splitlines()[1:] for field in line.split(delimiter)]
    commas = [field for field in fields if re.fullmatch(r"[+-]?\d+,\d+", field)]
    points = any(re.fullmatch(r"[+-]?[\d,]*\.\d+", field) for field in fields)
    return not points and any(len(field.partition(",")[2]) != 3 for field in commas)


def check_names(names: list[str]) -> None:
    """Raise a ValueError at the first name that occurs twice."""
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise ValueError(f"it has more than one column named `{repeated}`; rename them")
