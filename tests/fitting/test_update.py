"""`update`: the same call with changes, and what it refuses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import sparsemixed
from sparsemixed.command.updated_formula import updated_model
from sparsemixed.errors import CommandError, DataError, OptionError


@pytest.fixture
def data():
    found = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    found["x"], found["w"] = np.sin(np.arange(len(found))), 1 + found["id"] % 2
    return found


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("y ~ time + (1 | id)", ". ~ . + x", "y ~ time + x + (1 | id)"),
        ("y ~ time + x + (1 | id)", ". ~ . - x", "y ~ time + (1 | id)"),
        ("y ~ time + (1 | id)", "x ~ .", "x ~ time + (1 | id)"),
        ("y ~ time + (1 | id) + (0 + time | id)", ". ~ . - (0+time|id)", "y ~ time + (1 | id)"),
        ("y ~ (1|id) + time", ". ~ . - (1 | id) + (time | id)", "y ~ time + (time | id)"),
        ("y ~ time + (1 | id)", "y ~ x + (1 | id)", "y ~ x + (1 | id)"),
        ("y ~ (1 | id)", ". ~ . - (1 | id)", "y ~ 1"),
        ("y time || id:, reml", "y x || id:, reml", "y x || id:, reml"),
    ],
)
def test_models(data, old, new, same):
    fit, plain = sparsemixed.mixed(old, data).update(new), sparsemixed.mixed(same, data)
    assert fit.llf == pytest.approx(plain.llf, rel=1e-12)
    assert fit.params.sort_index().to_dict() == pytest.approx(plain.params.sort_index().to_dict())


def test_points_that_mean_nothing():
    for new in (". ~ x + .", ". ~ . + .", ". ~ . : x", ". ~ log(.)"):
        with pytest.raises(CommandError, match="a point stands first on the right side"):
            updated_model("y ~ x + (1 | g)", new)
    with pytest.raises(CommandError, match="the old model is a command; write the new one out"):
        updated_model("y x || g:", ". ~ . + z")
    with pytest.raises(CommandError, match=r"the model has no random part \(1 \| h\)"):
        updated_model("y ~ x + (1 | g)", ". ~ . - (1 | h)")
    # Points within names and numbers are no old sides.
    assert updated_model("y ~ x", "a.b ~ c.d + (1 | g)") == "a.b ~ c.d + (1 | g)"


@pytest.mark.parametrize("model", ["y time || id:, reml level(90) stddeviations", "y ~ time + (1 | id)"])
def test_options_win_over_the_text_and_earlier_keywords(data, model):
    options = {} if "||" in model else {"reml": True, "level": 90, "stddeviations": True}
    fit = sparsemixed.mixed(model, data, **options)
    changed = fit.update(mle=True, level=99, variance=True)
    assert changed.fit.spec.estimation.method == "ml"
    assert changed.fit.spec.display.level == 99
    assert not changed.fit.spec.display.stddeviations
    assert changed.update(reml=True).llf == pytest.approx(fit.llf, rel=1e-12)
    assert fit.fit.spec.estimation.method == "reml"
    # Two that contradict each other are an error in mixed itself, as before.
    with pytest.raises(OptionError, match="contradicts"):
        sparsemixed.mixed("y time || id:, reml", data, mle=True)


def test_options_stay_and_can_be_taken_away(data):
    fit = sparsemixed.mixed("y ~ time + (1 | id)", data, precision_weights="w", level=90)
    assert fit.update(". ~ . + x").fit.spec.display.level == 90
    assert fit.update(". ~ . + x").fit.spec.weights is not None
    assert fit.update(precision_weights=None).fit.spec.weights is None
    with pytest.raises(OptionError, match="unknown option levl"):
        fit.update(levl=90)


def test_arrays_and_groups_go_along(data):
    fit = sparsemixed.mixed("y ~ time", data, groups=data["id"].to_numpy(), precision_weights=data["w"].to_numpy())
    other = fit.update(". ~ . + x")
    plain = sparsemixed.mixed("y ~ time + x + (1 | id)", data, precision_weights="w")
    assert other.llf == pytest.approx(plain.llf, rel=1e-12)
    assert fit.drop1().llf[1] == pytest.approx(sparsemixed.mixed("y ~ 1 + (1 | id)", data, precision_weights="w").llf)


def test_other_data(data):
    fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
    half = data[data["id"] < 30]
    assert fit.update(data=half).nobs == len(half)
    assert fit.update(data=half).update(". ~ . + x").nobs == len(half)


def test_new_columns_are_found_and_changed_rows_are_not_passed_over(data):
    fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
    data["z"] = data["x"] ** 2
    assert "z" in fit.update(". ~ . + z").params
    data.loc[:, "y"] = data["y"].to_numpy()[::-1]
    with pytest.raises(DataError, match="update: the data have changed since the model was fitted"):
        fit.update(". ~ . + z")
    assert fit.update(". ~ . + z", data=data).nobs == 360


def test_a_file_is_read_again(data, tmp_path):
    path = tmp_path / "visits.csv"
    data.to_csv(path, index=False)
    fit = sparsemixed.mixed("y ~ time + (1 | id)", path)
    assert fit.update(". ~ . + x").llf == pytest.approx(sparsemixed.mixed("y ~ time + x + (1 | id)", data).llf)
    assert fit.drop1().npar.tolist() == [4, 3]


def test_fits_that_do_not_know_their_data(data, tmp_path):
    fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
    fit.save(tmp_path / "fit.smx", data=True)
    for other in (sparsemixed.load(tmp_path / "fit.smx"), pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
        assert other.call is None
        with pytest.raises(OptionError, match="update fits again, and this fit does not know its data"):
            other.update(reml=True)


def test_data_in_batches(data, tmp_path):
    pytest.importorskip("pyarrow")
    folder = tmp_path / "parts"
    folder.mkdir()
    data.iloc[:180].to_parquet(folder / "a.parquet")
    data.iloc[180:].to_parquet(folder / "b.parquet")
    fit = sparsemixed.mixed("y ~ time + (1 | id)", folder)
    assert fit.update(". ~ . + x").llf == pytest.approx(sparsemixed.mixed("y ~ time + x + (1 | id)", data).llf)
    with pytest.raises(OptionError, match="drop1 needs data in memory"):
        fit.drop1()
    with pytest.raises(OptionError, match="have their weights in a column"):
        sparsemixed.mixed("y ~ time + (1 | id)", folder, fweights=data["w"])
    with pytest.raises(OptionError, match="have their groups in a column"):
        sparsemixed.mixed("y ~ time", folder, groups=data["id"])


def test_another_method_of_degrees_of_freedom_keeps_the_call(data):
    fit = sparsemixed.mixed("y ~ time + (1 | id)", data, reml=True).estat.df(post="kroger")
    assert fit.update(". ~ . + x").nobs == 360


def test_the_call_says_how_a_fit_was_made(data):
    fit = sparsemixed.mixed("y ~ time + (1 | id)", data, reml=True)
    assert fit.call.data is data
    assert repr(fit.call) == "mixed('y ~ time + (1 | id)', <DataFrame>, reml=True)"
