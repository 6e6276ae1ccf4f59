"""The benchmarks hang together: every case has a model and data, other programs hear of it, answers are judged by the truth."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sparsemixed.command import read_model

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
QUICK = ("zero", "nested", "missing", "kenward-roger")
SLOW = ("limit", "crossed", "up", "down", "weights", "errors", "satterthwaite")
SCRIPTS = ("cases", "data_sets", "dense_truth", "measuring", "programs", "right", "tables")
NAMES = (*SCRIPTS, "contract", "lmer_formula", "sparsemixed_fit")


@pytest.fixture(scope="module")
def bench():
    """The benchmarks' modules, which import each other as scripts do."""
    before = list(sys.path)
    sys.path[:0] = [str(BENCHMARKS), str(BENCHMARKS / "against")]
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
    sys.path[:] = before
    for name in NAMES:
        del sys.modules[name]


def test_every_case_has_a_model_and_data(bench):
    for case in [*bench.cases.CASES.values(), *(q.case for q in bench.right.QUESTIONS.values())]:
        assert read_model(case.model or case.lmer).random
        assert case.data in bench.data_sets.DATA
        assert not case.lmer or bench.lmer_formula.take_apart(case.lmer)[1]


def test_formulas_are_taken_apart(bench):
    apart, words = bench.lmer_formula.take_apart, bench.lmer_formula.for_statsmodels
    fixed, terms = apart("y ~ x + (1 | school / room)")
    assert (fixed, [(t.columns, t.group) for t in terms]) == ("y ~ x", [(("1",), "school"), (("1",), "school:room")])
    assert words(terms) == {"groups": "school", "re_formula": "1", "vc_formula": {"room": "0 + C(room)"}}
    fixed, terms = apart("y ~ 1 + (1 + x | a) + (1 + x | b)")
    assert fixed == "y ~ 1"
    assert words(terms) == {}
    crossed = words(apart("y ~ x + (1 | a) + (1 | b)")[1])
    assert crossed == {"groups": None, "re_formula": "0", "vc_formula": {"a": "0 + C(a)", "b": "0 + C(b)"}}
    assert words(apart("y ~ x + (0 + x | a)")[1])["re_formula"] == "0 + x"


def test_why_there_is_no_row(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("PEERS_PYTHON", str(tmp_path / "python"))
    bench.programs.python_of.cache_clear()

    def said(program, name):
        asked = bench.programs.Asked(bench.cases.CASES[name], tmp_path / "data", 1, tmp_path / "out.json")
        return bench.programs.command_of(program, asked)

    assert said("mixedlm", "insteval") == "not installed"
    assert said("mixedlm-rs", "insteval") == "one factor only"
    assert said("gpboost", "insteval-reml") == "no REML"
    assert said("gpboost", "slopes-million") == "no correlated slopes"
    assert said("statsmodels", "experiment") == said("lme4", "trial") == said("nlme", "insteval") == "no such model"
    assert said("sparsemixed", "insteval")[0] == sys.executable
    bench.programs.python_of.cache_clear()


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_answers_are_right(bench, name):
    """Log likelihood and figure as dense algebra has them, and a wrong answer is called wrong."""
    question = bench.right.QUESTIONS[name]
    case, kind = question.case, question.figure[0]
    data = bench.data_sets.DATA[case.data]()
    model = bench.dense_truth.dense_model(case.lmer, data, case.reml, case.weights)
    at = bench.dense_truth.maximum(model, starts=4)
    truth = bench.right.true_figure(question, model, at)
    fixed, terms = bench.lmer_formula.take_apart(case.lmer)
    job = bench.contract.Job(case.lmer, fixed, terms, case.reml, case.weights, ("errors", kind), case.lmer, {})
    report = bench.sparsemixed_fit.report(job, data, bench.sparsemixed_fit.fit(job, data))
    found = bench.right.judge(question, model, at, truth, report)
    assert found["word"] == "yes"
    assert abs(found["stated"]) < 1e-8
    assert abs(found["reached"]) < 1e-8
    assert found["off"] < 1e-5
    elsewhere = bench.right.judge(question, model, at, truth, report | {"residual": 1.1 * report["residual"]})
    assert elsewhere["word"] == "no"
    assert bench.right.judge(question, model, at, truth, report | {"llf": report["llf"] + 1.0})["word"] == "no"
