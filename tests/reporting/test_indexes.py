"""Indexes that are made once: what users name in one frame stays in that frame."""

from __future__ import annotations

import pandas as pd

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.reporting.indexes import index_of, pairs_of

NAMES = ("time", "_cons", "time")
LEVELS = {"equation": ("id: Identity", "", ""), "parameter": ("var(_cons)", "b", "a")}


def test_they_are_those_of_pandas():
    pd.testing.assert_index_equal(index_of(NAMES), pd.Index(list(NAMES)), exact=True)
    pd.testing.assert_index_equal(index_of(()), pd.Index([]), exact=True)
    pd.testing.assert_index_equal(
        pairs_of(**LEVELS), pd.MultiIndex.from_arrays(list(LEVELS.values()), names=list(LEVELS)), exact=True
    )
    pd.testing.assert_series_equal(
        pd.Series([1.0, 2.0, 3.0], index=index_of(NAMES)), pd.Series([1.0, 2.0, 3.0], index=list(NAMES))
    )


def test_names_are_those_of_one_frame():
    index_of(NAMES).name = "own"
    pairs_of(**LEVELS).names = ["own", "other"]
    assert index_of(NAMES).name is None
    assert list(pairs_of(**LEVELS).names) == list(LEVELS)
    fit = sparsemixed.mixed("y time || id:", simulate_longitudinal(20, 5, seed=1))
    for frame in (fit.params, fit.random_params):
        frame.index.names = [f"own {name}" for name in frame.index.names]
    assert fit.bse.index.name is None
    assert list(fit.random_params.index.names) == ["equation", "parameter"]
