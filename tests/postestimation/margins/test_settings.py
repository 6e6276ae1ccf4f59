"""Which rows and cells margins average over, and elasticities: within(), emptycells(), noesample, statistics of all rows."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import OptionError
from tests.postestimation.margins.dense import X_of, mean_row, simulated
from tests.postestimation.margins.test_margins import agrees


@pytest.fixture(scope="module")
def plain():
    data = simulated(50)
    return sparsemixed.mixed("y i.a##i.b c.x##c.x z || g:", data), data


@pytest.fixture(scope="module")
def empty():
    data = simulated(51, empty=True)
    return sparsemixed.mixed("y i.a##i.b x || g:", data), data


def row(fit, **weights):
    """A row by the names of coefficients."""
    K = np.zeros(len(fit.params))
    for name, weight in weights.items():
        K[list(fit.params.index).index(name)] = weight
    return K


def test_empty_cells_leave_their_weight_to_others_of_their_term(empty):
    fit, _ = empty
    assert not fit.margins("a, asbalanced").estimable.all()
    found = fit.margins("a b, asbalanced emptycells(reweight) at(x=3)")
    assert found.estimable.all()
    common = {"_cons": 1.0, "x": 3.0}
    of_a = [
        row(fit, **common, **{"1.b": 0.5}),
        row(fit, **common, **{"2.a": 1.0, "1.b": 0.5, "2.a#1.b": 0.5}),
        row(fit, **common, **{"3.a": 1.0, "1.b": 0.5}),
    ]
    of_b = [
        row(fit, **common, **{"2.a": 1 / 3, "3.a": 1 / 3}),
        row(fit, **common, **{"2.a": 1 / 3, "3.a": 1 / 3, "1.b": 1.0, "2.a#1.b": 1 / 2}),
    ]
    agrees(fit, found, [*of_a, *of_b])
    whole = row(fit, **common, **{"2.a": 1 / 3, "3.a": 1 / 3, "1.b": 0.5, "2.a#1.b": 1 / 5})
    agrees(fit, fit.margins(", at((asbalanced) _factor x=3) emptycells(reweight)"), whole)
    assert "Empty cells: reweight" in str(found)


def test_without_empty_cells_nothing_is_reweighted(plain):
    fit, _ = plain
    strict = fit.margins("a##b, asbalanced dydx(x)")
    found = fit.margins("a##b, asbalanced dydx(x)", emptycells="reweight")
    np.testing.assert_allclose(found.jacobian, strict.jacobian, rtol=1e-14)


def test_cells_that_occur_in_a_nest():
    data = simulated(52)
    data["s"] = data["g"] % 2
    data["c"] = data["s"] * 3 + data["a"]  # levels 1 to 3 in the nest 0, 4 to 6 in the nest 1
    fit = sparsemixed.mixed("y i.s i.c x || g:", data)
    found = fit.margins(", asbalanced within(s) at(s=0) at(s=1)")
    rows = [
        [np.mean([X_of(fit, data, s=s, c=3 * g + i).mean(axis=0) for i in (1, 2, 3)], axis=0) for g in (0, 1)] for s in (0, 1)
    ]
    rows = np.reshape(rows, (4, -1))
    x = list(fit.params.index).index("x")
    rows[:, x] = [data.loc[data["s"] == g, "x"].mean() for _ in (0, 1) for g in (0, 1)]
    np.testing.assert_allclose(found.jacobian, rows, rtol=1e-10, atol=1e-12)
    assert "Within:     s" in str(found)
    assert found.frame["s"].tolist() == [0, 1, 0, 1]
    observed, over = fit.margins("s, within(s)"), fit.margins("s, over(s)")
    np.testing.assert_array_equal(observed.jacobian, over.jacobian)


def test_statistics_of_all_rows_in_spite_of_over(plain):
    fit, data = plain
    own, whole = (fit.margins(f"b, at(({word}) x) over(a)") for word in ("p25", "op25"))
    everything = fit.margins("b, at((p25) x)").at[0][0].values["x"]
    assert {setting.values["x"] for setting in whole.at[0]} == {everything}
    assert len({setting.values["x"] for setting in own.at[0]}) == 3
    for word, value in (("omean", data["x"].mean()), ("omax", data["x"].max()), ("omedian", data["x"].median())):
        found = fit.margins(f", at(({word}) x) over(b)")
        assert [setting.values["x"] for setting in found.at[0]] == pytest.approx([value, value])


def test_lists_of_variables_and_later_over_earlier(plain):
    fit, data = plain
    found = fit.margins(", at((mean) _continuous (base) _factor x=2)")
    agrees(fit, found, X_of(fit, data, a=1, b=0, x=2.0, z=data["z"].mean())[0])
    assert found.title == "Adjusted predictions"
    mapped = fit.margins(at={"_continuous": "mean", "_factor": "base", "x": 2})
    np.testing.assert_array_equal(found.jacobian, mapped.jacobian)
    everything = fit.margins(", at((mean) _all) at((asobserved) _all) at((zero) x z)")
    agrees(fit, fit.margins("", atmeans=True), everything.jacobian[0])
    np.testing.assert_array_equal(everything.jacobian[1], fit.margins().jacobian[0])
    agrees(fit, fit.margins(at={"x": 0, "z": 0}), everything.jacobian[2])


def test_rows_outside_of_the_sample():
    data = simulated(53)
    fit = sparsemixed.mixed("y i.a x [fw=w] if x > 2.5 || g:", data)
    found = fit.margins("a, noesample")
    w = data["w"].to_numpy()
    whole = sparsemixed.mixed("y i.a x [fw=w] || g:", data)
    agrees(fit, found, [w @ X_of(whole, data, a=level) / w.sum() for level in (1, 2, 3)])
    agrees(fit, fit.margins("a, noesample noweights"), [X_of(whole, data, a=level).mean(axis=0) for level in (1, 2, 3)])
    with pytest.raises(OptionError, match="noesample is for the data of the fit"):
        fit.margins("a, noesample", data=data)
    with pytest.raises(OptionError, match="does not go with data= or noesample"):
        fit.margins("a, noesample vce(unconditional)")


def test_weights_of_all_levels_before_they_are_scaled():
    data = simulated(54)
    data["wg"] = data["g"] % 3 + 1.0
    fit = sparsemixed.mixed("y i.a x [pw=p] || g:, pweight(wg) pwscale(size)", data)
    w = (data["p"] * data["wg"]).to_numpy()
    np.testing.assert_allclose(fit.margins().jacobian[0], w @ fit.fit.design.X / w.sum(), rtol=1e-12)


def test_elasticities_of_factors(plain):
    fit, data = plain
    beta, base = fit.params.to_numpy(), X_of(fit, data, a=1)
    found, shares = fit.margins(", eydx(a)"), fit.margins(", eydx(a) continuous")
    for i, level in enumerate((2, 3)):
        X = X_of(fit, data, a=level)
        assert found.estimate[i] == pytest.approx(np.mean(np.log(X @ beta) - np.log(base @ beta)), rel=1e-10)
        assert shares.estimate[i] == pytest.approx(np.mean((X - base) @ beta / (X_of(fit, data) @ beta)), rel=1e-10)
        J = mean_row(fit, X / (X @ beta)[:, None] - base / (base @ beta)[:, None])
        np.testing.assert_allclose(found.jacobian[i], J, rtol=1e-9, atol=1e-12)
    assert "ey/dx for factor levels is the discrete change from the base level." in str(found)
    assert "discrete change" not in str(shares)
    np.testing.assert_array_equal(fit.margins(", dydx(a) continuous").jacobian, fit.margins(", dydx(a)").jacobian)
    fixed = fit.margins(", eydx(a) at(x=3 z=0 b=1)")
    ends = [X_of(fit, data, a=level, b=1, x=3.0, z=0.0)[0] @ beta for level in (1, 2, 3)]
    np.testing.assert_allclose(fixed.estimate, np.log(ends[1:]) - np.log(ends[0]), rtol=1e-10)


def test_elasticities_with_generated_values(plain):
    fit, data = plain
    moved = data.assign(x=data["x"] + 1)
    found = fit.margins(", eyex(x) at(x=generate(x+1))")
    other = fit.margins(eyex="x", data=moved)
    assert found.estimate == pytest.approx(other.estimate, rel=1e-12)


def test_elasticities_are_labelled_approximate_with_small():
    fit = sparsemixed.mixed("y i.a x || g:, reml dfmethod(satterthwaite)", simulated(55))
    approximate, exact = fit.margins(", eydx(x) small"), fit.margins(", dydx(x) small")
    assert "approximate" in approximate.note
    assert "approximate" in str(approximate)
    assert exact.note == ""
    pairs = fit.margins("a, eydx(x) pwcompare small")
    assert "approximate" in pairs.note
