"""Predictions for new data: the effects of groups that the model knows, and what becomes of those that it does not."""

import numpy as np
import pandas as pd
import polars
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import CommandError, DataError, NotAvailableError, OptionError


@pytest.fixture(scope="module")
def data():
    data = simulate_longitudinal(36, 6, seed=4)
    data["drug"] = np.array(["placebo", "low", "high"])[data["id"] % 3]
    data["clinic"] = np.array(["north", "south", "west"])[data["id"] % 7 % 3]
    return data


MODELS = [
    "y time || id: time, covariance(unstructured)",
    "y time || clinic: || id: time",
    "y time || _all: R.drug || id:",
    "y time || _all: R.clinic || _all: R.drug, covariance(identity)",
    "y time || clinic: R.drug, covariance(exchangeable)",
    "y time || clinic: i.drug time, noconstant covariance(identity)",
    "y time || id: time c.time#c.time i.drug, collinear",
    "y time || id: time time",
    "y ~ time * drug + (1 + drug | clinic) + (0 + time || id)",
    "y ~ time + (1 | clinic/drug)",
    "y time || id:, residuals(ar 1, t(time))",
    "y time || clinic: time || clinic: , noconstant || id:",
]


@pytest.mark.parametrize("model", MODELS)
def test_the_sample_as_new_data(model, data):
    """Also in another order, and with levels that are not all there."""
    fit = sparsemixed.mixed(model, data)
    expected = fit.predict(what="fitted")
    pd.testing.assert_series_equal(fit.predict(data, "fitted"), expected, check_names=False, rtol=1e-13)
    some = data.sample(30, random_state=3).query("drug != 'low'").drop(columns="y")
    found = fit.predict(some, "fitted", new_levels="error")
    assert list(found.index) == list(some.index)
    np.testing.assert_allclose(found, expected[some.index], rtol=1e-12)


def test_groups_that_the_model_does_not_know(data):
    fit = sparsemixed.mixed("y time || clinic: || id: time", data)
    new = pd.DataFrame({"time": [1.0, 2.0, 3.0, 4.0], "clinic": ["north", "north", "east", "south"], "id": [7, 999, 7, 8]})
    effects = fit.random_effects
    of_clinic = effects["clinic"].set_index("clinic")["_cons"]
    of_id = effects["id"].set_index(["clinic", "id"])
    expected = fit.predict(new).to_numpy().copy()
    for row, (clinic, one) in enumerate(zip(new["clinic"], new["id"], strict=True)):
        expected[row] += of_clinic.get(clinic, 0.0)
        if (clinic, one) in of_id.index:
            expected[row] += of_id.loc[(clinic, one)] @ [new["time"][row], 1.0]
    np.testing.assert_allclose(fit.predict(new, "fitted"), expected, rtol=1e-12)
    with pytest.raises(DataError, match=r"1 row belongs to a group of clinic that the sample did not have: east; new_levels"):
        fit.predict(new, "fitted", new_levels="error")
    with pytest.raises(DataError, match="group of id that the sample did not have: north 999"):
        fit.predict(new[new["clinic"] != "east"], "fitted", new_levels="error")


def test_a_new_level_of_an_exchangeable_factor(data):
    fit = sparsemixed.mixed("y time || clinic: R.drug, covariance(exchangeable)", data)
    new = pd.DataFrame({"time": [1.0, 1.0], "clinic": "north", "drug": ["low", "huge"]})
    assert fit.predict(new, "fitted")[1] == fit.predict(new)[1] != fit.predict(new, "fitted")[0]
    with pytest.raises(DataError, match=r"clinic: R.drug that the sample did not have: north huge"):
        fit.predict(new, "fitted", new_levels="error")


def test_missing_values_predict_missing(data):
    fit = sparsemixed.mixed("y time || id: time", data)
    new = pd.DataFrame({"time": [1.0, np.nan, 1.0, np.nan], "id": [1, 1, np.nan, np.nan]})
    assert fit.predict(new, "fitted").isna().tolist() == [False, True, True, True]
    assert fit.predict(new.iloc[:0], "fitted").empty


def test_numbers_match_whatever_their_type(data):
    fit = sparsemixed.mixed("y time || id: time", data)
    expected = fit.predict(what="fitted").to_numpy()
    for frame in (data.astype({"id": float}), data.astype({"id": "category"}), polars.from_pandas(data)):
        np.testing.assert_allclose(fit.predict(frame, "fitted", new_levels="error"), expected)
    with pytest.raises(DataError, match="variable `id` held numbers in the data fitted and holds text here"):
        fit.predict(data.astype({"id": str}), "fitted")
    text = sparsemixed.mixed("y time || clinic:", data)
    with pytest.raises(DataError, match="variable `clinic` held text in the data fitted and holds numbers here"):
        text.predict(data.assign(clinic=1), "fitted")


def test_what_cannot_be(data):
    fit = sparsemixed.mixed("y time || clinic: i.drug, noconstant covariance(identity)", data)
    with pytest.raises(CommandError, match="variable `clinic` not found"):
        fit.predict(data.drop(columns="clinic"), "fitted")
    with pytest.raises(CommandError, match="variable `drug` not found"):
        fit.predict(data.drop(columns="drug"), "fitted")
    with pytest.raises(DataError, match="levels that were not in the sample fitted: huge"):
        fit.predict(data.assign(drug="huge"), "fitted")
    with pytest.raises(OptionError, match="new_levels='nonsense' is not one of population, draw, error"):
        fit.predict(data, "fitted", new_levels="nonsense")
    for what in ("residuals", "reffects", "scores"):
        with pytest.raises(NotAvailableError, match="on new data"):
            fit.predict(data, what)
