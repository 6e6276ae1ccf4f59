"""Weights as arrays and Series: the same fits as by columns, and one clear message for those that do not fit the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, OptionError

KINDS = ("fweights", "pweights", "precision_weights")
MODELS = ("y time || id:", "y ~ time + (1 | id)")


@pytest.fixture
def data():
    found = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=2)
    found["w"] = 1 + (7 * np.arange(len(found))) % 3
    found["wid"] = 1 + found["id"] % 2
    return found


def forms(column: pd.Series) -> dict[str, object]:
    """One column in the ways that a user may have it."""
    shuffled = column.sample(frac=1, random_state=1)
    return {"array": column.to_numpy(), "list": column.tolist(), "series": column, "by index": shuffled, "tuple": tuple(column)}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", KINDS)
def test_arrays_are_columns(data, kind, model):
    plain = sparsemixed.mixed(model, data, **{kind: "w"})
    for given in forms(data["w"]).values():
        fit = sparsemixed.mixed(model, data, **{kind: given})
        assert fit.llf == pytest.approx(plain.llf, rel=1e-12)
        assert fit.bse.to_numpy() == pytest.approx(plain.bse.to_numpy())
    assert list(data.columns) == ["y", "time", "id", "w", "wid"]  # the user's frame is not touched


def test_by_level(data):
    plain = sparsemixed.mixed(MODELS[0], data, pweights={"": "w", "id": "wid"})
    fit = sparsemixed.mixed(MODELS[0], data, pweights={"": data["w"].to_numpy(), "id": data["wid"]})
    mixture = sparsemixed.mixed(MODELS[0], data, pweights={"": "w", "id": data["wid"].to_numpy()})
    assert fit.llf == mixture.llf == pytest.approx(plain.llf, rel=1e-12)


def test_an_index_that_is_no_range(data):
    odd = data.set_axis([f"row {i}" for i in range(len(data))])
    shuffled = odd["w"].sample(frac=1, random_state=3)
    plain = sparsemixed.mixed(MODELS[0], data, fweights="w")
    assert sparsemixed.mixed(MODELS[0], odd, fweights=shuffled).llf == pytest.approx(plain.llf, rel=1e-12)
    longer = pd.concat([shuffled, pd.Series([7], index=["another"])])
    assert sparsemixed.mixed(MODELS[0], odd, fweights=longer).llf == pytest.approx(plain.llf, rel=1e-12)


def test_missing_weights_leave_rows_out(data):
    w = data["w"].astype(float)
    w.iloc[:3] = np.nan
    assert sparsemixed.mixed(MODELS[0], data, precision_weights=w).nobs == len(data) - 3


def test_a_column_of_the_same_name_is_another_one(data):
    named = data.assign(fweights=5)
    fit = sparsemixed.mixed("y time fweights_ || id:", named.assign(fweights_=np.cos(np.arange(len(data)))), fweights=data["w"])
    assert fit.nobs == data["w"].sum()


def test_polars(data):
    polars = pytest.importorskip("polars")
    table = polars.from_pandas(data)
    plain = sparsemixed.mixed(MODELS[0], data, fweights="w")
    for given in (table["w"], data["w"].to_numpy(), data["w"]):
        assert sparsemixed.mixed(MODELS[0], table, fweights=given).llf == pytest.approx(plain.llf, rel=1e-12)


def test_saved_fits_show_the_same(data, tmp_path):
    fit = sparsemixed.mixed(MODELS[0], data, fweights=data["w"])
    fit.save(tmp_path / "fit.smx")
    assert str(sparsemixed.load(tmp_path / "fit.smx")) == str(fit)
    assert sparsemixed.load(tmp_path / "fit.smx").predict(data).equals(fit.predict(data))


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_that_do_not_fit(data, kind):
    w = data["w"]
    cases = [
        (w.to_numpy()[:10], DataError, rf"{kind} has 10 values and the data have 200 rows"),
        (w.iloc[:10], DataError, rf"{kind} has 10 values and the data have 200 rows"),
        (np.ones((200, 2)), DataError, rf"{kind} has the shape \(200, 2\)"),
        (w.set_axis(range(1000, 1200)), DataError, r"index is not that of the data.*to_numpy\(\)"),
        (w.set_axis([0] * 200), DataError, "does not name each of their rows once"),
        (["a"] * 200, DataError, "text or dates, not numbers"),
        (3.0, OptionError, f"{kind} takes the name of a column"),
    ]
    for given, error, message in cases:
        with pytest.raises(error, match=message):
            sparsemixed.mixed(MODELS[0], data, **{kind: given})


def test_weights_alone_are_ambiguous(data):
    for given in ("w", data["w"], data["w"].to_numpy()):
        with pytest.raises(OptionError, match=r"weights is no option: say which weights, fweights= .*precision_weights"):
            sparsemixed.mixed(MODELS[1], data, weights=given)
