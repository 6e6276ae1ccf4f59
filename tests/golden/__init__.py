"""Figures of other programs, each file with where its figures come from.

A file NAME.json is written by NAME.R or NAME.py beside it, which fits the samples of `samples.py`; `make golden` remakes them all
where R and statsmodels are installed. A file without a script holds figures that were printed by programs or papers that cannot
be run here. Both have two parts: `figures`, by model, and `provenance`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sparsemixed.results import Results
from tests.golden.samples import MissingSampleError, sample

FOLDER = Path(__file__).parent
FILES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def document(name: str) -> dict[str, Any]:
    """One file as it is: `provenance` and `figures`."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def golden(name: str) -> dict[str, Any]:
    """The figures of one file, by model."""
    return document(name)["figures"]


def flat(figures: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Nested figures as one dictionary, "df/_cons" for the entry `_cons` of `df`: what `pytest.approx` compares."""
    out: dict[str, float] = {}
    for key, value in figures.items():
        if isinstance(value, dict):
            out |= flat(value, f"{prefix}{key}/")
        else:
            out[prefix + key] = value
    return out


def small_sample(fit: Results) -> dict[str, float]:
    """Standard errors and degrees of freedom of the coefficients, and the F test of all but the constant, laid out by `flat`."""
    joint = fit.test([name for name in fit.params.index if name != "_cons"], small=True)
    test = {"F": joint.statistic, "df": joint.df, "ddf": joint.ddf}
    return flat({"bse": fit.bse.to_dict(), "df": fit.df.to_dict(), "joint": test})


def load(name: str) -> pd.DataFrame:
    """A copy of one sample; the test is skipped where the file that it comes from is not there."""
    try:
        return sample(name).copy()
    except MissingSampleError as error:
        pytest.skip(str(error))
