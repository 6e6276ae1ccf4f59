"""Data in batches, from folders of Parquet files and from Dask, against the same rows in memory."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.design.data import arrow
from sparsemixed.errors import CommandError, DataError, OptionError
from sparsemixed.estimation.sources.dask_frames import is_dask
from sparsemixed.solver.crossproducts.crossproducts import TermData, cross_products
from sparsemixed.solver.crossproducts.sums import merged

pytest.importorskip("pyarrow")


def ratings(n=6000, seed=0):
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, 300, n), rng.integers(0, 80, n)
    x, arm = rng.normal(size=n), rng.integers(1, 5, n)
    kind = np.array(list("abcdef"))[rng.integers(0, 6, n)]
    y = 1.0 + x + 0.3 * arm + rng.normal(size=300)[user] * (1 + 0.5 * x) + rng.normal(size=80)[item] + rng.normal(size=n)
    data = pd.DataFrame({"user": user, "item": item, "x": x, "arm": arm, "kind": kind, "y": y, "site": user // 20})
    data.loc[rng.random(n) < 0.02, "x"] = np.nan
    return data


def written(folder, data, parts=5):
    """A folder of Parquet files, sorted so that every part has levels and groups of its own."""
    folder.mkdir(exist_ok=True)
    data = data.sort_values(["user", "kind"], ignore_index=True)
    for k, rows in enumerate(np.array_split(np.arange(len(data)), parts)):
        data.iloc[rows].to_parquet(folder / f"part-{k}.parquet")
    return folder


MODELS = [
    "y x i.arm || _all: R.item || user:, reml",
    "y ~ x + kind + (1 | user) + (1 | item)",
    "y x if arm > 1 || user: x, covariance(unstructured)",
    "y x i.arm#c.x || _all: R.item || user:, solver(krylov)",
    "y c.x##i.arm || site: || user: x, reml",
    "y x || _all: R.item || _all: R.arm || user:, reml dfmethod(satterthwaite, oim)",
]


@pytest.mark.parametrize("model", MODELS)
def test_a_folder_gives_the_fit_of_its_rows(model, tmp_path, monkeypatch):
    data = ratings()
    monkeypatch.setattr(arrow, "ROWS_PER_BATCH", 700)
    fit, other = sparsemixed.mixed(model, data), sparsemixed.mixed(model, written(tmp_path / "data", data))
    assert other.llf == pytest.approx(fit.llf, rel=1e-12)
    np.testing.assert_allclose(other.params, fit.params, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(other.cov_params(), fit.cov_params(), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(other.random_params, fit.random_params, rtol=1e-8)
    assert str(other) == str(fit)


def test_the_fit_holds_no_rows(tmp_path):
    data = ratings(1500)
    fit = sparsemixed.mixed("y x || user:", written(tmp_path / "data", data))
    assert fit.predict(data.head(3)).shape == (3,)
    with pytest.raises(DataError, match="saved without its data"):
        fit.predict(what="residuals")
    fit.save(tmp_path / "fit")
    assert str(sparsemixed.load(tmp_path / "fit")) == str(fit)


def test_likelihood_ratio(tmp_path):
    """Of fits of batches, and of one in memory."""
    data = ratings(1500)
    folder = written(tmp_path / "data", data)
    models = ("y x || user:", "y x || user: x")
    whole, parts = ([sparsemixed.mixed(model, d, reml=True) for model in models] for d in (data, folder))
    wanted = sparsemixed.lrtest(*whole)
    for pair in (parts, (whole[0], parts[1])):
        assert sparsemixed.lrtest(*pair).statistic == pytest.approx(wanted.statistic, abs=1e-6)
    with pytest.raises(OptionError, match="different fixed parts"):
        sparsemixed.lrtest(parts[1], sparsemixed.mixed("y x arm || user:", folder, reml=True))


def test_hive_partitions_are_columns(tmp_path):
    data = ratings(1500)
    for arm, part in data.groupby("arm"):
        (tmp_path / "data" / f"arm={arm}").mkdir(parents=True)
        part.drop(columns="arm").to_parquet(tmp_path / "data" / f"arm={arm}" / "rows.parquet")
    fit = sparsemixed.mixed("y x i.arm || user:", tmp_path / "data")
    assert fit.llf == pytest.approx(sparsemixed.mixed("y x i.arm || user:", data).llf, rel=1e-12)


def test_constraints(tmp_path):
    data = ratings(1500)
    folder = written(tmp_path / "data", data)
    fits = [sparsemixed.mixed("y x i.arm || user:", d, constraints=["2.arm = 3.arm", "x = 0.9"]) for d in (data, folder)]
    assert fits[1].llf == pytest.approx(fits[0].llf, rel=1e-12)
    np.testing.assert_allclose(fits[1].params, fits[0].params, rtol=1e-9)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("y x || user:, residuals(ar 1, t(arm))", {}, "residuals\\(\\) needs all rows"),
        ("y x [fw=arm] || user:", {}, "weights needs all rows"),
        ("y x || user:", {"vce": "robust"}, "vce\\(robust\\) needs all rows"),
        ("y L.x || user:", {"tsset": "user arm"}, "tsset\\(\\) and time-series operators"),
        ("y x in 1/100 || user:", {}, "in needs all rows"),
        ("y x if _n > 100 || user:", {}, "a condition with _n, _N or x\\[row\\] needs all rows"),
        ("y x if x > x[_n-1] || user:", {}, "a condition with _n, _N or x\\[row\\] needs all rows"),
        ("y x", {}, "without random effects"),
    ],
)
def test_what_needs_all_rows_is_refused(model, options, message, tmp_path):
    with pytest.raises(OptionError, match=message):
        sparsemixed.mixed(model, written(tmp_path / "data", ratings(500)), **options)


def test_unknown_variables_and_empty_samples(tmp_path):
    folder = written(tmp_path / "data", ratings(500))
    with pytest.raises(CommandError, match="variable `z` not found"):
        sparsemixed.mixed("y z || user:", folder)
    with pytest.raises(DataError, match="no batch has rows"):
        sparsemixed.mixed("y x if arm > 9 || user:", folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="without Parquet files"):
        sparsemixed.mixed("y x || user:", tmp_path / "empty")


def test_a_corrupt_part_is_named(tmp_path):
    folder = written(tmp_path / "data", ratings(900))
    whole = (folder / "part-3.parquet").read_bytes()
    (folder / "part-3.parquet").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(DataError, match="part-3"):
        sparsemixed.mixed("y x || user:", folder)


def test_a_column_of_another_type_in_one_part(tmp_path):
    data = ratings(900)
    folder = written(tmp_path / "data", data, parts=3)
    part = pd.read_parquet(folder / "part-2.parquet")
    part.assign(x="text").to_parquet(folder / "part-2.parquet")
    with pytest.raises(DataError, match=r"part-2|`x`"):
        sparsemixed.mixed("y x || user:", folder)


@pytest.mark.parametrize("shape", [((30, 12), (1, 1)), ((30, 12, 5), (2, 3, 1)), ((20,), (2,))])
def test_sums_of_cross_products(shape):
    """Of two halves of the rows, some groups and cells in one of them only."""
    rng = np.random.default_rng(0)
    n, (groups, widths) = 240, shape
    terms = []
    for size, k in zip(groups, widths, strict=True):
        codes = np.sort(rng.integers(0, size, n)).astype(np.int32) if size == 30 else rng.integers(0, size, n).astype(np.int32)
        terms.append(TermData(codes, size, rng.normal(size=(n, k))))
    X, y = rng.normal(size=(n, 2)), rng.normal(size=n)
    whole = cross_products(terms, X, y)
    halves = [
        cross_products([TermData(t.codes[rows], t.n_groups, t.columns[rows]) for t in terms], X[rows], y[rows])
        for rows in (slice(0, 100), slice(100, n))
    ]
    found = merged(*halves)
    np.testing.assert_array_equal(found.indptr, whole.indptr)
    np.testing.assert_array_equal(found.columns, whole.columns)
    for a, b in zip(found.starts, whole.starts, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(found.matrix.toarray(), whole.matrix.toarray(), atol=1e-12)
    np.testing.assert_allclose(found.ZtXy, whole.ZtXy, atol=1e-12)
    np.testing.assert_allclose(found.XytXy, whole.XytXy, atol=1e-12)
    assert found.n == whole.n


# --- Dask ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    """Two real worker processes."""
    distributed = pytest.importorskip("distributed")
    pytest.importorskip("dask.dataframe")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as here,
        distributed.Client(here) as client,
    ):
        yield client


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", [MODELS[0], MODELS[1], MODELS[4]])
def test_dask_gives_the_fit_of_its_rows(model, cluster):
    import dask.dataframe as dd

    data = ratings()
    frame = dd.from_pandas(data.sort_values("user", ignore_index=True), npartitions=7)
    fit, other = sparsemixed.mixed(model, data), sparsemixed.mixed(model, frame)
    assert other.llf == pytest.approx(fit.llf, rel=1e-12)
    np.testing.assert_allclose(other.params, fit.params, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(other.random_params, fit.random_params, rtol=1e-8)


def kill_once(part, marker):
    """Kill the worker process that meets this partition first; whoever takes it over finds the marker."""
    if len(part) and part["user"].min() == 0:
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return part
        os._exit(1)
    return part


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_is_replaced(cluster, tmp_path):
    import dask.dataframe as dd

    data = ratings(3000)
    frame = dd.from_pandas(data.sort_values("user", ignore_index=True), npartitions=4)
    frame = frame.map_partitions(kill_once, str(tmp_path / "marker"), meta=frame._meta)
    fit = sparsemixed.mixed("y x || _all: R.item || user:", frame)
    assert (tmp_path / "marker").exists()
    assert fit.llf == pytest.approx(sparsemixed.mixed("y x || _all: R.item || user:", data).llf, rel=1e-12)


def fails(part):
    if len(part) and part["user"].min() == 0:
        raise OSError("disk on fire")
    return part


@pytest.mark.filterwarnings("ignore")
def test_a_partition_that_cannot_be_read(cluster):
    import dask.dataframe as dd

    frame = dd.from_pandas(ratings(500).sort_values("user", ignore_index=True), npartitions=3)
    frame = frame.map_partitions(fails, meta=frame._meta)
    with pytest.raises(DataError, match=r"Dask could not compute .* disk on fire"):
        sparsemixed.mixed("y x || user:", frame)


@pytest.mark.filterwarnings("ignore")
def test_a_partition_of_another_type(cluster):
    import dask
    import dask.dataframe as dd

    data = ratings(600)
    parts = [dask.delayed(p) for p in (data.iloc[:300], data.iloc[300:].assign(x="text"))]
    frame = dd.from_delayed(parts, meta=data.head(0), verify_meta=False)
    with pytest.raises(DataError, match="`x`"):
        sparsemixed.mixed("y x || user:", frame)


def test_only_dask_frames_are_dask():
    assert not is_dask(pd.DataFrame())
    assert not is_dask("folder")
