"""Predictions carry the index of the frame, and rows that the sample says nothing about are not predicted."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import NotEstimableWarning

IN_SAMPLE = ("xb", "stdp", "fitted", "residuals", "reffects", "reses")


def visits() -> pd.DataFrame:
    return simulate_longitudinal(12, 5, seed=3).sample(frac=1, random_state=1)


INDICES = {
    "shuffled": lambda n: pd.Index(np.random.default_rng(1).permutation(n) + 100),
    "default": lambda n: pd.RangeIndex(n),
    "texts": lambda n: pd.Index([f"row {i}" for i in range(n)], name="key"),
    "dates": lambda n: pd.date_range("2020-01-01", periods=n, tz="Europe/Paris"),
    "two": lambda n: pd.MultiIndex.from_arrays([np.arange(n) // 5, [f"v{i % 5}" for i in range(n)]], names=["id", None]),
    "repeated": lambda n: pd.Index(np.arange(n) // 2),
}


@pytest.mark.parametrize("kind", INDICES)
def test_predictions_carry_the_index_of_the_frame(kind, tmp_path):
    data = visits()
    data.index = INDICES[kind](len(data))
    data.iloc[3, data.columns.get_loc("y")] = np.nan
    fit = sparsemixed.mixed("y time if time < 4 || id: time", data)
    used = data[(data.time < 4) & data.y.notna()]
    fit.save(tmp_path / "saved.fit", data=True)
    for one in (fit, sparsemixed.load(tmp_path / "saved.fit")):
        for what in IN_SAMPLE:
            pd.testing.assert_index_equal(one.predict(what=what).index, used.index)
        pd.testing.assert_series_equal(one.predict(what="fitted"), one.predict(used, "fitted"))


def test_time_series_operators_keep_the_index():
    data = visits().set_axis([f"r{i}" for i in range(60)])
    fit = sparsemixed.mixed("y L.y || id:", data, tsset="id time")
    assert fit.predict().index.equals(data.index[(data.time > 0).to_numpy()])


def test_data_without_an_index_have_positions():
    polars = pytest.importorskip("polars")
    data = visits().reset_index(drop=True)
    fit = sparsemixed.mixed("y time if time > 0 || id:", polars.DataFrame(data.to_dict("list")))
    for what in IN_SAMPLE:
        index = fit.predict(what=what).index
        assert index.name == "row"
        assert index.tolist() == np.flatnonzero(data.time > 0).tolist()


CELLS = pd.DataFrame(
    {
        "a": list("ppqqppqqppqq"),
        "b": list("uvuuuvuuuvuu"),
        "g": np.repeat([1, 2, 3], 4),
        "x": np.linspace(0.0, 1.1, 12) ** 2,
        "y": [50.0, 52, 51, 49, 53, 50, 52, 51.5, 48, 47, 50, 49.5],
    }
)
NEW = pd.DataFrame({"a": ["q", "q", "p"], "b": ["u", "v", "v"], "g": [1, 1, 9], "x": [0.5, 0.5, 0.5]})


@pytest.mark.parametrize(
    "model",
    ["y ~ 0 + a:b + (1 | g)", "y ~ a*b + (1 | g)", "y i.a##i.b || g:", "y i.a#i.b x || g:", "y i.a i.b i.a#i.b#c.x || g:"],
)
@pytest.mark.parametrize("what", ["xb", "stdp", "fitted"])
def test_cells_without_observations_are_not_predicted(model, what, tmp_path):
    data = CELLS.assign(a=pd.Categorical(CELLS.a).codes, b=pd.Categorical(CELLS.b).codes) if "~" not in model else CELLS
    new = NEW.assign(a=[1, 1, 0], b=[0, 1, 1]) if "~" not in model else NEW
    fit = sparsemixed.mixed(model, data)
    fit.save(tmp_path / "saved.fit")
    for one in (fit, sparsemixed.load(tmp_path / "saved.fit")):
        with pytest.warns(NotEstimableWarning, match=r"1 row is not predicted: the sample does not tell the coefficient of"):
            found = one.predict(new, what)
        assert np.isnan(found).tolist() == [False, True, False]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert one.predict(new.iloc[[0, 2]], what).notna().all()
            pd.testing.assert_series_equal(one.predict(data, "fitted"), fit.predict(what="fitted"))


def test_a_cell_is_no_matter_where_its_covariate_is_zero():
    data = CELLS.assign(a=pd.Categorical(CELLS.a).codes, b=pd.Categorical(CELLS.b).codes)
    fit = sparsemixed.mixed("y i.a i.b i.a#i.b#c.x || g:", data)
    new = pd.DataFrame({"a": [1, 1], "b": [1, 1], "x": [0.0, 1.0]})
    with pytest.warns(NotEstimableWarning, match="1 row is"):
        assert np.isnan(fit.predict(new)).tolist() == [False, True]


def test_collinear_columns_are_predicted_where_they_are_what_they_were(tmp_path):
    """z = 2x - 1 and the level c = q of b = q throughout: elsewhere another fit of the same sample would predict otherwise."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(range(8), 5), "x": rng.normal(size=40), "b": rng.integers(0, 3, 40)})
    data["z"], data["c"], data["y"] = 2 * data.x - 1, (data.b == 2).astype(int), rng.normal(size=40)
    fit = sparsemixed.mixed("y x z i.b i.c || g:", data)
    other = sparsemixed.mixed("y z x i.c i.b || g:", data)
    fit.save(tmp_path / "saved.fit")
    new = pd.DataFrame({"x": [1.0, 1.0, 1.0], "z": [1.0, 5.0, 1.0], "b": [2, 2, 0], "c": [1, 1, 1], "g": [1, 1, 1]})
    for one in (fit, other, sparsemixed.load(tmp_path / "saved.fit")):
        with pytest.warns(NotEstimableWarning, match="2 rows are not predicted"):
            found = one.predict(new)
        assert np.isnan(found).tolist() == [False, True, True]
        assert found[0] == pytest.approx(fit.predict(new.iloc[[0]])[0], rel=1e-9)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_allclose(one.predict(data), fit.predict(), rtol=1e-9, atol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(fit.predict(new.assign(x=np.nan))).all()  # missing, which needs no warning


def test_columns_left_out_on_request_are_zero():
    data = CELLS.assign(a=pd.Categorical(CELLS.a).codes)
    fit = sparsemixed.mixed("y o.x i.a || g:", data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit.predict(data.assign(x=100.0)).notna().all()


def test_one_cell_of_two_large_factors_is_small():
    """Their combinations would take 67 GB."""
    rng = np.random.default_rng(1)
    n = 200_000
    data = pd.DataFrame({"a": rng.integers(1, 90_000, n), "b": rng.integers(1, 90_000, n), "g": rng.integers(0, 50, n)})
    data.loc[:999, ["a", "b"]] = 1
    data["y"] = rng.normal(size=n) + (data.a == 1) * (data.b == 1)
    own = data.assign(c=((data.a == 1) & (data.b == 1)).astype(float))
    fit, right = sparsemixed.mixed("y 1.a#1.b || g:", data), sparsemixed.mixed("y c || g:", own)
    assert fit.llf == pytest.approx(right.llf, rel=1e-12)
    np.testing.assert_allclose(fit.params, right.params, rtol=1e-9)
    new = pd.DataFrame({"a": [1, 1, 2], "b": [1, 2, 1]})
    np.testing.assert_allclose(fit.predict(new), right.predict(pd.DataFrame({"c": [1.0, 0.0, 0.0]})), rtol=1e-9)
