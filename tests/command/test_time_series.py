"""Time-series operators: values by time within panels, the rows they leave, names, and predictions for new data."""

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design import build_design, rows_of_X
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.errors import CommandError, DataError
from sparsemixed.time_series import TimeOperator, split_name


@pytest.fixture
def panels():
    """30 persons over up to 8 periods with gaps, rows in random order."""
    rng = np.random.default_rng(3)
    rows = [(person, period) for person in range(30) for period in range(1, 9) if (person + 3 * period) % 7]
    data = pd.DataFrame(rows, columns=["id", "t"])
    data["x"], data["z"] = rng.normal(size=(2, len(data)))
    data["a"] = rng.integers(1, 4, len(data))
    data["s"] = pd.Series(["low", "mid", "high"])[data["a"] - 1].to_numpy()
    data["y"] = data["x"] + np.sin(data["id"]) + rng.normal(size=len(data))
    return data.sample(frac=1, random_state=4).reset_index(drop=True)


def by_hand(data, name, lag):
    """The value of `lag` periods earlier, by a merge."""
    earlier = data[["id", "t", name]].assign(t=data["t"] + lag)
    return data[["id", "t"]].merge(earlier, on=["id", "t"], how="left")[name].to_numpy()


def values(data, name, tsset="id t"):
    spec = read_model("y " + name, {"tsset": tsset})
    return model_frame(spec, data)[spec.fixed[0].factors[0].variable].numbers()


def test_values(panels):
    x, lag, lead = panels["x"].to_numpy(), by_hand(panels, "x", 1), by_hand(panels, "x", -1)
    lag2, lag3 = by_hand(panels, "x", 2), by_hand(panels, "x", 3)
    assert np.isnan(lag).sum() > np.isnan(x).sum()
    np.testing.assert_array_equal(values(panels, "L.x"), lag)
    np.testing.assert_array_equal(values(panels, "L2.x"), lag2)
    np.testing.assert_array_equal(values(panels, "F.x"), lead)
    np.testing.assert_array_equal(values(panels, "L0.x"), x)
    np.testing.assert_array_equal(values(panels, "LF.x"), x)
    np.testing.assert_allclose(values(panels, "D.x"), x - lag)
    np.testing.assert_allclose(values(panels, "D2.x"), x - 2 * lag + lag2)
    np.testing.assert_allclose(values(panels, "S2.x"), x - lag2)
    np.testing.assert_allclose(values(panels, "LD.x"), lag - lag2)
    np.testing.assert_allclose(values(panels, "FD.x"), lead - x)
    np.testing.assert_allclose(values(panels, "S2D.x"), x - lag - lag2 + lag3)


def test_gaps_and_missing_values_give_missing():
    data = pd.DataFrame({"y": [1.0, 2, 3, 4, 5], "t": [1, 2, 4, 5, np.nan], "x": [1.0, np.nan, 3, 4, 5]})
    np.testing.assert_array_equal(values(data, "L.x", "t"), [np.nan, 1, np.nan, 3, np.nan])
    np.testing.assert_array_equal(values(data, "L2.x", "t"), [np.nan, np.nan, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(values(data, "L3.x", "t"), [np.nan, np.nan, 1, np.nan, np.nan])
    np.testing.assert_array_equal(values(data, "F1000000.x", "t"), [np.nan] * 5)


def test_panels_of_text_and_times_far_apart():
    data = pd.DataFrame({"y": np.arange(6.0), "id": ["b", "a", None, "b", "a", None], "t": [-(10**9), 1, 5, 10**9, 2, 6]})
    np.testing.assert_array_equal(values(data, "L.y", "id t"), [np.nan, np.nan, np.nan, np.nan, 1, np.nan])
    np.testing.assert_array_equal(values(data, "L999999999.y", "id t"), [np.nan] * 6)
    assert values(data.iloc[:0], "L.y", "id t").size == 0


def test_lags_look_at_all_rows_before_if_and_in(panels):
    design = build_design(read_model("y L.x if t > 4 || id:, tsset(id t)"), panels)
    expected = by_hand(panels, "x", 1)
    kept = np.flatnonzero((panels["t"] > 4) & ~np.isnan(expected))
    np.testing.assert_array_equal(design.kept, kept)
    np.testing.assert_array_equal(design.X[:, 0], expected[kept])
    assert (panels["t"][kept] == 5).any()


def test_operators_in_conditions_and_weights(panels):
    design = build_design(read_model("y x if L.x > 0 & L.x < . [fw=1 + (F.z < .)] || id:, tsset(id t)"), panels)
    np.testing.assert_array_equal(design.kept, np.flatnonzero(by_hand(panels, "x", 1) > 0))
    weighted = 1 + ~np.isnan(by_hand(panels, "z", -1)[design.kept])
    np.testing.assert_array_equal(design.weights.rows, weighted)


def test_a_fit_is_that_of_columns_made_by_hand(panels):
    fit = sparsemixed.mixed("D.y L(0/1).x cL.z#i.a iL.a || id: L.x", panels, tsset="id t")
    made = panels.assign(
        dy=panels["y"] - by_hand(panels, "y", 1),
        lx=by_hand(panels, "x", 1),
        lz=by_hand(panels, "z", 1),
        la=by_hand(panels, "a", 1),
    )
    same = sparsemixed.mixed("dy x lx c.lz#i.a i.la || id: lx", made)
    assert fit.llf == pytest.approx(same.llf, rel=1e-12)
    np.testing.assert_allclose(fit.params, same.params, rtol=1e-7)
    assert list(fit.params.index) == ["x", "L.x", "1b.a#cL.z", "2.a#cL.z", "3.a#cL.z", "2L.a", "3L.a", "_cons"]
    assert fit.random_params.index[0] == ("id: Independent", "var(L.x)")
    assert fit.e["depvar"] == "D.y"
    assert "1bL.a" in fit.e["b"].columns.get_level_values("name")
    assert "D.y" in str(fit)
    assert "L.a" in str(fit)


def test_names_of_held_cells(panels):
    fit = sparsemixed.mixed("y i.a##cL.x oD.z i.L.s || id:", panels, tsset="id t")
    names = list(fit.e["b"].columns.get_level_values("name"))[:-2]
    assert names == ["1b.a", "2.a", "3.a", "L.x", "1b.a#coL.x", "2.a#cL.x", "3.a#cL.x", "oD.z", "highb.L.s", *names[9:]]
    assert names[9:] == ["low.L.s", "mid.L.s", "_cons"]


def test_tests_and_contrasts_find_the_names(panels):
    fit = sparsemixed.mixed("y cL.x#i.a iL.a LD.z || id:", panels, tsset="id t")
    p = fit.params
    assert fit.lincom("2.a#cL.x - c.L.x#3.a").estimate == pytest.approx(p["2.a#cL.x"] - p["3.a#cL.x"])
    assert fit.lincom("2L.a + LD.z").estimate == pytest.approx(p["2L.a"] + p["LD.z"])
    assert fit.testparm("iL.a").df == fit.testparm("L.a").df == 2
    assert fit.testparm("i.a#cL.x").df == 3
    assert fit.testparm("LD.z").df == 1
    assert fit.contrast("L.a").statistic == pytest.approx(fit.testparm("iL.a").statistic)
    held = sparsemixed.mixed("y L.x LD.z || id:", panels, tsset="id t", constraints=["LD.z = 0.25"])
    assert held.params["LD.z"] == 0.25


def test_new_data(panels, tmp_path):
    fit = sparsemixed.mixed("y L.x D.z i.L.s || id: L.x", panels, tsset="id t")
    fit.save(tmp_path / "fit")
    new = panels[panels["id"] < 5].drop(columns="y")
    for one in (fit, sparsemixed.load(tmp_path / "fit")):
        np.testing.assert_allclose(one.predict(new), fit.predict(panels)[panels["id"] < 5], equal_nan=True)
        fitted = one.predict(new, what="fitted")
        np.testing.assert_allclose(fitted.dropna(), fit.predict(what="fitted").loc[fitted.dropna().index])
    np.testing.assert_allclose(rows_of_X(fit.fit.design, fit.fit.spec, panels)[fit.fit.design.kept], fit.fit.design.X)
    with pytest.raises(CommandError, match="tsset: variable `t` not found"):
        fit.predict(new.drop(columns="t"))
    with pytest.raises(CommandError, match="variable `x` not found"):
        fit.predict(new.drop(columns="x"))


def test_formulas(panels):
    by_formula = sparsemixed.mixed("D.y ~ L.x + LD.z + (1 | id)", panels, tsset="id t")
    by_command = sparsemixed.mixed("D.y L.x LD.z || id:", panels, tsset="id t")
    assert by_formula.llf == pytest.approx(by_command.llf, rel=1e-12)
    lagged_text = sparsemixed.mixed("y ~ L.s + (1 | id)", panels, tsset="id t")
    assert [name for name in lagged_text.params.index if "s" in name.split(".")] == ["low.L.s", "mid.L.s"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("y L.x || id:", {}, "L.x needs a time variable: declare panel and time with the option tsset(id t)"),
        ("y ~ L.x + (1|id)", {}, "L.x needs a time variable"),
        ("y x if D.x > 0 || id:", {}, "D.x needs a time variable"),
        ("y L.xx || id:, tsset(id t)", {}, "variable `xx` not found; did you mean `x`?"),
        ("y x || id:, tsset(id tt)", {}, "tsset: variable `tt` not found; did you mean `t`?"),
        ("y L.x || id:", {"tsset": "idd t"}, "tsset: variable `idd` not found; did you mean `id`?"),
        ("y x || id:, tsset(id t z)", {}, "option tsset(): takes a time variable"),
        ("y x || id:, tsset(t t)", {}, "are both t"),
        ("y x || id:, tsset()", {}, "found nothing"),
        ("y x || id:, tsset(t) tsset(id t)", {}, "contradicts"),
    ],
)
def test_mistakes_in_the_text(panels, text, options, message):
    with pytest.raises(CommandError) as caught:
        sparsemixed.mixed(text, panels, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "tsset", "message"),
    [
        ({}, "t", "`t` repeats: rows .* with several series name the panel variable too: tsset\\(id t\\)"),
        ({"t": 1}, "id t", "`t` repeats: rows .* t = 1 within id = "),
        ({"t": 1.5}, "id t", "`t` must hold whole numbers, found 1.5 in row 1"),
        ({"t": "1"}, "id t", "`t` holds text"),
        ({"t": pd.Timestamp("2020-01-01")}, "id t", "`t` holds dates"),
    ],
)
def test_times_that_are_none(panels, change, tsset, message):
    with pytest.raises(DataError, match=message):
        sparsemixed.mixed("y L.x || id:", panels.assign(**change), tsset=tsset)


def test_differences_of_text(panels):
    with pytest.raises(DataError, match=r"`D.s` is a difference, and `s` holds text"):
        sparsemixed.mixed("y D.s || id:", panels, tsset="id t")


def test_columns_whose_names_look_like_operators(panels):
    data = panels.assign(**{"L.x": panels["x"] ** 2})
    fit = sparsemixed.mixed("y `L.x` || id:", data)
    assert fit.nobs == len(data)
    with pytest.raises(CommandError, match="is a column of the data as well as `x` with an operator; rename"):
        sparsemixed.mixed("y L.x || id:", data, tsset="id t")


def test_algebra_of_operators():
    L, D, S3 = TimeOperator(lag=1), TimeOperator(differences=1), TimeOperator(seasonal=(3,))
    assert (L * D * S3 * L).text == "L2DS3"
    assert (D * S3).weights() == {0: 1, 1: -1, 3: -1, 4: 1}
    assert split_name("L2DS3.my x") == (L * L * D * S3, "my x")
    assert split_name("l.x") is None
    assert split_name("LX.x") is None


def test_lags_stand_under_their_variable(panels):
    """In the places of Stata's tables, seen in public logs of regressions on lags."""
    fit = sparsemixed.mixed("y L(0/1).x LD2.x z i.a F.z a#cL.z || id:, coeflegend", panels, tsset="id t")
    lines = fit.summary(noheader=True, noretable=True).splitlines()
    places = [line[:13] for line in lines]
    assert places[3:8] == [f"{label:>12} " for label in ("x", "--.", "L1.", "LD2.", "")]
    assert places[8:10] == [f"{label:>12} " for label in ("z", "")]
    assert [line[13] for line in lines[3:10]] == ["|"] * 7
    start = places.index(f"{'F1.':>12} ")
    assert places[start - 1 : start + 3] == [f"{label:>12} " for label in ("z", "F1.", "", "a#cL.z")]
    assert "--." not in str(sparsemixed.mixed("y x z || id:", panels))
    assert "&emsp;L1." in fit.to_markdown()
