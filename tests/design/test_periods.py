"""Periods other than 1, 2, ...: steps of delta(), dates by unit, and what cannot be counted."""

import datetime

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.names.periods import period_numbers
from sparsemixed.errors import DataError, OptionError
from sparsemixed.spec import TIME_UNITS

X = np.array([1.0, 2.0, 4.0, 8.0, 16.0])


def lagged(times, tsset, name="L.x"):
    data = pd.DataFrame({"y": X, "x": X, "t": times})
    spec = read_model(f"y {name}", {"tsset": tsset})
    return model_frame(spec, data)[name].numbers()


@pytest.mark.parametrize(
    ("times", "tsset"),
    [
        ([1990, 1992, 1994, 1998, 2000], "t, delta(2)"),
        ([0.1, 0.2, 0.3, 0.5, 0.6], "t, delta(.1)"),
        ([-1e9, 0, 1e9, 3e9, 4e9], "t, delta(1e9)"),
        (pd.to_datetime(["2020-01-31", "2020-02-01", "2020-03-15", "2020-05-01", "2020-06-30"]), "t, monthly"),
        (pd.to_datetime(["2019-12-31", "2020-01-01", "2020-01-02", "2020-01-04", "2020-01-05"]), "t, daily"),
        (pd.to_datetime(["2020-02-29", "2020-03-07", "2020-03-14", "2020-03-28", "2020-04-04"]), "t, daily delta(7)"),
        (pd.to_datetime(["2019-12-31", "2020-01-07", "2020-01-08", "2020-01-22", "2020-01-29"]), "t, weekly"),
        (pd.to_datetime(["2019-12-31", "2020-01-01", "2020-06-30", "2020-10-01", "2021-01-01"]), "t, quarterly"),
        (pd.to_datetime(["2019-07-01", "2020-01-01", "2020-12-31", "2021-12-31", "2022-01-01"]), "t, halfy"),
        (pd.to_datetime(["2019-12-31", "2020-01-01", "2021-06-30", "2023-10-01", "2024-01-01"]), "t, yearly"),
        (pd.PeriodIndex(["2020-01", "2020-02", "2020-03", "2020-05", "2020-06"], freq="M"), "t"),
        ([datetime.date(2020, month, 1) for month in (1, 2, 3, 5, 6)], "t, monthly"),
        (pd.to_datetime(["2020-01-01", "2020-02-01", "2020-03-01", "2020-05-01", "2020-06-01"]).tz_localize("UTC"), "t, monthly"),
    ],
)
def test_values(times, tsset):
    """Three periods in a row, a gap, two in a row."""
    if tsset == "t, quarterly":
        times = times.where(times != pd.Timestamp("2020-06-30"), pd.Timestamp("2020-04-01"))
    np.testing.assert_array_equal(lagged(times, tsset), [np.nan, 1.0, 2.0, np.nan, 8.0])
    np.testing.assert_array_equal(lagged(times, tsset, "D.x"), [np.nan, 1.0, 2.0, np.nan, 8.0])
    np.testing.assert_array_equal(lagged(times, tsset, "F2.x"), [4.0, np.nan, 8.0, np.nan, np.nan])


def test_missing_dates():
    times = pd.to_datetime(["2020-01-01", None, "2020-02-01", "2020-03-01", None])
    np.testing.assert_array_equal(lagged(times, "t, monthly"), [np.nan, np.nan, 1.0, 4.0, np.nan])
    np.testing.assert_array_equal(lagged([2, 4, np.nan, 6, 10], "t, delta(2)"), [np.nan, 1.0, np.nan, 2.0, np.nan])


@pytest.mark.parametrize("unit", TIME_UNITS)
def test_periods_of_a_century_follow_each_other(unit):
    """Every period has a number of its own, one more than the one before, and dates keep their order."""
    days = pd.date_range("1950-01-01", "2050-12-31", freq="D")
    numbers = period_numbers("t", days, unit)
    assert set(np.diff(numbers)) <= {0.0, 1.0}
    years = {"weekly": 52, "monthly": 12, "quarterly": 4, "halfyearly": 2, "yearly": 1}
    if unit in years:
        assert numbers[-1] - numbers[0] + 1 == 101 * years[unit]


@pytest.mark.parametrize(
    ("times", "tsset", "message"),
    [
        ([1, 2, 3, 4, 5.5], "t", r"must hold whole numbers, found 5.5 in row 5 .* tsset\(t, delta\(0.5\)\)"),
        ([1, 3, 5, 8, 9], "t, delta(2)", r"must be multiples of delta\(2\) apart, found 8 in row 4"),
        (pd.date_range("2020-01-01", periods=5), "t", r"holds dates; say how long a period is: tsset\(t, daily, weekly"),
        (pd.date_range("2020-01-01", periods=5), "t, monthly", "rows 1 and 2 of the data both have t = 2020-01-01"),
        ([1, 2, 3, 4, 5], "t, monthly", "holds numbers, not dates: leave monthly out"),
        (pd.period_range("2020-01", periods=5, freq="M"), "t, monthly", "holds periods, .* leave monthly out"),
        (pd.to_timedelta([1, 2, 3, 4, 5], "D"), "t, daily", "holds times of day or durations"),
        (list("abcde"), "t", "holds text, not whole numbers or dates"),
        ([20240115, 20240115, 3, 4, 5], "t", "both have t = 20240115; "),
        ([20240115.5, 2, 3, 4, 5], "t", "found 20240115.5 in row 1"),
    ],
)
def test_times_that_cannot_be_counted(times, tsset, message):
    with pytest.raises(DataError, match=message):
        lagged(times, tsset)


@pytest.mark.parametrize(
    ("tsset", "message"),
    [
        ("t, delta(0)", "delta() takes a positive number"),
        ("t, delta(two)", "found two"),
        ("t, delta()", "found nothing"),
        ("t, delta(1) delta(2)", "takes delta(#) and one unit of time"),
        ("t, monthly daily", "takes delta(#) and one unit of time"),
        (
            "t, monthli",
            "found monthli, expected delta(#), or daily, weekly, monthly, quarterly, halfyearly or yearly; did you mean",
        ),
        ("t, clocktime", "found clocktime, expected"),
    ],
)
def test_mistakes_in_the_options(tsset, message):
    with pytest.raises(OptionError) as caught:
        lagged([1, 2, 3, 4, 5], tsset)
    assert message in str(caught.value)


def test_a_fit_by_months_is_that_by_numbers(tmp_path):
    data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=3)
    data["month"] = pd.to_datetime("2020-11-01") + pd.to_timedelta(0, "D")
    data["month"] = [start + pd.DateOffset(months=int(t)) for start, t in zip(data["month"], data["time"], strict=True)]
    by_number = sparsemixed.mixed("y L.y || id:, tsset(id time)", data)
    by_month = sparsemixed.mixed("y L.y || id:, tsset(id month, m)", data)
    assert by_month.llf == by_number.llf
    by_month.save(tmp_path / "fit")
    np.testing.assert_array_equal(sparsemixed.load(tmp_path / "fit").predict(data), by_number.predict(data))
