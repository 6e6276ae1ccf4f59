"""Text files: columns between delimiters, which are found in the first lines where nothing names them."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from pathlib import Path

import pandas as pd

DELIMITERS = (",", ";", "\t", "|")
"""Those that are looked for; the first of two that fit equally well."""
NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
"""How a delimiter may be written where it is hard to type."""
SAMPLE = 65_536
"""Bytes at the beginning of a file that are looked at."""


def read_text(path: Path, delimiter: str | None = None) -> pd.DataFrame:
    """Read a text file whose first line has the names.

    Parameters
    ----------
    path : Path
        Its name ends in .gz if it is compressed.
    delimiter : str, optional
        One character, or a word of `NAMED`; by default a tab for .tsv, else the one that the first lines agree in.

    Raises
    ------
    ValueError
        Two columns share a name, or the delimiter is more than one character.
    """
    delimiter = None if delimiter is None else NAMED.get(delimiter, delimiter)
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError(f"the delimiter {delimiter!r} is not one character; words are {', '.join(sorted(NAMED))}")
    sample = _beginning(path)
    if delimiter is None:
        delimiter = "\t" if ".tsv" in path.suffixes else found_delimiter(sample)
    # pandas would rename a column that is named like another.
    check_names([name for name in next(csv.reader(sample.splitlines(keepends=True), delimiter=delimiter), []) if name])
    return pd.read_csv(path, sep=delimiter, decimal="," if has_decimal_commas(sample, delimiter) else ".")


def _beginning(path: Path) -> str:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        content = file.read(SAMPLE)
    text = content.decode("utf-8-sig", errors="replace")
    # The last line of a part is none.
    return text if len(content) < SAMPLE else text[: text.rfind("\n") + 1]


def found_delimiter(sample: str) -> str:
    """The delimiter that stands in every line equally often, most often if several do; a comma if none does.

    Examples
    --------
    >>> found_delimiter("a;b\\n1,5;2\\n"), found_delimiter('x,"a;b"\\n1,"c"\\n'), found_delimiter("y\\n1\\n")
    (';', ',', ',')
    """
    lines = [line for line in re.sub(r'"[^"]*"', "", sample).splitlines() if line.strip()]
    agreed = {mark: lines[0].count(mark) for mark in DELIMITERS if lines and len({line.count(mark) for line in lines}) == 1}
    best = max(agreed, key=agreed.__getitem__, default=",")
    return best if agreed.get(best) else ","


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
