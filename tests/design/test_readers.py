"""Whatever holds the data, the same fit comes of them; what holds none gets one message."""

from __future__ import annotations

import datetime
import functools
import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.design import read_frame
from sparsemixed.design.data.text_files import read_text
from sparsemixed.errors import CommandError, DataError, OptionError

MODEL = "y c.x##i.arm day || id: x, reml"


def visits(n=240, seed=3):
    rng = np.random.default_rng(seed)
    ids, arm = np.repeat(np.arange(n // 6), 6), rng.integers(0, 3, n)
    x, day = rng.normal(size=n), np.tile(np.arange(6), n // 6)
    y = 1.0 + x + 0.5 * arm - 0.1 * day + rng.normal(size=n // 6)[ids] * (1 + 0.5 * x) + rng.normal(size=n)
    data = pd.DataFrame({"id": ids, "arm": arm, "x": x, "y": y, "unused": "text"})
    data["day"] = pd.Timestamp("1960-01-03") + pd.to_timedelta(day, unit="D")
    data.loc[[3, 50], "x"] = np.nan
    data.loc[7, "day"] = pd.NaT
    return data


DATA = visits()
TABLE = pa.Table.from_pandas(DATA, preserve_index=False)


class Exporter:
    """A library of which only Arrow's interface is known; it gives one stream, or as many as are asked for."""

    def __init__(self, once=False):
        self.once, self.given = once, False

    def __arrow_c_stream__(self, requested_schema=None):
        if self.once and self.given:
            raise RuntimeError("this stream has been given")
        self.given = True
        return TABLE.__arrow_c_stream__(requested_schema)


def relation():
    return duckdb.connect().from_arrow(TABLE)


def ibis_table():
    ibis = pytest.importorskip("ibis", reason="tables of ibis are tried where it is installed")
    return ibis.memtable(TABLE).mutate(twice=2 * ibis._.x)


def csv(folder, name="data.csv", **options):
    path = folder / name
    DATA.to_csv(path, index=False, **options)
    # A text has no dates: the numbers that Stata would have are read as they are.
    days = (DATA["day"] - pd.Timestamp("1960-01-01")).dt.days
    DATA.assign(day=days).to_csv(path, index=False, **options)
    return path


def excel(folder):
    DATA.to_excel(folder / "data.xlsx", index=False)
    return folder / "data.xlsx"


def stata(folder):
    DATA.to_stata(folder / "data.dta", write_index=False, convert_dates={"day": "td"})
    return folder / "data.dta"


def dataset(folder):
    pa.parquet.write_table(TABLE, folder / "data.parquet")
    return pa.dataset.dataset(folder)


def file(folder, ending):
    write = {".parquet": DATA.to_parquet, ".feather": DATA.to_feather, ".arrow": DATA.to_feather}[ending]
    write(folder / f"data{ending}")
    return folder / f"data{ending}"


READERS = {
    "dict of lists": lambda _: DATA.to_dict("list"),
    "dict of arrays": lambda _: {name: column.to_numpy() for name, column in DATA.items()},
    "dict of series": lambda _: dict(DATA.items()),
    "dict of polars series": lambda _: pl.from_pandas(DATA).to_dict(),
    "dict of arrow arrays": lambda _: {name: TABLE[name].combine_chunks() for name in TABLE.column_names},
    "records": lambda _: DATA.to_records(index=False),
    "nullable": lambda _: DATA.convert_dtypes(),
    "arrow-backed": lambda _: DATA.convert_dtypes(dtype_backend="pyarrow"),
    "objects": lambda _: DATA.astype(object).where(DATA.notna(), None),
    "objects with NA": lambda _: DATA.astype(object).where(DATA.notna(), pd.NA),
    "arrow table": lambda _: TABLE,
    "arrow batch": lambda _: TABLE.combine_chunks().to_batches()[0],
    "arrow reader": lambda _: TABLE.to_reader(max_chunksize=100),
    "arrow dataset": dataset,
    "arrow stream": lambda _: Exporter(),
    "arrow stream given once": lambda _: Exporter(once=True),
    "polars": lambda _: pl.from_pandas(DATA),
    "polars lazy": lambda _: pl.from_pandas(DATA).lazy(),
    "duckdb": lambda _: relation(),
    "ibis": lambda _: ibis_table(),
    "batches": lambda _: lambda: iter(TABLE.to_batches(max_chunksize=100)),
    "batches of dicts": lambda _: lambda: (DATA.iloc[i : i + 50].to_dict("list") for i in range(0, len(DATA), 50)),
    "batches of a method": lambda _: functools.partial(TABLE.to_batches, max_chunksize=77),
    ".csv": csv,
    ".csv.gz": lambda folder: csv(folder, "data.csv.gz"),
    ".csv with semicolons": lambda folder: csv(folder, sep=";"),
    ".csv with bars": lambda folder: csv(folder, sep="|"),
    ".csv with decimal commas": lambda folder: csv(folder, sep=";", decimal=","),
    ".tsv": lambda folder: csv(folder, "data.tsv", sep="\t"),
    ".xlsx": excel,
    ".dta": stata,
    ".parquet": lambda folder: file(folder, ".parquet"),
    ".feather": lambda folder: file(folder, ".feather"),
    ".arrow": lambda folder: file(folder, ".arrow"),
}
IN_BATCHES = {"arrow dataset", "batches", "batches of dicts", "batches of a method"}


@pytest.fixture(scope="module")
def whole():
    return sparsemixed.mixed(MODEL, DATA)


@pytest.mark.parametrize("name", READERS)
def test_every_kind_of_data_gives_the_identical_fit(name, whole, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas on the names in Stata's files
        source = READERS[name](tmp_path)
    fit = sparsemixed.mixed(MODEL, source)
    assert fit.nobs == whole.nobs == 237
    if name in IN_BATCHES or name.startswith(".csv") or name in (".tsv", ".xlsx"):  # sums, digits
        assert fit.llf == pytest.approx(whole.llf, rel=1e-11)
        np.testing.assert_allclose(fit.params, whole.params, rtol=1e-8)
    else:
        assert fit.llf == whole.llf
        assert fit.params.equals(whole.params)
        assert str(fit) == str(whole)


def test_unused_columns_of_a_query_are_never_computed():
    """A column of lists cannot be converted, one that fails cannot be computed."""
    fit = sparsemixed.mixed("y x || id:", DATA)
    queries = [
        relation().project("*, CAST(unused AS INTEGER) AS wrong"),
        pl.from_pandas(DATA).lazy().with_columns(wrong=pl.col("unused").cast(pl.Int64)),
    ]
    for query in queries:
        assert sparsemixed.mixed("y x || id:", query).llf == fit.llf
        with pytest.raises(DataError, match="the query that is the data failed"):
            sparsemixed.mixed("y wrong || id:", query)
        with pytest.raises(CommandError, match="variable `z` not found"):
            sparsemixed.mixed("y z || id:", query)


def test_everything_that_a_model_names_is_asked_of_a_query():
    data = DATA.assign(w=np.arange(len(DATA)) % 3 + 1.0, t=np.tile(np.arange(6), 40), clinic=DATA["id"] // 5)
    for model, options in [
        ("y x [pw=w*2] if arm > 0 || id:", {"vce": "cluster clinic"}),
        ("y L.x || id:", {"tsset": "id t"}),
        ("y x || id:, residuals(ar 1, t(t) by(clinic))", {}),
        ("y x || _all: R.arm || id:", {}),
        ("y x || cl:", {"varabbrev": True}),
        ("y x || id:", {"precision_weights": data["w"]}),
        ("y ~ x", {"groups": data["id"]}),
    ]:
        fit = sparsemixed.mixed(model, data, **options)
        assert sparsemixed.mixed(model, pl.from_pandas(data).lazy(), **options).llf == fit.llf, model


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("nan")], ids=["None", "nan", "NA", "NaT", "float"])
def test_every_missing_value_is_missing(missing):
    """In numbers, whole numbers, truths, texts and dates, in a dict and in a column of objects."""
    columns = {
        "number": [1.5, missing, 2.5],
        "whole": [2**60 + 1, missing, 2],
        "truth": [True, missing, False],
        "text": ["a", missing, "b"],
        "date": [datetime.date(2020, 1, 1), missing, datetime.date(2020, 1, 2)],
    }
    objects = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    for frame in (read_frame(columns), read_frame(objects)):
        for name in columns:
            assert frame[name].missing.tolist() == [False, True, False], name
        assert frame["whole"].values[0] == 2**60 + 1
        assert frame["date"].numbers()[[0, 2]].tolist() == [21915.0, 21916.0]


def test_masked_arrays():
    frame = read_frame({"n": np.ma.masked_array([2**60 + 1, 2, 3], [False, True, False]), "x": [1.0, 2.0, 3.0]})
    assert frame["n"].missing.tolist() == [False, True, False]
    assert frame["n"].values[0] == 2**60 + 1


def once():
    reader = TABLE.to_reader()
    reader.read_all()
    return reader


def closed():
    connection = duckdb.connect()
    found = connection.sql("select 1 as y, 2 as x, 3 as id")
    connection.close()
    return found


LISTS = {"y": [1.0, 2.0], "x": [[1], [2]], "id": [1, 2]}
BAD = {
    "consumed reader": (once, "a stream can be read once"),
    "generator": (lambda: (row for row in []), "the data are a generator, which can be read once"),
    "iterator given twice": (lambda: functools.partial(lambda it: it, iter(TABLE.to_batches())), "gives one iterator twice"),
    "no batches": (lambda: lambda: iter(()), "gives no batches"),
    "no iterator": (lambda: lambda: 3, "gives a int; it must give an iterator"),
    "a frame": (lambda: lambda: DATA, "gives a DataFrame; it must give an iterator"),
    "lists": (lambda: LISTS, "variable `x` holds several values in a row"),
    "lists in polars": (lambda: pl.DataFrame(LISTS), "variable `x` holds several values in a row"),
    "structs": (lambda: pl.DataFrame({**LISTS, "x": [{"a": 1}, {"a": 2}]}), "variable `x` holds several values in a row"),
    "lists in arrow": (lambda: pa.table(LISTS), "variable `x` holds several values in a row"),
    "lists in pandas": (lambda: pd.DataFrame(LISTS), "variable `x` holds several values in a row"),
    "bytes": (lambda: {"y": [1.0, 2.0], "x": [b"a", b"b"], "id": [1, 2]}, "variable `x` holds bytes"),
    "lengths": (lambda: {"y": [1.0, 2.0], "x": [1.0]}, "differ in length: `y` has 2 values, `x` has 1"),
    "one value": (lambda: {"y": [1.0, 2.0], "x": 3.0}, "column `x` of the data is a float; give a sequence"),
    "a text": (lambda: {"y": [1.0, 2.0], "x": "ab"}, "column `x` of the data is a str; give a sequence"),
    "matrix": (lambda: {"y": [1.0, 2.0], "x": np.ones((2, 2))}, r"column `x` of the data has the shape \(2, 2\)"),
    "iterator in a dict": (lambda: {"y": iter([1.0]), "x": [1.0]}, "column `y` of the data is a list_iterator"),
    "empty dict": (dict, "the data are empty"),
    "other indexes": (
        lambda: {"y": pd.Series([1.0, 2.0]), "x": pd.Series([1.0, 2.0], index=[1, 2])},
        "the Series of the data have different indexes",
    ),
    "twice in a dict": (lambda: {"1": [1.0], 1: [2.0]}, "more than one column named `1`"),
    "twice in arrow": (lambda: pa.table([[1.0], [2.0]], names=["x", "x"]), "more than one column named `x`"),
    "list": (lambda: [DATA], "the data are a list; give a data frame"),
    "a number": (lambda: 3.5, "the data are a float; give a data frame"),
    "closed connection": (closed, "the query that is the data"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_holds_no_data_gets_one_message(name):
    make, message = BAD[name]
    with pytest.raises(DataError, match=message) as found:
        sparsemixed.mixed("y x || id:", make())
    assert "\n" not in str(found.value)


def test_a_function_whose_batches_change():
    calls = iter([DATA, DATA.iloc[:100]])
    with pytest.raises(DataError, match="gave 240 rows first and then 100"):
        sparsemixed.mixed("y x || id:", lambda: [next(calls)])


def test_a_function_that_fails():
    with pytest.raises(DataError, match="the function that is the data failed: KeyError: 'lost'"):
        sparsemixed.mixed("y x || id:", lambda: {}["lost"])


def test_a_library_that_allows_one_open_result():
    batches = relation()
    fit = sparsemixed.mixed(MODEL, lambda: batches.to_arrow_reader(50))
    assert fit.llf == pytest.approx(sparsemixed.mixed(MODEL, DATA).llf, rel=1e-11)


def test_what_needs_all_rows_is_refused_of_batches(tmp_path):
    for data in (dataset(tmp_path), lambda: [TABLE]):
        with pytest.raises(OptionError, match="needs all rows at once"):
            sparsemixed.mixed("y x || id:, residuals(ar 1, t(day))", data)


# --- text files, sheets ----------------------------------------------------------------------------------------------------


def text(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content.encode())
    return path


def test_delimiters_are_found_or_named(tmp_path):
    quoted = text(tmp_path, 'name;y\r\n"a;b";1\r\n"c,d";2\r\n')
    assert read_frame(quoted)["name"].categories == ("a;b", "c,d")
    marked = text(tmp_path, "\ufeffx,y\n1,2\n")
    assert read_frame(marked).names == ["x", "y"]
    odd = text(tmp_path, "x:y\n1:2\n3:4\n")
    for delimiter in (":",):
        assert read_frame(odd, delimiter)["y"].numbers().tolist() == [2, 4]
    tabs = text(tmp_path, "x\ty, z\n1\t2\n")
    for delimiter in ("\t", "tab", "\\t", None):
        assert read_frame(tabs, delimiter).names == ["x", "y, z"]
    one = text(tmp_path, "y\n1\n2\n")
    assert read_frame(one).names == ["y"]


HEADS = ["a,b,c", "a,,c", ",b,", "a, b ,c", '"a","b","c"', '"a,x",b,c', "\n\na,b,c", " \na,b,c", "1,2.5,c"]
HEADS += ["Unnamed: 1,,c", "a,b", "a,b,c,d"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("head", HEADS)
def test_columns_are_those_of_pandas_whatever_the_first_line_says(head, end, tmp_path):
    lines = [*head.split("\n"), "1,x,0.1", "2,,1e3", "", "3,NA,-7.25"]
    longer = [*lines, *9000 * lines[-1:]]  # of several pieces
    for whole in (end.join(lines), end.join(lines) + end, "\ufeff" + end.join(lines), end.join(longer)):
        path = text(tmp_path, whole)
        table, names = read_text(path)
        table.columns = names
        pd.testing.assert_frame_equal(table, pd.read_csv(path), check_exact=True)


def test_commas_in_numbers(tmp_path):
    decimals = text(tmp_path, "x;y\n1,5;2\n-2,25;3\n")
    assert read_frame(decimals)["x"].numbers().tolist() == [1.5, -2.25]
    # 1,234 is a thousand in one country and one in another: no number, and so no wrong one.
    thousands = read_frame(text(tmp_path, "x;y\n1,234;2\n"))
    assert thousands["x"].kind == "text"


def test_delimiter_as_a_keyword(tmp_path):
    path = csv(tmp_path, sep=":")
    fit = sparsemixed.mixed("y x || id:", path, delimiter=":")
    assert fit.llf == pytest.approx(sparsemixed.mixed("y x || id:", DATA).llf, rel=1e-12)
    assert fit.update(reml=True).fit.spec.estimation.method == "reml"
    with pytest.raises(OptionError, match="delimiter=':' is for the path of a text file; the data are a DataFrame"):
        sparsemixed.mixed("y x || id:", DATA, delimiter=":")
    with pytest.raises(OptionError, match="is for text files"):
        sparsemixed.mixed("y x || id:", stata(tmp_path), delimiter=":")
    with pytest.raises(DataError, match="'::' is not one character"):
        sparsemixed.mixed("y x || id:", path, delimiter="::")


def test_delimiter_on_the_command_line(tmp_path, capsys):
    path = str(csv(tmp_path, sep=":"))
    assert cli.main(["fit", path, "y x || id:", "--delimiter", ":", "--save", str(tmp_path / "fit"), "--quiet"]) == 0
    assert cli.main(["predict", str(tmp_path / "fit"), path, "--delimiter", ":"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(DATA) + 1
    assert cli.main(["fit", path, "y x || id:"]) == 2


def test_columns_that_share_a_name(tmp_path):
    sheet = tmp_path / "data.xlsx"
    pd.DataFrame([["x", "x"], [1, 2]]).to_excel(sheet, index=False, header=False)
    for path in (text(tmp_path, "x,x\n1,2\n"), sheet):
        with pytest.raises(DataError, match="more than one column named `x`; rename them"):
            read_frame(path)


def test_unknown_endings_are_told_the_known_ones():
    with pytest.raises(DataError, match=r"cannot tell the format of `data.txt`.*known are \.dta, \.csv.*\.tsv.*\.xlsx"):
        read_frame("data.txt")


# --- dates -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "unit", "numbers"),
    [
        ([datetime.date(1960, 1, 2), datetime.date(2020, 1, 1)], "days since 1 January 1960", [1, 21915]),
        (pd.to_datetime(["1960-01-01 12:00", "1959-12-31 00:00"]), "days since 1 January 1960", [0.5, -1]),
        (pd.to_datetime(["1960-01-02", "2020-07-01"]).tz_localize("Europe/Paris"), "days since 1 January 1960", [1, 22097]),
        (pd.PeriodIndex(["1960-01", "1961-02"], freq="M"), "periods (M) since the first of 1960", [0, 13]),
        (pd.to_timedelta(["36:00:00", "24:00:00"]), "days", [1.5, 1]),
        ([datetime.timedelta(days=2), datetime.timedelta(hours=-12)], "days", [2, -0.5]),
    ],
    ids=["dates", "times", "zones", "periods", "durations", "timedelta"],
)
def test_dates_count(values, unit, numbers):
    variable = read_frame({"d": values})["d"]
    assert variable.unit == unit
    assert variable.numbers().tolist() == numbers


FORMATS = {  # Stata's `display td(15aug2021)`, and so on: its manual, "Datetime display formats"
    "td": 22507,
    "tw": 3204 + 0,
    "tm": 739,
    "tq": 246,
    "th": 123,
    "ty": 2021,
}


@pytest.mark.parametrize("form", FORMATS)
def test_dates_of_stata_files_are_their_own_numbers(form, tmp_path):
    """The numbers in the file, read without any conversion, are the covariate."""
    path = tmp_path / "data.dta"
    days = pd.to_datetime(["2021-08-15", "1959-01-01", None, "1960-12-31"])
    pd.DataFrame({"d": days}).to_stata(path, write_index=False, convert_dates={"d": form})
    raw = pd.read_stata(path, convert_dates=False)["d"].to_numpy(dtype=float)
    variable = read_frame(path)["d"]
    assert variable.kind == "dates"
    np.testing.assert_array_equal(variable.numbers(), raw)
    if form != "tw":
        assert raw[0] == FORMATS[form]


def test_times_of_stata_files_count_milliseconds(tmp_path):
    path = tmp_path / "data.dta"
    times = pd.to_datetime(["2021-08-15 12:30:00.250", "1959-01-01 00:00:00.000", None])
    pd.DataFrame({"d": times}).to_stata(path, write_index=False, convert_dates={"d": "tc"})
    np.testing.assert_array_equal(read_frame(path)["d"].numbers(), pd.read_stata(path, convert_dates=False)["d"])


def test_dates_are_covariates_of_every_part():
    numbers = DATA.assign(day=(DATA["day"] - pd.Timestamp("1960-01-01")).dt.days)
    for model in ("y x day || id: day", "y ~ x*day + (1 + day | id)", "y c.day##c.day || id:"):
        fit, other = sparsemixed.mixed(model, DATA), sparsemixed.mixed(model, numbers)
        assert fit.llf == pytest.approx(other.llf, rel=1e-12)
        assert fit.params.to_dict() == pytest.approx(other.params.to_dict(), rel=1e-9)
    with pytest.raises(DataError, match="`day` holds dates or times; convert it to numbers or text to use it as a factor"):
        sparsemixed.mixed("y i.day || id:", DATA)
    with pytest.raises(DataError, match="the response `day` holds dates"):
        sparsemixed.mixed("day x || id:", DATA)
    with pytest.raises(DataError, match="`clock` holds times of day"):
        sparsemixed.mixed("y clock || id:", DATA.assign(clock=[datetime.time(i % 24) for i in range(len(DATA))]))


@pytest.mark.parametrize("structure", ["ar 1", "exponential", "unstructured", "toeplitz 2"])
def test_dates_are_times_of_errors(structure):
    """As the numbers of days; elsewhere in the calendar too, but where levels are named by their numbers."""
    numbers = DATA.assign(day=(DATA["day"] - pd.Timestamp("1960-01-01")).dt.days)
    fits = [sparsemixed.mixed(f"y x || id:, noconstant residuals({structure}, t(day))", data) for data in (DATA, numbers)]
    assert fits[0].llf == pytest.approx(fits[1].llf, rel=1e-12)
    assert str(fits[0]).partition("Log")[2] == str(fits[1]).partition("Log")[2]
    later = DATA.assign(day=DATA["day"] + pd.Timedelta(days=20_000))
    assert sparsemixed.mixed(f"y x || id:, noconstant residuals({structure}, t(day))", later).llf == pytest.approx(fits[0].llf)


def test_times_close_together_keep_their_digits():
    """Milliseconds in 2020, against the same gaps in days from zero."""
    gap = np.cumsum(np.random.default_rng(0).integers(1, 9, len(DATA)))
    late = DATA.assign(at=pd.Timestamp("2020-01-01") + pd.to_timedelta(gap, unit="ms"), days=gap / 86_400_000)
    models = [f"y x || id:, noconstant residuals(exponential, t({t}))" for t in ("at", "days")]
    found, wanted = (sparsemixed.mixed(model, late).llf for model in models)
    assert found == pytest.approx(wanted, rel=1e-12)


def test_times_within_a_day_are_no_integers():
    hours = DATA.assign(day=DATA["day"] + pd.to_timedelta(np.arange(len(DATA)) % 24, unit="h"))
    with pytest.raises(
        DataError, match=r"integer-valued for residuals\(ar\); it counts days since 1 January 1960; use residuals\(exp"
    ):
        sparsemixed.mixed("y x || id:, residuals(ar 1, t(day))", hours)


def test_prediction_knows_what_a_date_counted(tmp_path):
    fit = sparsemixed.mixed("y x day || id: day", DATA)
    fit.save(tmp_path / "fit")
    loaded = sparsemixed.load(tmp_path / "fit")
    new = DATA.head(12)
    for what in ("xb", "fitted"):
        expected = fit.predict(what=what).reindex(new.index)
        for source in (new, pl.from_pandas(new), new.assign(day=new["day"].astype(object))):
            np.testing.assert_allclose(loaded.predict(source, what), expected, rtol=1e-12)
    months = new.assign(day=new["day"].dt.to_period("M"))
    with pytest.raises(DataError, match=r"`day` counted days since 1 January 1960 .* counts periods \(M\)"):
        loaded.predict(months)
    with pytest.raises(DataError, match=r"`day` counted days since 1 January 1960 .* holds no dates here"):
        loaded.predict(new.assign(day=1.0))
    with pytest.raises(DataError, match="`x` held no dates in the data fitted and counts days"):
        loaded.predict(new.assign(x=new["day"]))
    assert loaded.predict(new.assign(day=pd.NaT)).isna().all()
