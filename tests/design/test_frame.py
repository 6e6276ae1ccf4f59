"""Reading data: whatever holds them, the same values arrive."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sparsemixed.design import read_frame
from sparsemixed.errors import DataError

PLAIN = pd.DataFrame({"y": [1.5, 2.5, 4.0], "n": [3, 1, 2], "g": ["b", "a", "b"], "t": [True, False, True]})


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".feather", ".dta"])
def test_file_formats_give_the_same_columns(tmp_path, ending):
    path = tmp_path / f"data{ending}"
    table = PLAIN.drop(columns="t")
    write = {".parquet": table.to_parquet, ".feather": table.to_feather}.get(ending)
    if ending == ".dta":
        table.to_stata(path, write_index=False)
    elif write:
        write(path)
    else:
        table.to_csv(path, index=False)
    for data in (path, str(path)):
        frame = read_frame(data)
        assert frame["y"].numbers().tolist() == [1.5, 2.5, 4.0]
        assert frame["n"].numbers().tolist() == [3, 1, 2]
        assert (frame["g"].values.tolist(), frame["g"].categories) == ([1, 0, 1], ("a", "b"))


def test_value_labels_of_stata_files_are_kept_apart(tmp_path):
    path = tmp_path / "labelled.dta"
    pd.DataFrame({"girl": [0, 1, 1], "y": [1.0, 2.0, 3.0]}).to_stata(
        path, write_index=False, value_labels={"girl": {0: "boy", 1: "girl"}}
    )
    frame = read_frame(path)
    assert frame["girl"].numbers().tolist() == [0, 1, 1]
    assert frame.value_labels == {"girl": {0: "boy", 1: "girl"}}


def test_label_sets_follow_their_variable(manual_data):
    # The set of childweight.dta's `girl` is named differently from the variable in Stata's own file.
    assert read_frame(manual_data("childweight")).value_labels["girl"] == {0: "boy", 1: "girl"}


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.convert_dtypes(),
        PLAIN.convert_dtypes(dtype_backend="pyarrow"),
        PLAIN.astype(object),
        pl.from_pandas(PLAIN),
        pl.from_pandas(PLAIN).lazy(),
        pa.Table.from_pandas(PLAIN),
    ],
    ids=["pandas", "nullable", "arrow-backed", "object", "polars", "polars-lazy", "pyarrow"],
)
def test_tables_of_every_kind(data):
    frame = read_frame(data)
    assert frame["y"].numbers().tolist() == [1.5, 2.5, 4.0]
    assert frame["n"].numbers().tolist() == [3, 1, 2]
    assert (frame["t"].kind, frame["t"].numbers().tolist()) == ("boolean", [1, 0, 1])
    assert (frame["g"].kind, frame["g"].values.tolist(), frame["g"].categories) == ("text", [1, 0, 1], ("a", "b"))
    assert frame["y"].missing is None
    assert frame["g"].missing is None


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"x": [1.0, None, 2.0], "i": pd.array([1, None, 2**60 + 1], dtype="Int64"), "s": ["", "u", None]}),
        pl.DataFrame({"x": [1.0, None, 2.0], "i": [1, None, 2**60 + 1], "s": ["", "u", None]}),
        pa.table({"x": [1.0, None, 2.0], "i": [1, None, 2**60 + 1], "s": ["", "u", None]}),
    ],
    ids=["pandas", "polars", "pyarrow"],
)
def test_missing_values(data):
    frame = read_frame(data)
    np.testing.assert_array_equal(frame["x"].numbers(), [1.0, np.nan, 2.0])
    assert frame["i"].missing.tolist() == [False, True, False]
    assert frame["i"].values[2] == 2**60 + 1  # beyond the integers that float64 holds
    assert frame["s"].missing.tolist() == [True, False, True]
    assert frame["s"].for_expression().tolist() == ["", "u", ""]


def test_categories_keep_their_order():
    grades = ["low", "high", "middle"]
    values = ["high", "low", None]
    pandas = pd.DataFrame({"c": pd.Categorical(values, categories=grades, ordered=True)})
    polars = pl.DataFrame({"c": pl.Series(values, dtype=pl.Enum(grades))})
    for data in (pandas, polars, pa.Table.from_pandas(pandas)):
        variable = read_frame(data)["c"]
        assert (variable.kind, variable.categories, variable.values.tolist()) == ("categorical", tuple(grades), [1, 0, -1])
    numbers = read_frame(pd.DataFrame({"c": pd.Categorical([3.0, 1.0], categories=[3.0, 1.0])}))["c"]
    assert numbers.categories == (3, 1)
    assert numbers.for_expression().tolist() == [3.0, 1.0]


def test_categories_without_an_order_are_sorted():
    variable = read_frame(pl.DataFrame({"c": pl.Series(["b", "a", "b"], dtype=pl.Categorical)}))["c"]
    assert (variable.categories, variable.values.tolist()) == (("a", "b"), [1, 0, 1])


@pytest.mark.parametrize(
    "column",
    [
        [datetime.date(2020, 1, 2), datetime.date(2020, 1, 1)],
        [datetime.datetime(2020, 1, 2), datetime.datetime(2020, 1, 1)],
        pd.Series(pd.to_datetime(["2020-01-02", "2020-01-01"], utc=True)),
    ],
)
def test_dates_are_recognised(column):
    variable = read_frame(pd.DataFrame({"d": column}))["d"]
    assert (variable.kind, variable.values.tolist()) == ("dates", [1, 0])


def test_all_missing_and_mixed_objects():
    frame = read_frame(pd.DataFrame({"none": pd.Series([None, None], dtype=object), "mixed": [1, "a"]}))
    assert frame["none"].missing.all()
    with pytest.raises(DataError, match="`mixed` mixes values of different types"):
        frame["mixed"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("nowhere/data.csv", "no such data file: `nowhere/data.csv`"),
        ("data.ods", "cannot tell the format of `data.ods`"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "more than one column named `x`"),
        (3.14, "the data are a float"),
        (None, "the data are a NoneType"),
    ],
)
def test_unusable_data(data, message):
    with pytest.raises(DataError, match=message):
        read_frame(data)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".feather", ".dta"])
def test_unreadable_file(tmp_path, ending):
    path = tmp_path / f"broken{ending}"
    path.write_bytes(b"" if ending == ".csv" else b"nonsense")
    with pytest.raises(DataError, match="cannot be read"):
        read_frame(path)


def test_unused_columns_are_never_converted():
    frame = read_frame(pd.DataFrame({"y": [1.0], "strange": [object()]}))
    assert frame["y"].numbers().tolist() == [1.0]
    assert "strange" in frame
    assert "z" not in frame
