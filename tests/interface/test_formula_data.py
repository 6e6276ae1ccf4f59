"""Functions in formulas and data: rows without a value, offsets, contrasts of levels, batches, columns that are not there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import CommandError, DataError, SparseMixedError
from tests.golden.simulated import curves


@pytest.fixture(scope="module")
def data():
    return curves().dropna().reset_index(drop=True)


def test_rows_without_a_value_are_left_out_and_told_of(data):
    fit = sparsemixed.mixed("y ~ log(z) + (1 | g)", data)
    positive = data["z"] > 0
    by_hand = sparsemixed.mixed("y ~ lz + (1 | g)", data[positive].assign(lz=np.log(data["z"][positive])))
    assert fit.llf == pytest.approx(by_hand.llf, abs=1e-9)
    first = int(np.flatnonzero(~positive)[0])
    note = (
        f"log(z) has no value in {(~positive).sum()} rows of the data, not used (first in row {first + 1}: z = {data.z[first]:g})"
    )
    assert note in str(fit)


def test_infinite_values_are_an_error_that_says_where(data):
    zero = data.assign(x=np.where(data.index == 4, 0.0, data["x"]))
    with pytest.raises(DataError, match=r"log\(x\) is infinite in 1 of the 295 rows used, first in row 5 .* where x = 0"):
        sparsemixed.mixed("y ~ log(x) + (1 | g)", zero)


def test_functions_learn_from_all_rows_that_have_their_variables(data):
    """As in R, whose model.frame computes before it leaves rows out."""
    holes = data.assign(y=data["y"].where(data.index % 3 > 0))
    fit = sparsemixed.mixed("y ~ scale(x) + (1 | g)", holes)
    by_hand = holes.assign(s=(data["x"] - data["x"].mean()) / data["x"].std())
    assert fit.params["scale(x)"] == pytest.approx(sparsemixed.mixed("y ~ s + (1 | g)", by_hand).params["s"], rel=1e-9)


@pytest.mark.parametrize(
    "options", [{}, {"reml": True}, {"precision_weights": "w"}, {"vce": "robust"}, {"residuals": "ar 1, t(t)"}]
)
def test_offsets_are_subtracted_and_added_again(data, options):
    data = data.assign(t=data.groupby("g").cumcount())
    fit = sparsemixed.mixed("log(y) ~ x + offset(z) + offset(log(e)) + (1 | g)", data, **options)
    offset = data["z"] + np.log(data["e"])
    by_hand = sparsemixed.mixed("r ~ x + (1 | g)", data.assign(r=np.log(data["y"]) - offset), **options)
    assert fit.llf == pytest.approx(by_hand.llf, abs=1e-8)
    np.testing.assert_allclose(fit.params, by_hand.params, rtol=1e-8)
    for what in ("xb", "fitted"):
        np.testing.assert_allclose(fit.predict(what=what), by_hand.predict(what=what) + offset, rtol=1e-7)
        np.testing.assert_allclose(fit.predict(data[:30], what=what), fit.predict(what=what)[:30], rtol=1e-9)
    np.testing.assert_allclose(fit.predict(what="residuals"), by_hand.predict(what="residuals"), atol=1e-7)
    np.testing.assert_allclose(fit.predict(what="stdp"), by_hand.predict(what="stdp"), rtol=1e-6)


def test_levels_that_contrasts_do_not_know(data):
    fit = sparsemixed.mixed("y ~ C(f, contr.sum) + (C(u, contr.sum) | g)", data)
    for change in ({"f": "new"}, {"u": "new"}):
        with pytest.raises(DataError, match="levels that were not in the sample fitted: new"):
            fit.predict(data[:5].assign(**change), what="fitted")
    missing = fit.predict(data[:5].assign(f=None), what="fitted")
    assert missing.isna().all()


def test_contrasts_have_the_levels_of_the_rows_used(data):
    holes = data.assign(y=data["y"].where(data["f"] != "d"))
    fit = sparsemixed.mixed("y ~ C(f, contr.sum) + (1 | g)", holes)
    assert list(fit.params.index) == ["C(f, contr.sum)1", "C(f, contr.sum)2", "_cons"]
    assert fit.llf == pytest.approx(sparsemixed.mixed("y ~ f + (1 | g)", holes).llf, abs=1e-8)


@pytest.mark.parametrize("name", ["bs(x, df = 5)", "ns(x, df = 3)", "cr(x, df = 4, constraints = 'center')"])
def test_splines_go_on_beyond_the_data(data, name):
    """As R's, cubic (B-splines) or linear (natural ones): divided differences of evenly spaced predictions vanish."""
    fit = sparsemixed.mixed(f"y ~ {name} + (1 | g)", data)
    beyond = fit.predict(pd.DataFrame({"x": np.linspace(10, 14, 9)}), what="xb")
    order = 4 if name.startswith("bs") else 2
    assert np.abs(np.diff(beyond, order)).max() < 1e-6 * np.abs(beyond).max()


def test_the_cubic_regression_spline_is_natural(data):
    """cr() and R's natural splines with the same knots are one space."""
    knots = "c(3, 5, 7)"
    cubic = sparsemixed.mixed(f"y ~ cr(x, knots = {knots}, constraints = 'center') + (1 | g)", data)
    natural = sparsemixed.mixed(f"y ~ ns(x, knots = {knots}) + (1 | g)", data)
    assert cubic.llf == pytest.approx(natural.llf, abs=1e-8)


BATCHED = "log(y) ~ bs(x, df = 4) + scale(z) + C(f, contr.sum)*u + offset(log(e)) + (1 + poly(x, 2) | g)"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("source", ["folder", "dask"])
def test_batches(data, source, tmp_path):
    data = data.sort_values("x", ignore_index=True)  # each batch knows a part of the range only
    whole = sparsemixed.mixed(BATCHED, data)
    if source == "dask":
        dask = pytest.importorskip("dask.dataframe")
        batches = dask.from_pandas(data, npartitions=4, sort=False)
    else:
        batches = str(tmp_path)
        for part in range(4):
            data[part::4].sort_values("z").to_parquet(tmp_path / f"part{part}.parquet")
    fit = sparsemixed.mixed(BATCHED, batches)
    assert fit.llf == pytest.approx(whole.llf, abs=1e-6)
    np.testing.assert_allclose(fit.params, whole.params, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(fit.predict(data[:20], what="fitted"), whole.predict(data[:20], what="fitted"), rtol=1e-5)


def test_a_point_leaves_out_what_says_other_things(data):
    fit = sparsemixed.mixed("log(y) ~ . + offset(e) + (1 | g)", data, precision_weights="w")
    assert sorted(fit.params.index) == ["_cons", "b.f", "c.f", "d.f", "right.u", "x", "z"]


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("y ~ log(q) + (1 | g)", CommandError, "variable `q` not found"),
        ("y ~ log(f) + (1 | g)", DataError, r"log\(f\) is computed from numbers, and `f` holds text"),
        ("y ~ poly(w, 3) + (1 | g)", DataError, "at least 4 distinct values, found 3"),
        ("y ~ ns(x, knots = c(2, 90)) + (1 | g)", DataError, "lie between the boundary knots"),
        ("y ~ C(one, contr.sum) + (1 | g)", DataError, "contrasts need two levels"),
        ("y ~ log(x) + (1 | g)", CommandError, "a column of the data is called so"),
    ],
)
def test_what_data_do_not_allow(data, formula, error, message):
    data = data.assign(one="a", **({"log(x)": 1.0} if "called" in message else {}))
    with pytest.raises(error, match=message):
        sparsemixed.mixed(formula, data)


def test_names_of_functions_after_the_fit(data):
    fit = sparsemixed.mixed("log(y) ~ poly(x, 2)*f + (1 | g)", data)
    assert fit.testparm("poly(x, 2)").df == 2
    assert fit.testparm("f#poly(x, 2)").df == 6
    for name in ("poly(x, 2)1", "[log(y)]poly(x, 2)1", "`poly(x, 2)1`", "c.poly(x, 2)1"):
        assert fit.test(f"{name} = 0").statistic == pytest.approx(fit.test("poly(x, 2)1").statistic)
    assert fit.test("fb:poly(x, 2)2 = 0").statistic == fit.test("b.f#c.poly(x, 2)2 = 0").statistic
    assert "poly(x, 2):f |" in str(fit.drop1())


def test_updates_keep_functions(data):
    fit = sparsemixed.mixed("log(y) ~ poly(x, 2) + u + (1 | g)", data)
    smaller = fit.update(". ~ . - poly(x, 2) + log(x)")
    assert smaller.llf == pytest.approx(sparsemixed.mixed("log(y) ~ u + log(x) + (1 | g)", data).llf, abs=1e-9)


@pytest.mark.parametrize("formula", ["log(y) ~ x + (1 | g)", "y ~ poly(x, 2) + (1 | g)", "y ~ I(x + 1) + (log(x) | g)"])
def test_functions_of_no_rows(formula):
    with pytest.raises(SparseMixedError, match=r"no rows|all of its 0 rows"):
        sparsemixed.mixed(formula, pd.DataFrame({"y": [1.0], "x": [1.0], "g": [1]}).iloc[:0])
