"""`sparsemixed batch`: the same numbers as fits one by one, in rows that say what failed, and taken up again where it stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.cli.batch.interruption import Interruption
from sparsemixed.cli.batch.processes import stretches
from sparsemixed.cli.batch.shelf import Shelf
from sparsemixed.cli.batch.units import units_of
from sparsemixed.cli.commands.batch import run as run_batch
from sparsemixed.datasets import simulate_longitudinal

MODELS = ["y time || id:", "y ~ time + (time | id)", "y i.arm##c.time || id:, reml dfmethod(kroger)"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, seed in (("a", 1), ("b", 2)):
        data = simulate_longitudinal(20, 5, seed=seed)
        data.assign(arm=data["id"] % 2, site=np.array(["north", "south/west"])[data["id"] // 2 % 2]).to_csv(
            f"{name}.csv", index=False
        )
    return tmp_path


def write_jobs(*jobs, name="jobs.jsonl"):
    with open(name, "w") as file:
        file.writelines(json.dumps(job) + "\n" for job in jobs)


def run(capsys, *arguments):
    status = cli.main(["batch", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def assert_row_is(row, fit):
    """A wide row against a fit made by itself."""
    assert row["outcome"] == "converged"
    assert row["ll"] == pytest.approx(fit.llf, rel=1e-12)
    assert row["nobs"] == fit.nobs
    limits = fit.conf_int()
    for name in fit.params.index:
        found = [row[f"{short}[{name}]"] for short in ("b", "se", "stat", "p", "low", "high")]
        expected = [fit.params[name], fit.bse[name], fit.zvalues[name], fit.pvalues[name], *limits.loc[name]]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-300)
    for (equation, parameter), estimates in fit.random_params.iterrows():
        assert row[f"b[{f'{equation} {parameter}'.strip()}]"] == pytest.approx(estimates["estimate"], rel=1e-9)


@pytest.mark.parametrize(("jobs", "out"), [("1", "results.parquet"), ("2", "results.csv")])
def test_rows_are_the_fits_made_one_by_one(folder, capsys, jobs, out):
    listed = [{"id": f"{data}{i}", "data": f"{data}.csv", "model": model} for data in "ab" for i, model in enumerate(MODELS)]
    write_jobs(*listed)
    assert run(capsys, "jobs.jsonl", "--jobs", jobs, "--out", out) == (0, "", "sparsemixed: 6 fits: 6 converged\n")
    table = pd.read_parquet(out) if out.endswith("parquet") else pd.read_csv(out)
    assert table["id"].tolist() == [job["id"] for job in listed]
    for job, (_, row) in zip(listed, table.iterrows(), strict=True):
        assert_row_is(row, sparsemixed.mixed(job["model"], job["data"]))


def test_options_levels_and_saved_fits(folder, capsys):
    write_jobs(
        {"id": 7, "data": "a.csv", "command": "y time || id:", "by": "site", "save": "fit-{}.fit"},
        {"data": "a.csv", "formula": "y ~ time + (1 | id)", "options": {"reml": True, "level": 90, "dfmethod": "kroger"}},
    )
    assert run(capsys, "jobs.jsonl", "--out", "results.jsonl", "--quiet") == (0, "", "")
    rows = lines_of((folder / "results.jsonl").read_text())
    assert [(row["id"], row["by"], row["by_level"]) for row in rows] == [
        ("7", "site", "north"),
        ("7", "site", "south/west"),
        ("2", None, None),
    ]
    data = pd.read_csv("a.csv")
    for row, name in zip(rows, ("fit-north.fit", "fit-south%2Fwest.fit"), strict=False):
        alone = sparsemixed.mixed("y time || id:", data[data["site"] == row["by_level"]])
        assert row["header"]["ll"] == alone.llf
        assert sparsemixed.load(name).llf == alone.llf
    third = sparsemixed.mixed("y ~ time + (1 | id)", data, reml=True, level=90, dfmethod="kroger")
    assert [one["df"] for one in rows[2]["fixed"]] == third.df.tolist()
    assert [[one["ci_low"], one["ci_high"]] for one in rows[2]["fixed"]] == third.conf_int().to_numpy().tolist()


def test_the_long_table_has_a_row_for_each_estimate(folder, capsys):
    write_jobs({"id": "a", "data": "a.csv", "model": MODELS[0]}, {"id": "b", "data": "none.csv", "model": MODELS[0]})
    assert run(capsys, "jobs.jsonl", "--out", "long.csv", "--long")[0] == 1
    table = pd.read_csv("long.csv")
    fit = sparsemixed.mixed(MODELS[0], "a.csv")
    own = table[table["id"] == "a"]
    assert own["name"].tolist() == [*fit.params.index, *(parameter for _, parameter in fit.random_params.index)]
    assert own["estimate"].tolist() == pytest.approx([*fit.params, *fit.random_params["estimate"]], rel=1e-12)
    (failed,) = table[table["id"] == "b"].to_dict("records")
    assert (failed["outcome"], failed["message"]) == ("failed", "no such data file: `none.csv`")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_failures_are_rows_with_their_message(folder, capsys, jobs):
    (folder / "broken.parquet").write_bytes(b"PAR1")
    write_jobs(
        {"id": "good", "data": "a.csv", "model": "y time || id:"},
        {"id": "no file", "data": "none.csv", "model": "y time || id:"},
        {"id": "no variable", "data": "a.csv", "model": "y tme || id:"},
        {"id": "no model", "data": "a.csv", "model": "y time, foo("},
        {"id": "no option", "data": "a.csv", "model": "y time || id:", "options": {"rmel": True}},
        {"id": "no table", "data": "broken.parquet", "model": "y time || id:"},
        {"id": "no level", "data": "a.csv", "model": "y time || id:", "by": "nowhere"},
        {"id": "no folder", "data": "a.csv", "model": "y time || id:", "save": "none/a.fit"},
        {"id": "unfinished", "data": "a.csv", "model": "y time || id: time, iterate(0)"},
    )
    status, out, err = run(capsys, "jobs.jsonl", "--out", "results.csv", "--jobs", jobs)
    assert (status, out) == (1, "")
    assert err == "sparsemixed: 9 fits: 1 converged, 1 not converged, 7 failed\n"
    table = pd.read_csv("results.csv").set_index("id")
    assert table["outcome"].tolist() == ["converged", *7 * ["failed"], "not converged"]
    for name, said in {
        "no file": "no such data file: `none.csv`",
        "no variable": "variable `tme` not found",
        "no model": "found the end of the text",
        "no option": "unknown option rmel",
        "no table": "`broken.parquet` cannot be read",
        "no level": "by: variable `nowhere` not found",
        "no folder": "there is no folder",
    }.items():
        assert said in table.loc[name, "message"]
        assert "\n" not in table.loc[name, "message"]


def count_fits(monkeypatch):
    """The models that are fitted in this process from now on."""
    import sparsemixed.cli.batch.one_fit as one_fit

    fitted, mixed = [], one_fit.mixed

    def counting(model, data, **options):
        fitted.append(model)
        return mixed(model, data, **options)

    monkeypatch.setattr(one_fit, "mixed", counting)
    return fitted


def test_a_rerun_does_what_is_not_done(folder, capsys, monkeypatch):
    fitted = count_fits(monkeypatch)
    jobs = [{"id": str(i), "data": "a.csv", "model": model} for i, model in enumerate(MODELS)]
    bad = {"id": "bad", "data": "a.csv", "model": "y tme || id:"}
    write_jobs(*jobs[:2], bad)
    assert run(capsys, "jobs.jsonl", "--out", "out.csv")[0] == 1
    first = pd.read_csv("out.csv")
    fitted.clear()
    assert run(capsys, "jobs.jsonl", "--out", "out.csv")[2] == "sparsemixed: 3 fits: 2 converged, 1 failed, 3 of them before\n"
    assert fitted == []
    pd.testing.assert_frame_equal(pd.read_csv("out.csv"), first)
    write_jobs(bad, *jobs)
    assert run(capsys, "jobs.jsonl", "--out", "out.csv")[2] == "sparsemixed: 4 fits: 3 converged, 1 failed, 3 of them before\n"
    assert fitted == [MODELS[2]]
    assert pd.read_csv("out.csv")["id"].tolist() == ["bad", "0", "1", "2"]
    fitted.clear()
    run(capsys, "jobs.jsonl", "--out", "out.csv", "--retry")
    assert fitted == ["y tme || id:"]
    fitted.clear()
    assert run(capsys, "jobs.jsonl", "--out", "out.csv", "--restart")[2] == "sparsemixed: 4 fits: 3 converged, 1 failed\n"
    assert len(fitted) == 4


def test_changed_jobs_and_changed_data_are_fitted_again(folder, capsys, monkeypatch):
    jobs = [{"id": name, "data": f"{name}.csv", "model": MODELS[0]} for name in "ab"]
    write_jobs(*jobs)
    run(capsys, "jobs.jsonl", "--out", "out.csv")
    fitted = count_fits(monkeypatch)
    write_jobs({**jobs[0], "options": {"reml": True}}, jobs[1])
    run(capsys, "jobs.jsonl", "--out", "out.csv")
    assert fitted == [MODELS[0]]
    table = pd.read_csv("out.csv")
    assert table["method"].tolist() == ["REML", "ML"]
    pd.read_csv("b.csv").iloc[:-5].to_csv("b.csv", index=False)
    run(capsys, "jobs.jsonl", "--out", "out.csv")
    assert len(fitted) == 2
    assert pd.read_csv("out.csv")["nobs"].tolist() == [100, 95]


def test_half_a_line_at_the_end_of_a_journal_is_forgotten(folder, capsys, monkeypatch):
    write_jobs(*({"id": str(i), "data": "a.csv", "model": model} for i, model in enumerate(MODELS)))
    run(capsys, "jobs.jsonl", "--out", "out.csv")
    first = pd.read_csv("out.csv")
    journal = folder / "out.csv.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-100])
    fitted = count_fits(monkeypatch)
    assert run(capsys, "jobs.jsonl", "--out", "out.csv")[0] == 0
    assert fitted == MODELS[2:]
    pd.testing.assert_frame_equal(pd.read_csv("out.csv").drop(columns="seconds"), first.drop(columns="seconds"))
    journal.write_bytes(b"something else\n" + whole)
    status, _, err = run(capsys, "jobs.jsonl", "--out", "out.csv")
    assert status == 2
    assert err.startswith("sparsemixed: line 1 of `")
    assert err.count("\n") == 1
    assert run(capsys, "jobs.jsonl", "--out", "out.csv", "--restart")[0] == 0


def test_standard_input_and_output(folder, capsys, monkeypatch):
    import io

    text = "".join(json.dumps({"id": i, "data": "a.csv", "model": model}) + "\n" for i, model in enumerate(MODELS))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    status, out, err = run(capsys, "-", "--out", "-", "--quiet")
    assert (status, err) == (0, "")
    rows = lines_of(out)
    assert [row["id"] for row in rows] == ["0", "1", "2"]
    assert "key" not in rows[0]
    assert rows[1]["header"]["ll"] == sparsemixed.mixed(MODELS[1], "a.csv").llf
    assert not list(folder.glob("*.journal"))


def test_an_interruption_keeps_what_is_done(folder, capsys, monkeypatch):
    import sparsemixed.cli.batch.one_fit as one_fit

    write_jobs(*({"id": str(i), "data": "a.csv", "model": model} for i, model in enumerate(MODELS)))
    mixed = one_fit.mixed

    def interrupted(model, data, **options):
        if model == MODELS[1]:
            os.kill(os.getpid(), signal.SIGINT)
        return mixed(model, data, **options)

    monkeypatch.setattr(one_fit, "mixed", interrupted)
    before = signal.getsignal(signal.SIGINT)
    status, _, err = run(capsys, "jobs.jsonl", "--out", "out.csv")
    assert signal.getsignal(signal.SIGINT) is before
    assert (status, err) == (130, "sparsemixed: interrupted: 1 of 3 fits are done; the same command again goes on\n")
    assert pd.read_csv("out.csv")["id"].tolist() == [0]
    monkeypatch.setattr(one_fit, "mixed", mixed)
    assert run(capsys, "jobs.jsonl", "--out", "out.csv") == (0, "", "sparsemixed: 3 fits: 3 converged, 1 of them before\n")


def test_a_signal_while_a_record_is_written_waits():
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt), interruption.breaking():
            pass


def started(folder, *arguments):
    """A batch in a process of its own, and its journal once a line is in it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sparsemixed", "batch", *arguments],
        cwd=folder,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    journal = folder / "out.csv.journal"
    until = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    return process, journal


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_ctrl_c_and_a_lost_process(folder, capsys):
    """The terminal sends Ctrl-C to all processes of a batch; one that the system ends costs its fit alone."""
    write_jobs(*({"id": str(i), "data": "a.csv", "model": MODELS[i % 3]} for i in range(3000)))
    process, journal = started(folder, "jobs.jsonl", "--jobs", "2", "--out", "out.csv")
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    assert len(children) == 2
    os.kill(children[0], signal.SIGKILL)
    until = time.monotonic() + 60
    while b'"failed"' not in journal.read_bytes() and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("sparsemixed: interrupted: ")
    assert err.count("\n") == 1
    table = pd.read_csv("out.csv")
    assert len(table) == len(journal.read_bytes().splitlines()) < 3000
    assert not any(os.path.exists(f"/proc/{child}") for child in children)
    (lost,) = table[table["outcome"] == "failed"].to_dict("records")
    assert lost["message"].startswith("its process was ended by signal 9")


def test_two_batches_of_the_same_results_are_refused(folder, capsys):
    from sparsemixed.cli.batch.journal import Journal

    write_jobs({"data": "a.csv", "model": MODELS[0]})
    with Journal(folder / "out.csv.journal", anew=False):
        status, _, err = run(capsys, "jobs.jsonl", "--out", str(folder / "out.csv"))
    assert status == 2
    assert "another batch is writing" in err
    assert run(capsys, "jobs.jsonl", "--out", "out.csv")[0] == 0


def test_each_file_is_read_once(folder, capsys, monkeypatch):
    import sparsemixed.cli.batch.shelf as shelf_module

    read, names = shelf_module.resolve_data, []
    monkeypatch.setattr(shelf_module, "resolve_data", lambda name: names.append(name) or read(name))
    jobs = [{"data": f"{name}.csv", "model": model, "by": by} for model in MODELS for name in "ab" for by in (None, "arm")]
    write_jobs(*jobs, {"data": "none.csv", "model": MODELS[0]}, {"data": "none.csv", "model": MODELS[1]})
    # Data that jobs split by levels are looked at before: here a second time, because two files take turns.
    run(capsys, "jobs.jsonl", "--out", "out.csv")
    assert len(names) <= 2 * 6 + 3
    write_jobs(*(job for job in jobs if job["by"] is None))
    names.clear()
    run(capsys, "jobs.jsonl", "--out", "second.csv")
    assert names == ["a.csv", "b.csv"]


def test_stretches_keep_data_together_and_processes_busy():
    from sparsemixed.cli.batch.jobs import Job

    def units(*names):
        return units_of([Job(str(i), name, "y x", {}, None, None, i) for i, name in enumerate(names)], Shelf())

    found = stretches(units(*"abab"), 1)
    assert [[unit.job.data for unit in stretch] for stretch in found] == [["a"], ["a"], ["b"], ["b"]]
    many = stretches(units(*1000 * "a"), 2)
    assert {len(stretch) for stretch in many} == {25}
    assert [unit.job.id for stretch in many for unit in stretch] == [str(i) for i in range(1000)]
    few = stretches(units(*10 * "a"), 4)
    assert len(few) == 10  # long fits of the same data are spread over all processes


def test_progress_on_demand(folder, capsys, monkeypatch):
    monkeypatch.setattr("sparsemixed.cli.batch.progress.EVERY_ELSEWHERE", 0.0)
    write_jobs(*({"id": str(i), "data": "a.csv", "model": model} for i, model in enumerate(MODELS)))
    _, _, err = run(capsys, "jobs.jsonl", "--out", "out.csv", "--progress")
    assert [line.split(",")[0] for line in err.splitlines()[:3]] == ["1/3 fits", "2/3 fits", "3/3 fits"]
    assert run_batch.__module__.endswith("batch")


@pytest.mark.slow
def test_processes_that_begin_anew(folder, capsys, monkeypatch):
    """As on macOS and Windows."""
    monkeypatch.setattr("sparsemixed.cli.batch.processes.FORKS", False)
    write_jobs(
        *({"id": str(i), "data": "a.csv", "model": model} for i, model in enumerate(MODELS)),
        {"id": "by", "data": "b.csv", "model": MODELS[0], "by": "arm"},
        {"id": "bad", "data": "none.csv", "model": MODELS[0]},
    )
    assert run(capsys, "jobs.jsonl", "--jobs", "2", "--out", "out.csv")[0] == 1
    assert run(capsys, "jobs.jsonl", "--out", "same.csv")[0] == 1
    pd.testing.assert_frame_equal(*(pd.read_csv(name).drop(columns="seconds") for name in ("out.csv", "same.csv")), rtol=1e-12)
