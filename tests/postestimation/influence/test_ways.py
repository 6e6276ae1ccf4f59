"""The ways to the same numbers, names of groups, saved fits, and every refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, NotAvailableError, NotEstimableWarning, OptionError
from sparsemixed.postestimation.influence import eliminated_rows, fixed_theta
from sparsemixed.postestimation.influence.dense_clusters import clusters_of
from sparsemixed.postestimation.influence.eliminated_rows import eliminated_whitened
from sparsemixed.postestimation.influence.groups import level_of_model
from tests.postestimation.influence.cases import computed_by

CROSSED = sparsemixed.datasets.simulate_crossed(600, 40, 25, seed=4)
LONG = sparsemixed.datasets.simulate_longitudinal(12, 40, seed=3)
NESTED = LONG.assign(school=LONG.id % 4, room=LONG.time.astype(int) % 3)


@pytest.mark.parametrize("solver", ["dense", "sparse"])
@pytest.mark.parametrize("by", [None, "user", "item", "x5"])
def test_storages_of_the_schur_complement(solver, by, monkeypatch):
    data = CROSSED.assign(x5=(CROSSED.x > 0.5).astype(int))
    fit = sparsemixed.mixed(f"y x || _all: R.user || item: x, reml solver({solver})", data)
    expected, densities = fit.influence(by), fit.loo(by)
    with computed_by("eliminated", monkeypatch):
        pd.testing.assert_frame_equal(fit.influence(by), expected, rtol=1e-8, atol=1e-10)
        pd.testing.assert_frame_equal(fit.loo(by), densities, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("model", ["y time || id: time, covariance(unstructured)", "y time || school: || id:"])
@pytest.mark.parametrize("by", ["id", "school", "room"])
def test_many_rows_and_few_effects(model, by, monkeypatch):
    """The rows of a group are turned, so that what is left has the order of its effects."""
    fit = sparsemixed.mixed(model, NESTED)
    expected, densities, rows = fit.influence(by), fit.loo(by), fit.loo(by, rows=True)
    with computed_by("eliminated", monkeypatch):
        pd.testing.assert_frame_equal(fit.influence(by), expected, rtol=1e-8, atol=1e-10)
        pd.testing.assert_frame_equal(fit.loo(by), densities, rtol=1e-8, atol=1e-10)
        pd.testing.assert_frame_equal(fit.loo(by, rows=True), rows, rtol=1e-8, atol=1e-10)
    whole = eliminated_whitened(fit.fit, clusters_of(fit.fit))
    stacks = list(whole.precision.stacks(level_of_model(fit.fit, "id").codes, 12))
    assert all(stack.Q is not None and stack.H.shape[1] < 10 < stack.rows.shape[1] for stack in stacks)


def test_groups_of_too_many_rows_are_left_out_of_the_system(monkeypatch):
    fit = sparsemixed.mixed("y x || _all: R.user || item:, reml", CROSSED)
    expected = fit.influence("item")
    most = int(CROSSED.item.value_counts().median())
    monkeypatch.setattr(eliminated_rows, "MOST_ROWS", most)
    with computed_by("eliminated", monkeypatch):
        pd.testing.assert_frame_equal(fit.influence("item"), expected, rtol=1e-8, atol=1e-10)
        with pytest.raises(DataError, match=r"loo: item \d+ has \d+ rows that share groups with others"):
            fit.loo("item")


def test_large_data_go_by_the_factored_system(monkeypatch):
    fit = sparsemixed.mixed("y x || _all: R.user || item:", CROSSED)
    called = []
    monkeypatch.setattr(fixed_theta, "is_cheap", lambda clusters: called.append(len(clusters)))
    fit.leverage()
    assert called == [600]


def test_levels_are_called_by_their_variables():
    fit = sparsemixed.mixed("y time || school: || id:", NESTED)
    assert fit.influence("id").index.names == ["school", "id"]
    pd.testing.assert_frame_equal(fit.influence(["school", "id"]), fit.influence("id"))
    assert fit.influence("school").index.tolist() == [0, 1, 2, 3]
    two = fit.influence(["room", "school"], what="cooks")
    assert two.index.names == ["room", "school"]
    assert two.shape == (12, 1)


def test_the_same_by_formula_and_by_command():
    command = sparsemixed.mixed("y time || school: || id:, reml", NESTED)
    formula = sparsemixed.mixed("y ~ time + (1 | school/id)", NESTED, reml=True)
    for by in (None, "id", "school", "room"):
        one, other = command.influence(by), formula.influence(by)
        np.testing.assert_allclose(other[["cooks", "covratio"]], one[["cooks", "covratio"]], rtol=1e-5)


def test_saved_fits_with_their_data(tmp_path):
    fit = sparsemixed.mixed("y time || id:", NESTED)
    fit.save(tmp_path / "with.fit", data=True)
    fit.save(tmp_path / "without.fit")
    again = sparsemixed.load(tmp_path / "with.fit")
    pd.testing.assert_frame_equal(again.influence("id"), fit.influence("id"), rtol=1e-9)
    pd.testing.assert_frame_equal(again.augment(), fit.augment(), rtol=1e-9)
    with pytest.raises(OptionError, match=r"by='school' is no level of the model \(id\), and the fit does not know its data"):
        again.influence("school")
    for what in ("leverage", "influence", "loo", "augment"):
        with pytest.raises(DataError, match="saved without its data"):
            getattr(sparsemixed.load(tmp_path / "without.fit"), what)()


def test_offsets_and_rows_of_frames():
    data = NESTED.assign(o=1.5).set_index(pd.Index([f"r{i}" for i in range(len(NESTED))]))
    fit = sparsemixed.mixed("y ~ time + offset(o) + (1 | id)", data)
    rows, loo = fit.augment(), fit.loo()
    assert rows.index.equals(data.index)
    assert loo.index.equals(data.index)
    np.testing.assert_allclose(rows["y"], data["y"], rtol=1e-12)
    np.testing.assert_allclose(loo["y"], data["y"], rtol=1e-12)
    np.testing.assert_allclose(rows[".fitted"], fit.predict(what="fitted"), rtol=1e-12)
    plain = sparsemixed.mixed("y ~ time + (1 | id)", data.assign(y=data.y - 1.5))
    np.testing.assert_allclose(loo[["sd", "elpd", "pit"]], plain.loo()[["sd", "elpd", "pit"]], rtol=1e-6)


def test_without_random_effects_and_without_coefficients():
    fit = sparsemixed.mixed("y time", NESTED)
    X = np.column_stack([NESTED.time, np.ones(len(NESTED))])
    hat = np.einsum("ij,ij->i", X, np.linalg.solve(X.T @ X, X.T).T)
    np.testing.assert_allclose(fit.leverage(), hat, rtol=1e-9)
    assert fit.influence("id").notna().all(axis=None)
    bare = sparsemixed.mixed("y, noconstant || id:", NESTED)
    assert bare.influence(what="cooks").isna().all(axis=None)
    assert bare.loo("id")["elpd"].notna().all()


def test_what_only_one_group_tells_is_missing_without_it():
    data = NESTED.assign(alone=(NESTED.id == 3).astype(float))
    fit = sparsemixed.mixed("y time alone || id:", data)
    for method in ("fixed", "onestep", "exact"):
        with pytest.warns(NotEstimableWarning, match="influence: without id 3 the coefficients are not determined"):
            found = fit.influence("id", method)
        assert found.loc[3].isna().all()
        assert found.drop(index=3).notna().all(axis=None)
    with pytest.warns(NotEstimableWarning, match="loo: without id 3 the coefficients are not determined"):
        assert np.isnan(fit.loo("id").loc[3, "elpd"])


def test_refusals():
    fit = sparsemixed.mixed("y time || id:", NESTED)
    with pytest.raises(OptionError, match="influence: method='best' is not one of fixed, onestep, exact"):
        fit.influence(method="best")
    with pytest.raises(OptionError, match=r"what='cook' is not one of cooks, mdffits.*did you mean cooks"):
        fit.influence(what="cook")
    with pytest.raises(OptionError, match="rvc, needs variances estimated anew"):
        fit.influence("id", what="rvc")
    with pytest.raises(OptionError, match="influence: by: there is no variable `scool`; did you mean school"):
        fit.influence("scool")
    with pytest.raises(OptionError, match="by takes a name, or a list of names"):
        fit.influence(3)
    with pytest.raises(NotAvailableError, match="method='onestep' needs groups that share nothing with other rows"):
        fit.influence("room", "onestep")
    with pytest.raises(NotAvailableError, match=r"method='onestep' needs groups that share nothing.*single rows"):
        fit.influence(method="onestep")
    with pytest.raises(NotAvailableError, match="needs variance parameters"):
        sparsemixed.mixed("y time", NESTED).influence("id", "onestep")


def test_refusals_about_data():
    data = NESTED.assign(one=1, some=NESTED.room.where(NESTED.room > 0))
    fit = sparsemixed.mixed("y time || id:", data)
    with pytest.raises(OptionError, match="influence: one has one group alone"):
        fit.influence("one")
    with pytest.raises(OptionError, match="loo: one has one group alone"):
        fit.loo("one")
    with pytest.raises(DataError, match=r"loo: by: `some` is missing in \d+ rows of the sample"):
        fit.loo("some")
    data["y"] += 1.0
    with pytest.raises(DataError, match="the data have changed"):
        fit.influence("room")


def test_refusals_about_weights():
    data = NESTED.assign(w=1 + NESTED.room, g=1 + NESTED.school % 2)
    counted = sparsemixed.mixed("y time [fweight=w] || id:", data)
    with pytest.raises(OptionError, match="loo: predictive densities are not available with weights that replicate"):
        counted.loo()
    groups = sparsemixed.mixed("y time || id:, fweight(g)", data)
    for refused in (groups.leverage, groups.influence, groups.augment, lambda: groups.influence("id", "onestep")):
        with pytest.raises(NotAvailableError, match="not available with weights of groups"):
            refused()
    assert groups.influence("id", "exact").notna().all(axis=None)


def test_a_model_that_cannot_be_fitted_without_a_group_is_named():
    data = pd.DataFrame({"y": [1.0, 2.0, 3.0, 1.0, 1.0, 1.0], "g": [0, 0, 0, 1, 1, 1]})
    fit = sparsemixed.mixed("y || g:", data)
    with pytest.raises(DataError, match="influence: without g 0: the fixed part fits `y` exactly"):
        fit.influence("g", exact=True)
