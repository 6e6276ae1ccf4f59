"""Commands with a prefix on the command line: printed, written as rows, and never a traceback."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from sparsemixed.cli import program as cli
from sparsemixed.datasets import simulate_longitudinal
from tests.interface.test_cli_schema import validator


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = simulate_longitudinal(24, 5, seed=4)
    data["arm"], data["site"] = data["id"] % 2, data["id"] % 3
    data.to_csv("visits.csv", index=False)
    noise = np.random.default_rng(1)
    tables = [data.assign(time=data["time"] + 0.2 * noise.normal(size=len(data)), _mi_m=m) for m in range(1, 4)]
    pd.concat(tables).to_csv("imputed.csv", index=False)
    return data


def run(capsys, *arguments) -> tuple[int, str, str]:
    try:
        status = cli.main(["fit", *arguments])
    except SystemExit as end:
        status = int(end.code or 0)
    written = capsys.readouterr()
    return status, written.out, written.err


def test_by_is_the_option_by(capsys):
    status, text, _ = run(capsys, "visits.csv", "by arm: mixed y time || id:", "--json", "a.json", "--save", "{}.fit")
    other = run(capsys, "visits.csv", "y time || id:", "--by", "arm", "--json", "b.json")[1]
    assert status == 0
    assert [line for line in text.splitlines() if "Time:" not in line] == [
        line for line in other.splitlines() if "Time:" not in line
    ]
    with open("a.json") as file:
        found = json.load(file)
    validator("fit").validate(found)
    assert (found["by"], [one["by_level"] for one in found["fits"]]) == ("arm", [0, 1])
    assert cli.main(["show", "1.fit"]) == 0


def test_by_several(capsys):
    status, text, _ = run(capsys, "visits.csv", "bysort arm site: mixed y time || id:", "--json", "a.json")
    assert status == 0
    assert "-> arm = 1, site = 2\n" in text
    with open("a.json") as file:
        found = json.load(file)
    validator("fit").validate(found)
    assert found["fits"][-1]["by_level"] == "1, 2"


@pytest.mark.parametrize(
    ("file", "command", "shown"),
    [
        ("visits.csv", "statsby _b _se, by(arm): mixed y time || id:", "y_b_time"),
        ("visits.csv", "rolling _b[time], window(3) time(time): mixed y time || id:", "_b_time"),
        ("visits.csv", "bootstrap, reps(5) seed(1): mixed y time || id:", "(Replications based on 24 clusters in id)"),
        ("visits.csv", "jackknife r=_b[time]^2, cluster(id): mixed y time || id:", "Jackknife results"),
        ("imputed.csv", "mi estimate: mixed y time || id:", "Multiple-imputation estimates"),
        ("imputed.csv", "by arm: mi estimate: mixed y time || id:", "-> arm = 1"),
    ],
)
def test_other_prefixes(capsys, file, command, shown):
    status, text, told = run(capsys, file, command, "--json", "rows.json")
    assert (status, told) == (0, "")
    assert shown in text
    with open("rows.json") as file:
        found = json.load(file)
    validator("fit").validate(found)
    assert found["rows"]


def test_a_line_of_a_batch_has_no_prefix(capsys):
    jobs = [{"data": "visits.csv", "model": f"{prefix}: mixed y time || id:"} for prefix in ("by arm", "mi estimate")]
    with open("jobs.jsonl", "w") as file:
        file.writelines(json.dumps(job) + "\n" for job in jobs)
    assert cli.main(["batch", "jobs.jsonl", "--out", "done.jsonl", "--quiet"]) == 1
    with open("done.jsonl") as file:
        messages = [json.loads(line)["message"] for line in file]
    assert "the prefix by does not go with batch" in messages[0]
    assert '"by" of the job' in messages[0]
    assert "the prefix mi estimate does not go with batch" in messages[1]


def test_failures_set_the_status(capsys, data):
    data.loc[data["arm"] == 1, "y"] = 1.0
    data.to_csv("visits.csv", index=False)
    status, text, _ = run(capsys, "visits.csv", "statsby _b, by(arm): mixed y time || id:")
    assert status == 1
    assert "constant" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["visits.csv", "by arms: mixed y time || id:"], "variable `arms` not found"),
        (["visits.csv", "by arm, wrong: mixed y time || id:"], "no option wrong"),
        (["visits.csv", "by arm: mixed y tim || id:"], "variable `tim` not found"),
        (["visits.csv", "by arm: mixed y time || id:", "--by", "site"], "by site"),
        (["visits.csv", "by arm: mixed y time || id:", "--save", "one.fit"], "{}"),
        (["imputed.csv", "mi estimate: mixed y time || id:", "--save", "one.fit"], "--save is about a fit"),
        (["imputed.csv", "mi estimate: mixed y time || id:, reml dfmethod(kroger)"], "not allowed with dfmethod"),
        (["visits.csv", "mi estimate: mixed y time || id:"], "without a column _mi_m"),
        (["visits.csv", "bootstrap, reps(0): mixed y time || id:"], "at least 2"),
        (["visits.csv", "statsby _b: mixed y time || id:"], "needs groups"),
        (["visits.csv", "permute arm: mixed y time || id:"], "the prefix permute"),
    ],
)
def test_one_message(capsys, arguments, message):
    status, text, told = run(capsys, *arguments)
    assert status == 2
    assert message in told
    assert "Traceback" not in told
    assert not text or text.startswith("-----")  # what was printed before
