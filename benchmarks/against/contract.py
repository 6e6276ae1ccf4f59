"""What every program in Python is asked, and what it answers: PROGRAM_fit.py JOB.json

The job, an object:

    data, out        paths: a .csv or .pkl file, and where the report goes
    formula          as lme4 reads it; `model` and `options` are sparsemixed's own words
    reml             bool
    weights, by      columns or null: precision weights; one fit for every value, of which the seconds are added up
    repeat           how often the fits are timed
    ask              what more is wanted, untimed: "errors" (of variances), "satterthwaite", "kenward-roger" (degrees of freedom)

The report: `seconds` of each repetition, `llf`, `iterations`, `converged`, `version`; `covariances` and `residual`; what was
asked for and the program has. Or `error`, in words.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lmer_formula import Term, take_apart

INTERCEPT = ("(Intercept)", "Intercept", "_cons", "Group", "const")


@dataclass(frozen=True)
class Job:
    """A job as a program's file wants it: `fixed` and `terms` are `formula` taken apart; `incomplete` data lack some values."""

    formula: str
    fixed: str
    terms: list[Term]
    reml: bool
    weights: str | None
    ask: tuple[str, ...]
    model: str
    options: dict[str, Any]
    incomplete: bool = False

    def weights_of(self, data: pd.DataFrame) -> np.ndarray | None:
        return None if self.weights is None else data[self.weights].to_numpy(dtype=float)


def named(names: Any, values: Any) -> dict[str, float]:
    """Numbers by the names of their columns, `1` for the intercept; what is not finite becomes null."""
    pairs = zip(names, np.asarray(values, dtype=float).tolist(), strict=True)
    return {"1" if name in INTERCEPT else str(name): value if np.isfinite(value) else None for name, value in pairs}


def matrix(names: Any, values: Any) -> dict[str, Any]:
    """A covariance matrix of random effects, or the standard errors of its entries, with the names of its columns."""
    square = np.atleast_2d(np.asarray(values, dtype=float))
    return {"names": ["1" if name in INTERCEPT else str(name) for name in names], "matrix": finite(square.tolist())}


def finite(value: Any) -> Any:
    """NaN and infinity as null: JSON has neither."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def with_groups(job: Job, data: pd.DataFrame) -> pd.DataFrame:
    """The data with a column for every combination of factors that groups, for programs that know no a:b."""
    joined = {term.column: data.groupby(list(term.factors)).ngroup() for term in job.terms if len(term.factors) > 1}
    return data.assign(**joined)


def symmetric(packed: Any, k: int) -> np.ndarray:
    """A symmetric matrix from its lower triangle, row by row."""
    square, (row, column) = np.empty((k, k)), np.tril_indices(k)
    square[row, column] = square[column, row] = packed
    return square


def limit_memory() -> None:
    """No more than the machine has: a model that needs an n by n matrix then ends with a MemoryError."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def answer(
    package: str,
    fit: Callable[[Job, pd.DataFrame], Any],
    report: Callable[[Job, pd.DataFrame, Any], dict[str, Any]],
    prepare: Callable[[Job, pd.DataFrame], pd.DataFrame] = lambda job, data: data,
    warm: int = 0,
) -> None:
    """Read the job named on the command line, time its fits, and write the report.

    Parameters
    ----------
    package : str
        Name under which the program is installed.
    fit : callable
        From a data frame to an estimate whose standard errors have been computed; this is what is timed.
    report : callable
        What the estimate says, as a dict of the contract; untimed.
    prepare : callable
        The data in the shape that the program wants; untimed.
    warm : int
        Fits before the clock starts; their time is `first`.
    """
    asked = json.loads(Path(sys.argv[1]).read_text())
    fixed, terms = take_apart(asked["formula"])
    job = Job(
        asked["formula"], fixed, terms, asked["reml"], asked["weights"], tuple(asked["ask"]), asked["model"], asked["options"]
    )
    warnings.simplefilter("ignore")
    try:
        found = timed(job, asked, (fit, report, prepare), warm)
    except MemoryError as error:
        found = {"error": f"out of memory: {error}"}
    except Exception as error:  # whatever a program raises is its answer
        found = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"}
    found["version"] = f"{package} {importlib.metadata.version(package)}"
    Path(asked["out"]).write_text(json.dumps(finite(found)))


def timed(job: Job, asked: dict[str, Any], calls: tuple[Any, Any, Any], warm: int) -> dict[str, Any]:
    fit, report, prepare = calls
    path = asked["data"]
    data = pd.read_pickle(path) if path.endswith(".pkl") else pd.read_csv(path)
    job = replace(job, incomplete=bool(data.isna().to_numpy().any()))
    data = prepare(job, data)
    frames = [data] if asked["by"] is None else [part for _, part in data.groupby(asked["by"])]
    seconds, fits = [], []
    for _ in range(warm + asked["repeat"]):
        began = time.perf_counter()
        fits = [fit(job, frame) for frame in frames]
        seconds.append(time.perf_counter() - began)
    every = [report(job, frame, found) for frame, found in zip(frames, fits, strict=True)]
    found = every[0]
    if len(every) > 1:
        found = {"llf": sum(one["llf"] for one in every), "converged": all(one["converged"] for one in every)}
    first = {"first": seconds[0]} if warm else {}
    return {**first, "seconds": seconds[warm:], "nobs": len(data), **found}
