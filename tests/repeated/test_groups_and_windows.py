"""`statsby` and `rolling`: numbers of fits to groups and to windows of time, as fits to the same rows have them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import CommandError, DataError, OptionError

MODEL = "mixed y time || id:"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    found = sparsemixed.datasets.simulate_longitudinal(48, 6, seed=4)
    return found.assign(arm=found["id"] % 2, site=found["id"] % 3, t=found["time"].astype(int) + 2000)


def test_everything_in_e_b(data):
    found = sparsemixed.mixed(f"statsby _b _se, by(arm): {MODEL}", data)
    fit = sparsemixed.mixed(MODEL, data[data["arm"] == 1])
    row = found.iloc[1]
    assert found.columns.tolist() == [
        *("arm", "y_b_time", "y_b_cons", "lns1_1_1_b_cons", "lnsig_e_b_cons"),
        *("y_se_time", "y_se_cons", "lns1_1_1_se_cons", "lnsig_e_se_cons", "message"),
    ]
    assert row[1:5].tolist() == fit.e["b"].to_numpy().ravel().tolist()
    assert row[5:9].astype(float).tolist() == pytest.approx(np.sqrt(np.diag(fit.e["V"])))


def test_expressions(data):
    text = "statsby ll=e(ll) r = _b[time]/_se[time] (icc: exp(2*[lns1_1_1]_cons)/(exp(2*[lns1_1_1]_cons)+exp(2*[lnsig_e]_cons)))"
    found = sparsemixed.mixed(f"{text} _b[time] 2*e(N), by(arm): {MODEL}", data)
    fit = sparsemixed.mixed(MODEL, data[data["arm"] == 0])
    row = found.iloc[0]
    assert found.columns.tolist() == ["arm", "ll", "r", "icc", "_b_time", "_stat_5", "message"]
    assert row["ll"] == fit.llf
    assert row["r"] == pytest.approx(fit.zvalues["time"])
    assert row["icc"] == pytest.approx(fit.estat.icc().frame.iloc[0]["icc"])
    assert row["_stat_5"] == 2 * fit.nobs


def test_functions_and_totals(data):
    found = sparsemixed.statsby(MODEL, data, ["arm", "site"], {"n": lambda fit: fit.nobs, "ll": "e(ll)"}, total=True)
    assert len(found) == 7
    assert found["n"].tolist() == [*[48] * 6, 288]
    assert found.iloc[-1][["arm", "site"]].isna().all()
    assert found.iloc[-1]["ll"] == sparsemixed.mixed(MODEL, data).llf


def test_failures_are_rows(data, tmp_path):
    some = data.copy()
    some.loc[some["arm"] == 1, "y"] = 3.0
    found = sparsemixed.statsby(MODEL, some, "arm", "ll=e(ll)", saving=str(tmp_path / "table.csv"))
    assert found["message"].isna().tolist() == [True, False]
    assert np.isnan(found["ll"].iloc[1])
    assert pd.read_csv(tmp_path / "table.csv")["ll"].iloc[0] == pytest.approx(found["ll"].iloc[0])


def test_windows(data):
    found = sparsemixed.mixed(f"rolling b=_b[time], window(4): {MODEL}, tsset(id t)", data)
    assert found[["start", "end"]].to_numpy().tolist() == [[2000, 2003], [2001, 2004], [2002, 2005]]
    alone = sparsemixed.mixed(MODEL, data[data["t"].between(2001, 2004)])
    assert found["b"].iloc[1] == alone.params["time"]


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ("window(3) stepsize(2)", [[2000, 2002], [2002, 2004]]),
        ("window(4) recursive", [[2000, 2003], [2000, 2004], [2000, 2005]]),
        ("window(4) rrecursive", [[2000, 2005], [2001, 2005], [2002, 2005]]),
        ("window(3) start(2001) end(2004)", [[2001, 2003], [2002, 2004]]),
        ("window(6)", [[2000, 2005]]),
    ],
)
def test_which_windows(data, options, limits):
    found = sparsemixed.mixed(f"rolling n=e(N), {options} time(t): {MODEL}", data)
    assert found[["start", "end"]].to_numpy().tolist() == limits
    assert found["n"].tolist() == [48 * (high - low + 1) for low, high in limits]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda d: sparsemixed.mixed(f"statsby _b: {MODEL}", d), OptionError, r"by\(school\)"),
        (lambda d: sparsemixed.mixed(f"rolling _b, time(t): {MODEL}", d), OptionError, "length of its windows"),
        (lambda d: sparsemixed.mixed(f"rolling _b, window(3): {MODEL}", d), OptionError, "rolling needs times"),
        (lambda d: sparsemixed.rolling(MODEL, d, 0, time="t"), OptionError, "window is a number of times"),
        (lambda d: sparsemixed.rolling(MODEL, d, 2.5, time="t"), OptionError, "window is a number of times"),
        (lambda d: sparsemixed.rolling(MODEL, d, 3, time="t", step=0), OptionError, "step is a number of times"),
        (lambda d: sparsemixed.rolling(MODEL, d, 7, time="t"), DataError, "no window of 7 times"),
        (lambda d: sparsemixed.rolling(MODEL, d, 3, time="s"), DataError, "no variable `s`"),
        (lambda d: sparsemixed.rolling(MODEL, d, 3, time="y"), DataError, "whole numbers"),
        (lambda d: sparsemixed.rolling(MODEL, d, 3, time="t", recursive=True, rrecursive=True), OptionError, "exclude"),
        (lambda d: sparsemixed.statsby(MODEL, d, "arm", "a=_b[time] a=_b[_cons]"), OptionError, "two statistics are called a"),
        (lambda d: sparsemixed.statsby(MODEL, d, "arm", "_b[tim]"), CommandError, "tim"),
        (lambda d: sparsemixed.statsby(MODEL, d, "arm", "e(lll)"), CommandError, r"e\(lll\) is no number"),
        (lambda d: sparsemixed.statsby(MODEL, d, "arm", "e(V)"), CommandError, r"e\(V\) is no number"),
        (lambda d: sparsemixed.statsby(MODEL, d, "arm", "_se[tim]"), CommandError, r"_se\[tim\]"),
        (lambda d: sparsemixed.statsby(MODEL, d, "arm", "sqrt(_b[time] - 10)"), OptionError, "no value at the estimates"),
        (lambda d: sparsemixed.statsby(MODEL, d, "arm", {"a": lambda fit: "x"}), OptionError, "statistic a is to be a number"),
        (lambda d: sparsemixed.statsby(MODEL, d, "arm", saving="t.xyz"), DataError, "cannot tell the format"),
    ],
)
def test_one_clear_message(data, call, kind, message):
    with pytest.raises(kind, match=message):
        call(data)
