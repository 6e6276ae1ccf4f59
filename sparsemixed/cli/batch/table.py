"""The records of a batch as a table: a row for each fit, or for each estimate."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from sparsemixed.cli.batch.journal import without_key
from sparsemixed.errors import DataError
from sparsemixed.storage.destination import whole_file
from sparsemixed.storage.table_file import write_table

JSON_LINES = ".jsonl"
FORMATS = (".parquet", ".csv", ".csv.gz", ".feather", JSON_LINES)
TEXTS = ("id", "by", "by_level", "data", "model", "outcome", "message")
WHOLE = ("nobs", "iterations")
NUMBERS = ("ll", "aic", "bic", "seconds")
NOTES = ("method", "boundary")
ESTIMATE = ("effect", "equation", "name", "estimate", "std_err", "df", "statistic", "p", "ci_low", "ci_high")
"""Columns of the long table after those of the fit; the first three are texts."""
SHORT = {"estimate": "b", "std_err": "se", "df": "df", "statistic": "stat", "p": "p", "ci_low": "low", "ci_high": "high"}
"""Numbers of an estimate -> what they are called in the wide table: `b[time]`, `se[time]`."""


def check_format(path: Path) -> None:
    """Refuse a file whose name tells no format.

    Raises
    ------
    DataError
    """
    if not path.name.lower().endswith(FORMATS):
        raise DataError(f"cannot tell the format of `{path}` from its name; results are {', '.join(FORMATS)}")


def write_results(lines: Iterable[bytes], path: Path, long: bool) -> None:
    """Lines of the journal in a file, in the format that its name tells.

    Raises
    ------
    DataError
        It cannot be written.
    """
    if path.name.lower().endswith(JSON_LINES):
        with whole_file(path) as unfinished, unfinished.open("wb") as file:
            file.writelines(map(without_key, lines))
        return
    rows = [row for record in map(json.loads, lines) for row in (_long(record) if long else [_wide(record)])]
    write_table(_frame(rows, long), path)


def _frame(rows: list[dict[str, Any]], long: bool) -> pd.DataFrame:
    """With types that do not depend on what is missing."""
    first = [*TEXTS, *WHOLE, *NUMBERS, *NOTES, *(ESTIMATE if long else ())]
    seen = dict.fromkeys(name for row in rows for name in row)
    names = [*first, *(name for name in seen if name not in first)]
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if name in (*TEXTS, *NOTES, *ESTIMATE[:3]):
            columns[name] = pd.array([None if value is None else str(value) for value in values], dtype="string")
        elif name in WHOLE:
            columns[name] = pd.array(values, dtype="Int64")
        else:
            columns[name] = pd.Series(values, dtype="float64")
    return pd.DataFrame(columns, columns=names)


def _of_fit(record: dict[str, Any]) -> dict[str, Any]:
    found = {name: record.get(name) for name in (*TEXTS, "iterations", "aic", "bic", "seconds")}
    header = record.get("header", {})
    found |= {"nobs": header.get("N"), "ll": header.get("ll"), "method": header.get("method")}
    return {**found, "boundary": "; ".join(record["boundary"]) if record.get("boundary") else None}


def _estimates(record: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for row in record.get("fixed", ()):
        statistic = row["t"] if "t" in row else row["z"]
        found.append({**row, "effect": "fixed", "equation": None, "statistic": statistic})
    for row in record.get("random", ()):
        found.append({**row, "effect": "random", "equation": row["equation"] or None, "name": row["parameter"]})
    return [{name: row.get(name) for name in ESTIMATE} for row in found]


def _long(record: dict[str, Any]) -> list[dict[str, Any]]:
    whole = _of_fit(record)
    return [{**whole, **row} for row in _estimates(record)] or [whole]


def _wide(record: dict[str, Any]) -> dict[str, Any]:
    found, times = _of_fit(record), {}
    for row in _estimates(record):
        name = " ".join(filter(None, (row["equation"], row["name"])))
        times[name] = times.get(name, 0) + 1
        if times[name] > 1:  # two equations of one level may have the same structure
            name = f"{name} ({times[name]})"
        found |= {f"{short}[{name}]": row[long] for long, short in SHORT.items() if row[long] is not None or long == "estimate"}
    return found
