"""One fit of a batch, from its unit to the record of what came of it: a failure is a record too."""

from __future__ import annotations

import json
import time
import warnings
from typing import Any

from sparsemixed.api import mixed
from sparsemixed.cli.batch.shelf import Shelf
from sparsemixed.cli.batch.units import Unit
from sparsemixed.cli.record import fit_record
from sparsemixed.command.prefixes import read_prefix
from sparsemixed.errors import CommandError, OptionError, SparseMixedError, SparseMixedWarning, printable
from sparsemixed.fitting.levels import file_for

CONVERGED, NOT_CONVERGED, FAILED = "converged", "not converged", "failed"


def record_of(unit: Unit, shelf: Shelf) -> dict[str, Any]:
    """Fit, and say what came of it; nothing but an interruption gets out of here as an exception."""
    try:
        found = _fitted(unit, shelf)
        return {**_head(unit), "outcome": CONVERGED if found["converged"] else NOT_CONVERGED, "message": None, **found}
    except SparseMixedError as error:
        # Without the caret, which would point into a text that is not there.
        message = printable(error.message) if isinstance(error, CommandError) else str(error)
        return failure(unit, message)
    except OSError as error:
        return failure(unit, f"{error.strerror or error}" + (f": `{error.filename}`" if error.filename else ""))
    except MemoryError:
        return failure(unit, "the memory is too small for this model")
    except Exception as error:  # one job must not end those of others
        return failure(unit, f"internal error: {type(error).__name__}: {printable(str(error))}")


def failure(unit: Unit, message: str) -> dict[str, Any]:
    """The record of a fit that is not there."""
    return {**_head(unit), "outcome": FAILED, "message": " ".join(message.split())}


def line_of(record: dict[str, Any]) -> bytes:
    """A record as a line of JSON."""
    return json.dumps(record, allow_nan=False).encode() + b"\n"


def _head(unit: Unit) -> dict[str, Any]:
    job = unit.job
    return {"key": unit.key, "id": job.id, "data": job.data, "model": job.model, "by": job.by, "by_level": unit.level}


def _plain(model: str) -> str:
    """The model, if it has no prefix: a line of a batch is one fit.

    Raises
    ------
    OptionError
    """
    prefixed = read_prefix(model) if isinstance(model, str) else None
    if prefixed is not None:
        name = prefixed.prefix.name
        advice = (
            'the levels of a variable are asked for by "by" of the job' if name.startswith("by") else "sparsemixed fit takes it"
        )
        raise OptionError(f"the prefix {name} does not go with batch, where a line is one fit; {advice}")
    return model


def _fitted(unit: Unit, shelf: Shelf) -> dict[str, Any]:
    job = unit.job
    data = shelf.data(job.data) if job.by is None else shelf.levels(job.data, job.by).rows(unit.level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparseMixedWarning)  # `status` says the same
        start = time.perf_counter()
        results = mixed(_plain(job.model), data, **job.options)
        seconds = time.perf_counter() - start
        if job.save is not None:
            name = job.save if job.by is None else file_for(job.save, shelf.levels(job.data, job.by).written(unit.level))
            results.save(name)
        return fit_record(results, seconds)
