"""The fits of a batch: one for each job, or for each level where a job has `by`; each with the key by which it is known again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

from sparsemixed.cli.batch.jobs import Job
from sparsemixed.cli.batch.shelf import Shelf
from sparsemixed.errors import SparseMixedError


@dataclass(frozen=True)
class Unit:
    """One fit.

    Attributes
    ----------
    job : Job
    key : str
        The same for the same job and level with the same data: a file's size and time of change tell whether it is.
    level : int, float, bool, str or None
        None without `by`.
    """

    job: Job
    key: str
    level: Any = None


def units_of(jobs: list[Job], shelf: Shelf) -> list[Unit]:
    """All fits in the order of their jobs; a job whose levels cannot be read is one fit, which will say why."""
    stamps = {data: _stamp(data) for data in {job.data for job in jobs}}
    found = []
    for job in jobs:
        content = [job.id, job.data, stamps[job.data], job.model, job.options, job.by, job.save]
        levels = [None] if job.by is None else _levels(job, shelf)
        found += [Unit(job, _key([*content, level]), level) for level in levels]
    return found


def _levels(job: Job, shelf: Shelf) -> list[Any]:
    try:
        return list(shelf.levels(job.data, str(job.by)))
    except SparseMixedError:
        return [None]


def _stamp(path: str) -> list[int]:
    try:
        status = os.stat(os.path.expanduser(path))
    except (OSError, ValueError):  # a data set of a package, or no file at all
        return []
    return [status.st_size, status.st_mtime_ns]


def _key(content: list[Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]
