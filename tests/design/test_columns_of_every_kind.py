"""Columns as the libraries of data frames hand them over: missing booleans, long identifiers, time zones, stray bytes."""

from __future__ import annotations

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.design.data.files import read_file
from sparsemixed.design.data.variable import as_variable
from sparsemixed.errors import DataError

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

TRUTH = [True, False, None, True, False, True, True, False] * 3
BOOLEANS = {
    "boolean": lambda: pd.Series(TRUTH, dtype="boolean"),
    "objects": lambda: pd.Series(TRUTH, dtype=object),
    "objects, NaN": lambda: pd.Series([np.nan if v is None else v for v in TRUTH], dtype=object),
    "objects of numpy": lambda: pd.Series([pd.NA if v is None else np.bool_(v) for v in TRUTH], dtype=object),
    "arrow in pandas": lambda: pd.Series(TRUTH, dtype="bool[pyarrow]"),
    "polars": lambda: pl.Series("b", TRUTH),
    "objects in polars": lambda: pl.Series("b", TRUTH, dtype=pl.Object),
    "pyarrow": lambda: pa.array(TRUTH),
}


def frame(**columns):
    """A frame of the library that the last column is of."""
    last = list(columns.values())[-1]
    if isinstance(last, pl.Series):
        return pl.DataFrame({k: v if isinstance(v, pl.Series) else pl.Series(k, list(v)) for k, v in columns.items()})
    if isinstance(last, (pa.Array, pa.ChunkedArray)):
        return pa.table({k: v if isinstance(v, pa.Array) else pa.array(list(v)) for k, v in columns.items()})
    return pd.DataFrame(columns)


@pytest.mark.parametrize("kind", BOOLEANS)
def test_missing_booleans(kind):
    rng = np.random.default_rng(1)
    y, g = rng.normal(size=24).tolist(), np.repeat([1, 2, 3, 4], 6).tolist()
    data = frame(y=y, g=g, b=BOOLEANS[kind]())
    numbers = pd.DataFrame({"y": y, "g": g, "b": [np.nan if v is None else float(v) for v in TRUTH]})
    right = sparsemixed.mixed("y b || g:", numbers)
    assert right.nobs == 21
    for model in ("y ~ b + (1 | g)", "y i.b || g:", "y b || g:"):
        assert sparsemixed.mixed(model, data).llf == pytest.approx(right.llf, rel=1e-12)
    for condition in ("b == 1", "b == 0", "!missing(b)", "b < ."):
        model = f"y if {condition} || g:"
        assert sparsemixed.mixed(model, data).nobs == sparsemixed.mixed(model, numbers).nobs


@pytest.mark.parametrize("dtype", ["boolean", "bool", object])
def test_booleans_without_missing_values(dtype):
    variable = as_variable("b", pd.Series([True, False, True], dtype=dtype))
    assert (variable.kind, variable.values.tolist(), variable.missing) == ("boolean", [1, 0, 1], None)
    assert as_variable("b", pd.Series([None, None], dtype="boolean")).missing.tolist() == [True, True]


LONG = {
    "objects": lambda ids: pd.Series([10**18 + i for i in ids], dtype=object),
    "negative": lambda ids: pd.Series([-(10**18) - i for i in ids], dtype=object),
    "of numpy": lambda ids: pd.Series([np.int64(10**18 + i) for i in ids], dtype=object),
    "unsigned": lambda ids: pd.Series([2**63 + i for i in ids], dtype=object),
    "beyond 64 bits": lambda ids: pd.Series([2**70 + i for i in ids], dtype=object),
    "of both signs": lambda ids: pd.Series([(2**63 + i) * (-1) ** i for i in ids], dtype=object),
    "decimals": lambda ids: pd.Series([Decimal(10**18 + i) / 100 for i in ids], dtype=object),
    "small decimals": lambda ids: pd.Series([1 + Decimal("1e-20") * i for i in ids], dtype=object),
    "integers and others": lambda ids: pd.Series([10**18 + i if i % 2 else i + 0.5 for i in ids], dtype=object),
    "decimals of arrow in pandas": lambda ids: pd.Series(
        [Decimal(10**18 + i) for i in ids], dtype=pd.ArrowDtype(pa.decimal128(30, 2))
    ),
    "polars": lambda ids: pl.Series("id", [10**18 + i for i in ids]),
    "128 bits in polars": lambda ids: pl.Series("id", [2**70 + i for i in ids], dtype=pl.Int128),
    "decimals in polars": lambda ids: pl.Series("id", [Decimal(10**18 + i) / 100 for i in ids]),
    "objects in polars": lambda ids: pl.Series("id", [2**70 + i for i in ids], dtype=pl.Object),
    "pyarrow": lambda ids: pa.array([10**18 + i for i in ids]),
    "decimals in pyarrow": lambda ids: pa.array([Decimal(10**18 + i) / 100 for i in ids]),
}


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    return simulate_longitudinal(10, 6, seed=1)


@pytest.mark.parametrize("kind", LONG)
def test_long_identifiers_stay_apart(kind, visits, tmp_path):
    right = sparsemixed.mixed("y time || id:", visits)
    data = frame(y=visits.y.tolist(), time=visits.time.tolist(), id=LONG[kind](visits.id.tolist()))
    for model in ("y time || id:", "y ~ time + (1 | id)", "y time || _all: R.id"):
        assert sparsemixed.mixed(model, data).llf == pytest.approx(right.llf, rel=1e-12)
    fit = sparsemixed.mixed("y time || id:", data)
    assert len(set(fit.random_effects["id"].index)) == 10
    np.testing.assert_allclose(fit.predict(data, "fitted"), right.predict(what="fitted"), rtol=1e-12)
    fit.save(tmp_path / "saved.fit")
    loaded = sparsemixed.load(tmp_path / "saved.fit")
    assert loaded.random_effects["id"].index.tolist() == fit.random_effects["id"].index.tolist()
    np.testing.assert_allclose(loaded.predict(data, "fitted", new_levels="error"), right.predict(what="fitted"), rtol=1e-12)


def test_long_identifiers_of_panels_and_clusters(visits):
    long = visits.assign(id=[2**70 + i for i in visits.id]).astype({"id": object})
    for options in ({"tsset": "id time"}, {"vce": "cluster id"}):
        model = "y L.y || id:" if "tsset" in options else "y time || id:"
        fits = [sparsemixed.mixed(model, data, **options) for data in (visits, long)]
        assert fits[0].llf == pytest.approx(fits[1].llf, rel=1e-12)
        np.testing.assert_allclose(fits[0].bse, fits[1].bse, rtol=1e-10)


def test_objects_that_are_plain_numbers_are_these():
    cases = [
        ([1, 2, None], np.int64, [1, 2, 0], [False, False, True]),
        ([1, 2.5], np.float64, [1.0, 2.5], None),
        ([Decimal("0.5"), Decimal(2)], np.float64, [0.5, 2.0], None),
        ([2**63, 1], np.uint64, [2**63, 1], None),
    ]
    for values, dtype, held, missing in cases:
        variable = as_variable("x", pd.Series(values, dtype=object))
        assert variable.values.dtype == dtype
        assert variable.values.tolist() == held
        assert (None if variable.missing is None else variable.missing.tolist()) == missing
        assert (variable.exact, variable.categories) == (None, ())
    exact = as_variable("x", pd.Series([2**70 + 1, None, 2**70, 0.5], dtype=object))
    assert exact.categories == (0.5, 2**70, 2**70 + 1)
    assert exact.exact is not None
    assert exact.exact.tolist() == [2, -1, 1, 0]
    np.testing.assert_array_equal(exact.numbers(), [2.0**70, np.nan, 2.0**70, 0.5])
    with pytest.raises(DataError, match="beyond 1e308"):
        as_variable("x", pd.Series([10**400, 1], dtype=object))


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="extended precision is double precision here")
@pytest.mark.parametrize("kind", ["array", "objects"])
def test_extended_precision_stays_apart(kind, visits, tmp_path):
    """Identifiers closer than float64 tells them: near one, and beyond 2**53."""
    right = sparsemixed.mixed("y time || id:", visits)
    for start, step in ((np.longdouble(1), np.longdouble(2) ** -60), (np.longdouble(10) ** 18, np.longdouble(1))):
        ids = start + step * visits.id.to_numpy().astype(np.longdouble)
        column = pd.Series(ids if kind == "array" else list(ids), index=visits.index, dtype=None if kind == "array" else object)
        fit = sparsemixed.mixed("y time || id:", visits.assign(id=column))
        assert fit.llf == pytest.approx(right.llf, rel=1e-12)
        assert len(fit.random_effects["id"]) == 10
        fit.save(tmp_path / "saved.fit")
        assert (
            sparsemixed.load(tmp_path / "saved.fit").random_effects["id"].index.tolist()
            == fit.random_effects["id"].index.tolist()
        )


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="extended precision is double precision here")
def test_categories_of_extended_precision_stay_apart():
    values = [np.longdouble(1) + k * np.longdouble(2) ** -60 for k in range(3)]
    variable = as_variable("c", pd.Series(pd.Categorical(pd.Series(values, dtype=object))))
    assert len(set(variable.categories)) == 3


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="extended precision is double precision here")
def test_extended_precision_of_covariates_is_rounded():
    values = np.array([0.1, 0.5, np.nan], dtype=np.longdouble) / 3
    variable = as_variable("x", pd.Series(values))
    assert (variable.exact, variable.categories) == (None, ())
    np.testing.assert_array_equal(variable.numbers(), values.astype(float))
    with pytest.raises(DataError, match="beyond 1e308"):
        as_variable("x", pd.Series(np.array(["1e400", "1"], dtype=np.longdouble)))


def test_times_beyond_float64():
    """Nanoseconds since 1970: gaps keep their digits, whatever the zero of time."""
    data = simulate_longitudinal(10, 6, seed=1)
    start = 1_600_000_000_000_000_000
    fits = [
        sparsemixed.mixed("y || id:, nocons residuals(ar 1, t(t))", data.assign(t=(7 * data.time).astype("int64") + zero))
        for zero in (0, start)
    ]
    assert fits[1].llf == pytest.approx(fits[0].llf, rel=1e-10)


ZONES = [ZoneInfo("Europe/Paris"), datetime.UTC, ZoneInfo("America/New_York")]


def test_groups_of_several_time_zones(visits, tmp_path):
    """Also in the hour that a clock shows twice."""
    times = [datetime.datetime(2020, 10, 25, 0, 10 * i % 60, i, tzinfo=datetime.UTC).astimezone(ZONES[i % 3]) for i in visits.id]
    fit = sparsemixed.mixed("y time || id:", visits.assign(id=pd.Series(times, dtype=object, index=visits.index)))
    assert fit.llf == pytest.approx(sparsemixed.mixed("y time || id:", visits).llf, rel=1e-12)
    fit.save(tmp_path / "saved.fit")
    pd.testing.assert_frame_equal(sparsemixed.load(tmp_path / "saved.fit").random_effects["id"], fit.random_effects["id"])


def test_a_time_zone_without_a_name(visits, tmp_path):
    tz = pytest.importorskip("dateutil.tz")
    times = [datetime.datetime(2020, 1, i, tzinfo=tz.gettz("Europe/Paris")) for i in visits.id]
    fit = sparsemixed.mixed("y time || id:", visits.assign(id=pd.Series(times, dtype=object, index=visits.index)))
    fit.save(tmp_path / "saved.fit")
    index = sparsemixed.load(tmp_path / "saved.fit").random_effects["id"].index
    assert [pd.Timestamp(t) for t in index] == [pd.Timestamp(t) for t in fit.random_effects["id"].index]


@pytest.mark.parametrize(
    "pair",
    [
        (datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)),
        (datetime.time(1), datetime.time(2, tzinfo=datetime.UTC)),
        (pd.Timestamp(2020, 1, 1), datetime.date(2020, 1, 2)),
    ],
)
def test_times_that_have_no_order(pair, visits):
    data = visits.assign(id=pd.Series([pair[i % 2] for i in visits.id], dtype=object, index=visits.index))
    for model in ("y time || id:", "y time id", "y time if id == 1"):
        with pytest.raises(DataError, match="variable `id` mixes dates and times"):
            sparsemixed.mixed(model, data)


@pytest.mark.parametrize("version", [114, 117, 118, 119])
@pytest.mark.parametrize("stray", [b"", b"\0", b"\n", b"\x1a\r\n"])
def test_bytes_after_the_end_of_a_dta_file(version, stray, tmp_path):
    path = tmp_path / "some.dta"
    pd.DataFrame({"a": [1.0, 2.0]}).to_stata(path, version=version, write_index=False, value_labels={"a": {1: "x", 2: "y"}})
    path.write_bytes(path.read_bytes() + stray)
    table, _, labels, _ = read_file(path)
    assert (table["a"].tolist(), labels) == ([1.0, 2.0], {"a": {1: "x", 2: "y"}})


def test_a_dta_file_with_more_than_a_few_bytes_after_its_end(tmp_path):
    path = tmp_path / "some.dta"
    pd.DataFrame({"a": [1.0, 2.0]}).to_stata(path, version=114, write_index=False, value_labels={"a": {1: "x", 2: "y"}})
    path.write_bytes(path.read_bytes() + b"more!")
    with pytest.raises(DataError, match="has bytes after its end; save it again"):
        read_file(path)


@pytest.mark.parametrize("kind", [list, pd.Categorical])
@pytest.mark.parametrize("model", ["y f || g:", "y i.f || g:", "y || f:", "y ~ f + (1 | g)", "y || _all: R.f || g:"])
def test_text_that_is_no_unicode(model, kind):
    """A lone surrogate, which a wrong encoding leaves: named where the model needs the variable, of no account elsewhere."""
    rng = np.random.default_rng(1)
    texts = pd.Series(["a", "\ud800", "b"] * 8, dtype=object)
    data = pd.DataFrame({"y": rng.normal(size=24), "g": np.repeat([1, 2, 3, 4], 6), "f": texts if kind is list else kind(texts)})
    with pytest.raises(DataError, match=r"variable `f` holds text that is no Unicode \('\\ud800'\)") as caught:
        sparsemixed.mixed(model, data)
    str(caught.value).encode()
    assert sparsemixed.mixed("y || g:", data).nobs == 24


@pytest.mark.parametrize("model", ["y ~ f + (1 | g)", "y ~ C(f) + (1 | g)", "y ~ x * f + (1 | g)", "y ~ x + (0 + f | g)"])
def test_ordered_factors_say_which_contrasts_they_get(model, tmp_path):
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"x": rng.normal(size=120), "g": np.repeat(np.arange(12), 10)})
    data["y"] = rng.normal(size=120) + rng.normal(size=12)[data.g]
    grades = pd.Categorical(np.array(["low", "mid", "high"])[np.arange(120) % 3], categories=["low", "mid", "high"])
    plain, ordered = data.assign(f=grades), data.assign(f=grades.as_ordered())
    fits = [sparsemixed.mixed(model, frame) for frame in (plain, ordered)]
    pd.testing.assert_series_equal(fits[0].params, fits[1].params)
    words = "note: f is an ordered factor; its levels are compared with the base level (treatment contrasts)"
    assert [words in str(fit) for fit in fits] == [False, True]
    fits[1].save(tmp_path / "fit.smx")
    assert words in str(sparsemixed.load(tmp_path / "fit.smx"))
    assert words not in str(sparsemixed.mixed("y i.f || g:", ordered))  # Stata's factors have no order
