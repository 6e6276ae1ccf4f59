"""The jobs of a batch, read from lines of JSON and checked before any of them is run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparsemixed.cli.streams import STANDARD, read_standard_input
from sparsemixed.errors import DataError, shortened, suggestion

KEYS = ("id", "data", "model", "options", "by", "save")
SAME_AS_MODEL = ("command", "formula")
NOT_OPTIONS = ("model", "data", "progress")


@dataclass(frozen=True)
class Job:
    """A line of the file.

    Attributes
    ----------
    id : str
        Its own, or the number of its line.
    data : str
        As DATA on the command line.
    model : str
        A command or a formula.
    options : mapping
        Keyword arguments of `mixed`.
    by : str or None
        Fit the model for each level of this variable.
    save : str or None
        File for the fit; with `by` {} in its name stands for the level.
    line : int
        Where it stands, from 1.
    """

    id: str
    data: str
    model: str
    options: Mapping[str, Any]
    by: str | None
    save: str | None
    line: int


def read_jobs(name: str) -> list[Job]:
    """All jobs of a file, or of standard input.

    Raises
    ------
    DataError
        There is no such file, it has no jobs, or a line is none: the first such line, with its number and what is wrong.
    """
    try:
        content = read_standard_input() if name == STANDARD else Path(name).expanduser().read_bytes()
    except OSError as error:
        raise DataError(f"the jobs `{name}` cannot be read: {error.strerror or error}") from error
    called = "standard input" if name == STANDARD else f"`{name}`"
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{called}, line {number}: not text in UTF-8") from error
    jobs: dict[str, Job] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            job = _job(line, number)
            if job.id in jobs:
                raise DataError(f"the id {job.id!r} is that of line {jobs[job.id].line} already; ids are different")
        except DataError as error:
            raise DataError(f"{called}, line {number}: {error}") from error
        jobs[job.id] = job
    if not jobs:
        raise DataError(f"{called} holds no jobs; write one JSON object on each line")
    return list(jobs.values())


def _job(line: str, number: int) -> Job:
    found = _object(line)
    for key in found:
        if key not in (*KEYS, *SAME_AS_MODEL):
            raise DataError(f"unknown key {key!r}{suggestion(key, (*KEYS, *SAME_AS_MODEL))}; a job has {', '.join(KEYS)}")
    texts = [key for key in ("model", *SAME_AS_MODEL) if key in found]
    if len(texts) != 1:
        raise DataError(f"{' and '.join(texts)} say the same; give one of them" if texts else "the key 'model' is missing")
    data = _text(found, "data")
    if data == STANDARD:
        raise DataError("data: a batch reads its data from files, not from standard input")
    by, save = (_text(found, key) if found.get(key) is not None else None for key in ("by", "save"))
    if by is not None and save is not None and "{}" not in Path(save).name:
        raise DataError("save names one file for all levels; write {} in its name where the level goes")
    return Job(_id(found.get("id", number)), data, _text(found, texts[0]), _options(found), by, save, number)


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg} at character {error.colno}: {shortened(line.strip())}") from error
    except RecursionError as error:
        raise DataError("nested too deeply") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise DataError(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f'found {shortened(line.strip())} where an object should be: {{"data": ..., "model": ...}}')
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise DataError(f"the key {next(name for name in names if names.count(name) > 1)!r} is given twice")
    return found


def _text(found: dict[str, Any], key: str) -> str:
    if key not in found:
        raise DataError(f"the key {key!r} is missing")
    value = found[key]
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{key} is {shortened(json.dumps(value))}; it takes a text")
    return value


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise DataError(f"id is {shortened(json.dumps(value))}; it takes a text or a whole number")
    return str(value)


def _options(found: dict[str, Any]) -> dict[str, Any]:
    options = found.get("options")
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise DataError(f'options is {shortened(json.dumps(options))}; it takes an object: {{"reml": true, "level": 90}}')
    for name in options:
        if name in NOT_OPTIONS:
            raise DataError(f"options: {name} is no option of a model")
    return options
