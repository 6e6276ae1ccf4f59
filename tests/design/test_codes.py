"""Numbers of groups against NumPy's sorting, for rows of which many stand together and for others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.design.data.codes import combine, compress, first_rows, group_sizes
from sparsemixed.design.data.variable import all_finite
from sparsemixed.solver.stretches import MANY, runs


def _columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 12, MANY)
    own = rng.integers(-50, 400, MANY)
    return {
        "in order": np.repeat(np.arange(MANY), lengths),
        "stretches": np.repeat(own, lengths),
        "decimals": np.repeat(own / 8.0, lengths),
        "far apart": np.repeat(own * 10**12, lengths),
        "narrow": np.repeat(own, lengths).astype(np.int16),
        "alone": rng.permutation(np.repeat(own, lengths)),
        "few": np.repeat(own, lengths)[: MANY - 1],
        "one": np.full(2 * MANY, 7),
    }


@pytest.mark.parametrize("name", _columns())
def test_codes_are_those_of_sorting(name):
    values = _columns()[name]
    distinct, first, codes, sizes = np.unique(values, return_index=True, return_inverse=True, return_counts=True)
    found, levels = compress(values)
    assert (runs(values) is None) == (name in ("alone", "few"))
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, codes)
    np.testing.assert_array_equal(levels, distinct)
    np.testing.assert_array_equal(first_rows(found, len(levels)), first)
    np.testing.assert_array_equal(group_sizes(found, len(levels)), sizes)


@pytest.mark.parametrize("name", _columns())
def test_combinations_are_those_of_sorting(name):
    first = compress(_columns()[name])[0]
    second = np.resize(np.repeat(np.arange(5, dtype=np.int32), 4), len(first))
    expected = np.unique(first.astype(np.int64) * 5 + second, return_inverse=True)[1]
    np.testing.assert_array_equal(combine(first, second), expected)


@pytest.mark.parametrize("place", [0, 17, 99])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_seen_wherever_it_stands(value, place):
    values = np.linspace(-1.0, 1.0, 100)
    assert all_finite(values)
    values[place] = value
    assert not all_finite(values)
    values[50] = -value
    assert not all_finite(values)


def _design_of(command, data):
    return sparsemixed.mixed(command, data).fit.design


def test_columns_that_two_parts_of_a_model_have_are_made_once():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"y": rng.normal(size=60), "x": np.tile(np.arange(6.0), 10), "g": np.repeat(np.arange(10), 6)})
    design = _design_of("y x || g: x", data)
    assert design.random[0].columns is design.X
    apart = _design_of("y x || g: x, noconstant", data)
    np.testing.assert_array_equal(apart.random[0].columns, design.X[:, :1])
    np.testing.assert_array_equal(_design_of("y x, noconstant || g: x", data).X, design.X[:, :1])
