"""Rows by level against the same rows of the data: columns of numbers are converted once for all levels, others by level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sparsemixed.design.data.frame import read_frame
from sparsemixed.design.data.variable import Variable
from sparsemixed.fitting.levels import Levels

SCHOOL = np.array([2, 1, 2, 3, 1, 2, 3, 3])
COLUMNS = {
    "whole": np.arange(8),
    "real": np.linspace(-1.0, 1.0, 8),
    "missing in one level": np.array([1.0, 2.0, np.nan, 4.0, 5.0, 6.0, 7.0, 8.0]),
    "infinite in one level": np.array([1.0, 2.0, 3.0, np.inf, 5.0, 6.0, 7.0, 8.0]),
    "nullable": pd.array([1, None, 3, 4, 5, 6, 7, 8], dtype="Int64"),
    "short": np.arange(8, dtype=np.float32),
    "truth": SCHOOL == 2,
    "text": np.array(list("badcabdc")),
    "categories": pd.Categorical(list("badcabdc"), categories=list("dcba")),
    "dates": pd.date_range("2024-01-01", periods=8),
    "objects": np.array([1, 2.5, 3, 4, 5, 6, 7, 8], dtype=object),
}


def same(left: Variable, right: Variable) -> bool:
    arrays = ("values", "missing", "exact")
    each = [(getattr(left, name), getattr(right, name)) for name in arrays]
    rest = ("name", "kind", "categories", "ordered", "unit", "is_finite")
    return all(
        a is b if a is None or b is None else a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True) for a, b in each
    ) and all(getattr(left, name) == getattr(right, name) for name in rest)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_one_level_is_that_of_its_rows(name):
    data = pd.DataFrame({"school": SCHOOL, name: COLUMNS[name]}, index=list("stuvwxyz"))
    levels = Levels(read_frame(data), "school")
    for level in levels:
        own = data[data.school == level]
        found, expected = levels.rows(level), read_frame(own)
        assert same(found[name], expected[name])
        assert found.n_rows == len(own)
        assert found.index.equals(own.index)
        pd.testing.assert_series_equal(found.series(name), own[name], check_names=False, check_index=False)
