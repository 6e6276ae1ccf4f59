"""Whatever stands on the command line: one line on standard error, status 2, and never a traceback."""

import io
import json
import os
import subprocess
import sys

import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.datasets import simulate_longitudinal

JOB = {"data": "visits.csv", "model": "y time || id:"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = simulate_longitudinal(10, 4, seed=5)
    data.to_csv("visits.csv", index=False)
    sparsemixed.mixed("y time || id:", data).save("good.fit")
    (tmp_path / "cut.fit").write_bytes((tmp_path / "good.fit").read_bytes()[:400])
    (tmp_path / "rubbish.bin").write_bytes(bytes(range(256)))
    (tmp_path / "empty.jsonl").write_text("\n \n")
    (tmp_path / "jobs.jsonl").write_text(json.dumps(JOB) + "\n")
    (tmp_path / "folder.csv").mkdir()
    return tmp_path


def status_of(arguments):
    try:
        return cli.main(arguments)
    except SystemExit as stop:
        return stop.code


def assert_one_line(capsys, arguments, *said):
    status = status_of(arguments)
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.count("\n") == 1, err
    assert err.startswith("sparsemixed")
    assert "Traceback" not in err
    for text in said:
        assert text in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("fit none.csv MODEL", "no such data file: `none.csv`"),
        ("fit visits.xls MODEL", "cannot tell the format"),
        ("fit visits.csv", "the following arguments are required: COMMAND"),
        ("fit visits.csv MODEL extra", "found extra where an option should be"),
        ("fit visits.csv MODEL --json none/out.json", "there is no folder"),
        ("fit visits.csv MODEL --json folder.csv", "is a folder"),
        ("fit visits.csv MODEL --json - --save -", "standard output can be named by - only once"),
        ("fit visits.csv MODEL --by nothing", "by: variable `nothing` not found"),
        ("fit visits.csv MODEL --by id --save out.fit", "names one file for all levels"),
        ("fit visits.csv MODEL --by id --save -", "names one file for all levels"),
        ("fit visits.csv MODEL --by", "expected one argument"),
        ("fit - MODEL", "nothing came in on standard input"),
        ("show none.fit", "No such file"),
        ("show cut.fit", "damaged or incomplete"),
        ("show rubbish.bin", "is not a fit saved by sparsemixed"),
        ("show visits.csv", "is not a fit saved by sparsemixed"),
        ("show -", "nothing came in on standard input"),
        ("show good.fit --nonsense", "unknown option --nonsense"),
        ("report good.fit --out none/out.html", "there is no folder"),
        ("report good.fit --format pdf", "invalid choice: 'pdf'"),
        ("predict good.fit none.csv", "no such data file"),
        ("predict - -", "standard input can be named by - only once"),
        ("predict good.fit visits.csv --out out.xlsx", "cannot tell the format"),
        ("test good.fit", "the following arguments are required: HYPOTHESIS"),
        ("test none.fit time", "No such file"),
        ("lincom good.fit time --level abc", "--level abc is no number"),
        ("lincom good.fit time --level 5", "must lie between 10 and 99.99"),
        ("profile", "the following arguments are required: FIT"),
        ("profile good.fit", "fit --save FIT --save-data"),
        ("profile good.fit nothing", "nothing"),
        ("profile good.fit --level 5", "must lie between 10 and 99.99"),
        ("profile good.fit --criterion reml", "criterion reml needs a fit by REML"),
        ("profile good.fit --criterion aic", "invalid choice: 'aic'"),
        ("lrtest good.fit", "the following arguments are required: FIT"),
        ("lrtest - -", "standard input can be named by - only once"),
        ("lrtest good.fit cut.fit", "damaged"),
        ("compare", "the following arguments are required: FIT"),
        ("compare good.fit --names a,b", "names must be 1 different names"),
        ("compare good.fit --stats nothing", "nothing"),
        ("batch jobs.jsonl", "the following arguments are required: --out"),
        ("batch none.jsonl --out out.csv", "the jobs `none.jsonl` cannot be read: No such file"),
        ("batch folder.csv --out out.csv", "Is a directory"),
        ("batch empty.jsonl --out out.csv", "`empty.jsonl` holds no jobs"),
        ("batch rubbish.bin --out out.csv", "`rubbish.bin`, line 2: not text in UTF-8"),
        ("batch jobs.jsonl --out out.csv --jobs 0", "--jobs 0 is no number of processes"),
        ("batch jobs.jsonl --out out.csv --jobs -1", "--jobs"),
        ("batch jobs.jsonl --out out.csv --jobs two", "--jobs two is no number of processes"),
        ("batch jobs.jsonl --out out.xlsx", "results are .parquet, .csv, .csv.gz, .feather, .jsonl"),
        ("batch jobs.jsonl --out none/out.csv", "there is no folder"),
        ("batch jobs.jsonl --out folder.csv", "is a folder"),
        ("batch jobs.jsonl --out /dev/null", "cannot tell the format"),
        ("batch jobs.jsonl --out out.jsonl --long", "--long is a table"),
        ("batch jobs.jsonl --out out.csv --retry --restart", "give one of them"),
        ("batch - --out out.csv", "nothing came in on standard input"),
        ("schema nonsense", "invalid choice: 'nonsense'"),
        ("completion fish", "invalid choice: 'fish'"),
        ("nonsense", "invalid choice: 'nonsense'"),
        ("", "required"),
        ("--nonsense", "required"),
    ],
)
def test_one_line_and_status_2(folder, capsys, monkeypatch, arguments, said):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    words = ["y time || id:" if word == "MODEL" else word for word in arguments.split()]
    assert_one_line(capsys, words, said)
    assert not list(folder.glob("out*"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"data": "visits.csv", "model": "y x"', "not JSON: Expecting ',' delimiter at character 38"),
        ("[1, 2]", "found [1, 2] where an object should be"),
        ('"text"', "where an object should be"),
        ("null", "where an object should be"),
        (json.dumps({**JOB, "modle": "y x"}), "unknown key 'modle'; did you mean model?"),
        (json.dumps({"data": "visits.csv"}), "the key 'model' is missing"),
        (json.dumps({"model": "y x"}), "the key 'data' is missing"),
        (json.dumps({**JOB, "formula": "y ~ x"}), "model and formula say the same"),
        (json.dumps({**JOB, "data": 3}), "data is 3; it takes a text"),
        (json.dumps({**JOB, "data": "-"}), "not from standard input"),
        (json.dumps({**JOB, "options": "reml"}), 'options is "reml"; it takes an object'),
        (json.dumps({**JOB, "options": {"progress": True}}), "progress is no option of a model"),
        (json.dumps({**JOB, "id": 1.5}), "id is 1.5"),
        (json.dumps({**JOB, "id": "1"}), "the id '1' is that of line 1 already"),
        (json.dumps({**JOB, "by": "id", "save": "out.fit"}), "save names one file for all levels"),
        ('{"data": "a", "data": "b", "model": "y x"}', "the key 'data' is given twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"id": ' + "9" * 5000 + "}", "not JSON"),
        ('{"data": "\x1b[2J", "model": 1}', "not JSON: Invalid control character"),
    ],
)
def test_bad_lines_of_jobs_are_named_by_their_number(folder, capsys, line, said):
    (folder / "bad.jsonl").write_text(f"{json.dumps(JOB)}\n\n{line}\n{json.dumps(JOB)}\n")
    assert_one_line(capsys, ["batch", "bad.jsonl", "--out", "out.csv"], "`bad.jsonl`, line 3: ", said)
    assert not list(folder.glob("out*"))


def test_what_is_no_csv_on_standard_input(folder, capsys, monkeypatch):
    for content in (b"a,b\n1,2\n1,2,3,4\n", b"\xff\xfe\x00\x01", b"\n"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert_one_line(capsys, ["fit", "-", "y time || id:"], "standard input cannot be read as CSV")
    monkeypatch.setattr(sys, "stdin", None)
    assert_one_line(capsys, ["fit", "-", "y time || id:"], "standard input is closed")


def test_what_is_no_fit_on_standard_input(folder, capsys, monkeypatch):
    for content in ((folder / "cut.fit").read_bytes(), (folder / "rubbish.bin").read_bytes()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert_one_line(capsys, ["show", "-"], "standard input")


def test_a_folder_that_cannot_be_written(folder, capsys, monkeypatch):
    """By a stand-in for the system's refusal: an administrator may write everywhere."""
    (folder / "locked").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path))
    assert_one_line(capsys, ["batch", "jobs.jsonl", "--out", "locked/out.csv"], "permission denied")


def test_a_reader_that_leaves_ends_a_batch(folder):
    """Nobody is left to take the results: that is said once, in one line."""
    (folder / "jobs.jsonl").write_text("".join(json.dumps(JOB) + "\n" for _ in range(200)))
    script = f"{sys.executable} -m sparsemixed batch jobs.jsonl --out - | head -n 1 > first; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=folder)
    assert done.stdout == "2\n"
    assert done.stderr == "sparsemixed: standard output was closed before everything was written\n"
    assert json.loads((folder / "first").read_text())["outcome"] == "converged"


def test_completions_without_the_library(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert_one_line(capsys, ["completion", "bash"], 'pip install "sparsemixed[completion]"')
