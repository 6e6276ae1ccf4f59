"""The JSON that is written, and the jobs that are read, are what the shipped schemas say, no less and no more."""

import copy
import json

import pandas as pd
import pytest

from sparsemixed import cli
from sparsemixed.cli.batch.jobs import read_jobs
from sparsemixed.cli.commands.schema import SCHEMAS, schema
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import DataError

jsonschema = pytest.importorskip("jsonschema")

FITS = {
    "ml": "y time || id:",
    "dfmethod": "y i.arm##c.time || id: time, covariance(unstructured) reml dfmethod(kroger)",
    "robust": "y time || id:, vce(robust)",
    "few clusters": "y time || id:, reml vce(cr2)",
    "linear": "y time",
    "boundary": "y time || arm:",
    "deviations": "y ~ time + (time | id)",
    "errors": "y time || id:, noconstant residuals(ar 1, t(time))",
    "unfinished": "y time || id: time, iterate(0)",
    "constant alone": "y || id:",
    "em": "y time || id:, emonly emiterate(3)",
}


def validator(name):
    found = json.loads(schema(name))
    kind = jsonschema.validators.validator_for(found)
    kind.check_schema(found)
    return kind(found)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = simulate_longitudinal(30, 5, seed=4)
    data["arm"] = data["id"] % 2
    data.to_csv("visits.csv", index=False)
    return data


def written(*arguments):
    cli.main(["fit", "visits.csv", *arguments, "--quiet", "--json", "fit.json"])
    with open("fit.json") as file:
        return json.load(file)


def test_every_kind_of_fit(data):
    fits = validator("fit")
    seen = set()
    for model in FITS.values():
        record = written(model)
        fits.validate(record)
        seen |= set(record["header"])
    told = json.loads(schema("fit"))["$defs"]["header"]["properties"]
    assert seen == set(told)  # nothing is promised that no fit has
    fits.validate(written("y ~ time + (1 | id)", "--stddeviations"))
    fits.validate(written("y time || id:", "--by", "arm"))
    data.loc[data["arm"] == 1, "y"] = None
    data.to_csv("visits.csv", index=False)
    levels = written("y time || id:", "--by", "arm")
    fits.validate(levels)
    assert levels["fits"][1]["error"]


def test_a_schema_refuses_what_is_not_so(data):
    fits = validator("fit")
    record = written("y time || id:")

    def changed(change):
        other = copy.deepcopy(record)
        change(other)
        return other

    for change in (
        lambda one: one.pop("fixed"),
        lambda one: one["header"].pop("ll"),
        lambda one: one.update(other=1),
        lambda one: one.update(converged=1),
        lambda one: one["fixed"][0].update(estimate="1.5"),
        lambda one: one["fixed"][0].pop("z"),
        lambda one: one["random"][0].update(df=3.0),
    ):
        assert not fits.is_valid(changed(change))


def test_every_line_of_a_batch(data):
    jobs = [{"id": name, "data": "visits.csv", "model": model} for name, model in FITS.items()]
    jobs += [{"data": "none.csv", "model": "y x"}, {"data": "visits.csv", "model": "y time", "by": "arm"}]
    with open("jobs.jsonl", "w") as file:
        file.writelines(json.dumps(job) + "\n" for job in jobs)
    assert cli.main(["batch", "jobs.jsonl", "--out", "out.jsonl", "--quiet"]) == 1
    lines, job_lines = validator("batch"), validator("job")
    with open("out.jsonl") as file:
        records = [json.loads(line) for line in file]
    assert {record["outcome"] for record in records} == {"converged", "not converged", "failed"}
    assert len(records) == len(jobs) + 1
    for record in records:
        lines.validate(record)
    for job in jobs:
        job_lines.validate(job)


@pytest.mark.parametrize(
    "job",
    [
        {"data": "a.csv"},
        {"model": "y x"},
        {"data": "a.csv", "model": "y x", "formula": "y ~ x"},
        {"data": "a.csv", "model": "y x", "modle": "y x"},
        {"data": 1, "model": "y x"},
        {"data": " ", "model": "y x"},
        {"data": "a.csv", "model": ""},
        {"data": "a.csv", "model": "y x", "id": ""},
        {"data": "a.csv", "model": "y x", "id": 1.5},
        {"data": "a.csv", "model": "y x", "id": True},
        {"data": "a.csv", "model": "y x", "options": [1]},
        {"data": "a.csv", "model": "y x", "options": {"data": 1}},
        {"data": "a.csv", "model": "y x", "by": 3},
        {"data": "a.csv", "model": "y x", "save": ""},
        ["a.csv", "y x"],
    ],
)
def test_the_reader_of_jobs_refuses_what_the_schema_refuses(data, job):
    assert not validator("job").is_valid(job)
    with open("jobs.jsonl", "w") as file:
        file.write(json.dumps(job) + "\n")
    with pytest.raises(DataError, match=r"^`jobs.jsonl`, line 1: "):
        read_jobs("jobs.jsonl")


def test_the_schemas_are_printed(capsys):
    for name in SCHEMAS:
        assert cli.main(["schema", name]) == 0
        printed = json.loads(capsys.readouterr().out)
        assert printed["$schema"].startswith("https://json-schema.org/")


def test_the_record_is_what_the_fit_says(data):
    """The record is made from arrays for speed; these are the same numbers by the names of `Results`."""
    import sparsemixed
    from sparsemixed.cli.record import fit_record, plain

    for model in FITS.values():
        fit = sparsemixed.mixed(model, data)
        record = fit_record(fit, 0.0)
        assert record["header"] == {name: plain(fit.e[name]) for name in record["header"]}
        limits = fit.conf_int()
        for row in record["fixed"]:
            statistic = row["t"] if "t" in row else row["z"]
            expected = [fit.params[row["name"]], fit.bse[row["name"]], fit.zvalues[row["name"]], fit.pvalues[row["name"]]]
            assert [row["estimate"], row["std_err"], statistic, row["p"]] == plain(expected)
            assert [row["ci_low"], row["ci_high"]] == plain(limits.loc[row["name"]].tolist())
        rows = [(row["equation"], row["parameter"]) for row in record["random"]]
        assert rows == list(fit.random_params.index)
        numbers = pd.DataFrame(
            record["random"], columns=list(fit.random_params.columns), index=fit.random_params.index, dtype=float
        )
        pd.testing.assert_frame_equal(numbers, fit.random_params)
