"""`test`, `profile`, `compare`, `report` and their like write what the methods of fits show; `-` is standard input and output."""

import io
import json
import sys

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.datasets import simulate_longitudinal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data and saved fits of them."""
    folder = tmp_path_factory.mktemp("saved")
    data = simulate_longitudinal(40, 5, seed=3)
    data["arm"] = data["id"] % 3
    data["site"] = np.array(["north", "south"])[(data["id"] > 20).astype(int)]
    data.to_csv(folder / "visits.csv", index=False)
    for name, model in (("small", "y time || id:"), ("large", "y i.arm##c.time || id: time, reml dfmethod(kroger)")):
        sparsemixed.mixed(model, data).save(folder / f"{name}.fit")
    sparsemixed.mixed("y i.arm##c.time || id:", data).save(folder / "nested.fit", data=True)
    sparsemixed.mixed("y time || id: time, reml", data).save(folder / "whole.fit", data=True)
    return folder


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def run(capsys, *arguments):
    status = cli.main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


def feed(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def pair(*names):
    return [sparsemixed.load(f"{name}.fit") for name in names]


def large():
    return sparsemixed.load("large.fit")


SHOWN = {
    "test": (["test", "large.fit", "1.arm = 2.arm = 0"], lambda: large().test("1.arm = 2.arm = 0")),
    "small test": (["test", "large.fit", "1.arm = 2.arm", "--small"], lambda: large().test("1.arm = 2.arm", small=True)),
    "terms": (["test", "large.fit", "i.arm#c.time", "--terms"], lambda: large().testparm("i.arm#c.time")),
    "lincom": (["lincom", "large.fit", "1.arm - 2.arm", "--level", "90"], lambda: large().lincom("1.arm - 2.arm", level=90)),
    "small lincom": (["lincom", "large.fit", "time", "--small"], lambda: large().lincom("time", small=True)),
    "negative": (["lincom", "large.fit", "--", "-time"], lambda: large().lincom("-time")),
    "one by one": (["test", "large.fit", "1.arm time", "--mtest", "holm"], lambda: large().test("1.arm time", mtest="holm")),
    "given df": (["lincom", "large.fit", "time", "--df", "12"], lambda: large().lincom("time", df=12)),
    "nlcom": (["nlcom", "large.fit", "time^2", "--level", "90"], lambda: large().nlcom("time^2", level=90)),
    "testnl": (["testnl", "large.fit", "time^2 = 1", "--df", "9"], lambda: large().testnl("time^2 = 1", df=9)),
    "profile": (["profile", "whole.fit", "--level", "90"], lambda: sparsemixed.load("whole.fit").profile(level=90)),
    "profile of some": (
        ["profile", "whole.fit", "time", "icc: var(_cons)/(var(_cons) + var(Residual))", "--criterion", "ml"],
        lambda: sparsemixed.load("whole.fit").profile(["time", "icc: var(_cons)/(var(_cons) + var(Residual))"], criterion="ml"),
    ),
    "deviations": (
        ["profile", "whole.fit", "--stddeviations"], lambda: sparsemixed.load("whole.fit").profile(stddeviations=True)
    ),
    "lrtest": (["lrtest", "small.fit", "nested.fit"], lambda: sparsemixed.lrtest(*pair("small", "nested"))),
    "compare": (
        ["compare", "small.fit", "nested.fit"],
        lambda: sparsemixed.compare(*pair("small", "nested"), names=["small", "nested"]),
    ),
    "bare comparison": (
        ["compare", "small.fit", "small.fit", "--stats", "N,N_g", "--no-se", "--stars"],
        lambda: sparsemixed.compare(*pair("small", "small"), stats=("N", "N_g"), se=False, stars=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SHOWN)
def test_what_is_shown_is_what_the_method_shows(capsys, tmp_path, what):
    arguments, make = SHOWN[what]
    expected = make()

    def go(*more):  # options stand before a `--`
        place = arguments.index("--") if "--" in arguments else len(arguments)
        return run(capsys, *arguments[:place], *more, *arguments[place:])

    assert go() == (0, f"{expected}\n" if not str(expected).endswith("\n") else str(expected), "")
    assert go("--format", "markdown")[1].rstrip("\n") == expected.to_markdown().rstrip("\n")
    for ending, text in ((".tex", expected.to_latex()), (".md", expected.to_markdown()), (".txt", str(expected))):
        out = tmp_path / f"out{ending}"
        assert go("--out", str(out)) == (0, "", "")
        assert out.read_text().rstrip("\n") == text.rstrip("\n")
    page = go("--format", "html")[1]
    assert page.startswith("<!DOCTYPE html>\n")
    assert expected.to_html() in page
    rows = json.loads(go("--format", "json")[1])
    frame = expected.frame
    assert len(rows) == len(frame)
    for row, (_, numbers) in zip(rows, frame.iterrows(), strict=True):
        assert [row[name] for name in frame.columns] == [None if np.isnan(x) else pytest.approx(x, rel=1e-15) for x in numbers]


def test_limits_as_csv(capsys, tmp_path):
    expected = sparsemixed.load("whole.fit").profile().limits
    status, out, err = run(capsys, "profile", "whole.fit", "--format", "csv")
    assert (status, err) == (0, "")
    assert run(capsys, "profile", "whole.fit", "--out", str(tmp_path / "limits.csv")) == (0, "", "")
    for source in (io.StringIO(out), tmp_path / "limits.csv"):
        pd.testing.assert_frame_equal(pd.read_csv(source, index_col="name"), expected, check_names=False, rtol=1e-14)


def test_a_report_in_every_format(capsys, tmp_path):
    fit = large()
    assert run(capsys, "report", "large.fit") == (0, f"{fit}\n", "")
    words = ["--noheader", "--level", "90", "--stddeviations"]
    display = {"noheader": True, "level": 90, "stddeviations": True}
    for name in ("text", "markdown", "latex"):
        assert run(capsys, "report", "large.fit", "--format", name, *words)[1].rstrip() == fit.render(name, **display).rstrip()
    assert run(capsys, "report", "large.fit", "--out", str(tmp_path / "out.html"), *words) == (0, "", "")
    page = (tmp_path / "out.html").read_text()
    assert fit.to_html(**display) in page
    assert "<title>y i.arm##c.time || id: time, reml dfmethod(kroger)</title>" in page
    assert "http" not in page.replace("<!DOCTYPE html>", "")


def test_fits_that_did_not_converge_are_status_1(capsys, tmp_path):
    fit = str(tmp_path / "unfinished.fit")
    sparsemixed.mixed("y time || id: time, iterate(0)", "visits.csv").save(fit)
    for arguments in (["test", fit, "time"], ["lincom", fit, "time"], ["compare", fit], ["report", fit]):
        status, out, err = run(capsys, *arguments)
        assert status == 1
        assert out
        assert "not converged" in err


def test_data_from_standard_input(capsys, monkeypatch):
    with open("visits.csv", "rb") as file:
        content = file.read()
    feed(monkeypatch, content)
    status, out, err = run(capsys, "fit", "-", "y time || id:", "--json", "-")
    assert (status, err) == (0, "")
    assert json.loads(out)["header"]["ll"] == pytest.approx(sparsemixed.load("small.fit").llf, rel=1e-14)
    feed(monkeypatch, content)
    assert run(capsys, "predict", "large.fit", "-", "--out", "-") == run(capsys, "predict", "large.fit", "visits.csv")


def test_a_fit_through_a_pipe(capsysbinary, monkeypatch):
    assert cli.main(["fit", "visits.csv", "y time || id:", "--save", "-"]) == 0
    saved, err = capsysbinary.readouterr()
    assert err == b""
    for arguments in (["show", "-"], ["test", "-", "time"], ["predict", "-", "visits.csv"], ["lrtest", "-", "nested.fit"]):
        feed(monkeypatch, saved)
        assert cli.main(arguments) == 0
        piped = capsysbinary.readouterr()
        assert cli.main(["small.fit" if word == "-" else word for word in arguments]) == 0
        assert capsysbinary.readouterr() == piped


def test_a_model_for_each_level(capsys, tmp_path):
    data = pd.read_csv("visits.csv")
    data.loc[0, "site"] = None  # a row without a level belongs to none
    data.to_csv(tmp_path / "some.csv", index=False)
    out, saved = tmp_path / "fits.json", tmp_path / "fit-{}.fit"
    arguments = ["fit", str(tmp_path / "some.csv"), "y time || id:", "--by", "site", "--reml"]
    status, printed, err = run(capsys, *arguments, "--json", str(out), "--save", str(saved))
    assert (status, err) == (0, "")
    record = json.loads(out.read_text())
    assert record["by"] == "site"
    for one, level in zip(record["fits"], ("north", "south"), strict=True):
        alone = sparsemixed.mixed("y time || id:", data[data["site"] == level], reml=True)
        assert (one["by_level"], one["error"]) == (level, None)
        assert one["header"]["ll"] == pytest.approx(alone.llf, rel=1e-14)
        assert sparsemixed.load(tmp_path / f"fit-{level}.fit").llf == pytest.approx(alone.llf, rel=1e-14)
        assert f"-> site = {level}\n\n{alone}\n" in printed


def test_levels_that_cannot_be_fitted(capsys, tmp_path):
    data = pd.read_csv("visits.csv")
    data["part"] = np.where(data["id"] <= 20, 1.0, 2.0)
    data.loc[data["part"] == 2, "y"] = np.nan
    data.to_csv(tmp_path / "some.csv", index=False)
    status, printed, err = run(
        capsys, "fit", str(tmp_path / "some.csv"), "y time || id:", "--by", "part", "--json", str(tmp_path / "out")
    )
    assert (status, err) == (1, "")
    assert "-> part = 2\n\nno observations" in printed
    first, second = json.loads((tmp_path / "out").read_text())["fits"]
    assert (first["by_level"], second["by_level"]) == (1, 2)
    assert second["error"].startswith("no observations")
    assert run(capsys, "fit", str(tmp_path / "some.csv"), "y nothing || id:", "--by", "part", "--quiet")[0] == 2


def test_levels_of_every_kind_of_variable(tmp_path):
    from sparsemixed.design.data.frame import read_frame
    from sparsemixed.fitting.levels import Levels

    table = pd.DataFrame(
        {
            "whole": [3, 1, 3, 1],
            "float": [0.5, np.nan, 0.5, 2.0],
            "text": ["b", "a", None, "b"],
            "truth": [True, False, True, True],
            "mixed": pd.Series([1, "a", 1, "a"], dtype=object),
            "category": pd.Categorical(["x", "y", "x", "y"], categories=["y", "x", "z"], ordered=True),
            "date": pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-02", "2020-01-02"]),
        }
    ).set_axis([7, 7, 8, 9])
    expected = {
        "whole": {1: [1, 3], 3: [0, 2]},
        "float": {0.5: [0, 2], 2: [3]},
        "text": {"a": [1], "b": [0, 3]},
        "truth": {False: [1], True: [0, 2, 3]},
        "mixed": {1: [0, 2], "a": [1, 3]},
        "category": {"y": [1, 3], "x": [0, 2]},
        "date": {"2020-01-01 00:00:00": [1], "2020-01-02 00:00:00": [0, 2, 3]},
    }
    for name, levels in expected.items():
        found = Levels(read_frame(table), name)
        assert list(found) == list(levels)
        for level, rows in levels.items():
            part = found.rows(level)
            assert part.n_rows == len(rows)
            assert part.index.equals(table.index[rows])
            for column in table:
                found_values, expected_values = part.series(column), table[column].iloc[rows]
                pd.testing.assert_series_equal(
                    found_values.reset_index(drop=True), expected_values.reset_index(drop=True), check_names=False
                )
    labelled = tmp_path / "labelled.dta"
    table[["whole"]].astype("int8").to_stata(labelled, write_index=False, value_labels={"whole": {1: "one", 3: "three"}})
    assert [Levels(read_frame(labelled), "whole").written(level) for level in (1, 3)] == ["one", "three"]


def test_predictions_with_limits_and_new_responses(tmp_path, capsys):
    data = simulate_longitudinal(30, 5, seed=3)
    fit = sparsemixed.mixed("y time || id: time, reml", data)
    fit.save(tmp_path / "visits.fit")
    later = pd.DataFrame({"id": [900, 900, 901], "time": [0.0, 1.0, 2.0], "y": [1.0, None, 2.0]})
    later.to_csv(tmp_path / "later.csv", index=False)
    words = ["predict", str(tmp_path / "visits.fit"), str(tmp_path / "later.csv"), "--what", "fitted"]
    assert cli.main([*words, "--interval", "prediction", "--level", "90", "--update"]) == 0
    found = pd.read_csv(io.StringIO(capsys.readouterr().out))
    expected = fit.predict(later, "fitted", interval="prediction", level=90, update=True)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
