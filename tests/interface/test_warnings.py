"""What must not be overlooked: one Python warning each, the same to the logger, in the status and in comparisons."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import BoundaryWarning, ConvergenceWarning, IdentificationWarning, SparseMixedWarning


@pytest.fixture
def visits() -> pd.DataFrame:
    return simulate_longitudinal(40, 6, seed=1)


def flat() -> pd.DataFrame:
    """Groups more alike than by chance: the variance of their effects is zero."""
    y = np.tile([1.0, 2.0, 3.0, 4.5], 8)
    return pd.DataFrame({"g": np.repeat(range(8), 4), "x": np.arange(32) % 3, "y": y})


def caught(model, data, **options):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        fit = sparsemixed.mixed(model, data, **options)
        str(fit), fit.summary(), fit.to_latex(), fit.status, fit.e["ll"]
    return fit, found


def test_a_plain_fit_warns_of_nothing(visits, caplog):
    _, found = caught("y time || id:", visits)
    assert found == []
    assert caplog.records == []


@pytest.mark.parametrize(
    ("model", "options", "kind", "text"),
    [
        ("y time || id: time, iterate(1)", {}, ConvergenceWarning, "convergence not achieved"),
        ("y ~ time + (time | id)", {"iterate": 1}, ConvergenceWarning, "convergence not achieved"),
        ("y time double || id:", {}, IdentificationWarning, "double omitted because of collinearity"),
        ("y ~ time + double + (1 | id)", {"reml": True}, IdentificationWarning, "double omitted because of collinearity"),
    ],
)
def test_each_kind_warns_once(model, options, kind, text, visits, caplog):
    with caplog.at_level(logging.WARNING, logger="sparsemixed"):
        _, found = caught(model, visits.assign(double=2 * visits.time), **options)
    assert [one.category for one in found] == [kind]
    assert text in str(found[0].message)
    assert found[0].filename == __file__  # the line of the user's
    assert [record.getMessage() for record in caplog.records] == [str(found[0].message)]


@pytest.mark.parametrize("reml", [False, True])
def test_boundaries_warn(reml):
    fit, found = caught("y x || g:", flat(), reml=reml)
    assert [one.category for one in found] == [BoundaryWarning]
    assert "var(_cons) of g is 0" in str(found[0].message)
    assert str(found[0].message) in fit.status


def test_in_a_fresh_process_a_warning_is_shown_once_and_no_densities_are_loaded():
    script = (
        "import sys, sparsemixed\n"
        "d = sparsemixed.datasets.simulate_longitudinal(20, 4, seed=1)\n"
        "str(sparsemixed.mixed('y time t || id:', d.assign(t=d.time)))\n"
        "print([m for m in sys.modules if m.startswith('sparsemixed.priors')])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.count("omitted because of collinearity") == 1
    assert done.stdout.strip() == "[]"


def test_warnings_may_be_made_errors(visits):
    with warnings.catch_warnings():
        warnings.simplefilter("error", SparseMixedWarning)
        with pytest.raises(IdentificationWarning):
            sparsemixed.mixed("y time double || id:", visits.assign(double=2 * visits.time))


def test_what_is_noted_under_a_table_is_in_the_status(visits):
    fits = [
        sparsemixed.mixed("y time || id:, reml vce(cr2)", visits),
        sparsemixed.mixed("y time || id: time, emonly", visits),
        sparsemixed.mixed("y x || g:, reml dfmethod(satterthwaite)", flat()),
        sparsemixed.mixed("y x || g:, reml dfmethod(satterthwaite, oim)", flat()),
        confounded("kroger"),
        confounded("satterthwaite"),
    ]
    for fit in fits:
        shown = " ".join(str(fit).split("-" * 78)[-1].split())
        notes = [note for note in shown.split("Note: ")[1:] if not note.startswith("LR test")]
        assert notes
        for note in notes:
            plain = note.partition("Warning:")[0].replace(" ", "").rstrip(".")  # lines may break within a word
            assert plain in fit.status.replace(" ", ""), note


def confounded(dfmethod: str):
    """Two rows per group with an intercept and a slope: four variance parameters for three moments."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 2), "t": np.tile([0.0, 1.0], 10)})
    slopes = data.t * rng.normal(size=10)[data.g]
    data["y"] = (rng.normal(size=10)[data.g] * 2 + slopes + rng.normal(size=20)).round(1)
    data["a"], data["b"] = rng.normal(size=20).round(1), rng.normal(size=20).round(1)
    return sparsemixed.mixed("y ~ t + a + b + (t | g)", data, reml=True, dfmethod=dfmethod)


@pytest.mark.parametrize("dfmethod", ["kroger", "satterthwaite", "satterthwaite, oim", "kroger, oim"])
def test_everything_prints_where_degrees_of_freedom_are_missing(dfmethod, monkeypatch):
    """Whatever is known of these, and where none are."""
    fit = confounded(dfmethod)
    for show in (fit.summary, fit.to_latex, fit._repr_html_, fit.to_markdown, fit.tidy, lambda: dict(fit.e)):
        show()
    fit.summary(dftable="ci"), fit.summary(dftable="pvalue"), fit.estat.df(), fit.table, fit.conf_int()
    tests = [fit.test("t = 0", small=True), fit.testparm("t a b", small=True), fit.lincom("t + a", small=True)]
    assert all(map(str, tests))
    if np.isnan(fit.df).all():
        assert np.isnan(tests[0].pvalue)
        assert "F(  1,     .)" in str(tests[0])


def test_comparisons_mark_the_fits(visits):
    data = visits.assign(double=2 * visits.time)
    good, bad = sparsemixed.mixed("y time || id:", data), sparsemixed.mixed("y time || id: time, iterate(1)", data)
    double = sparsemixed.mixed("y time double || id:", data)
    table = sparsemixed.compare(good, bad, double, names=["good", "bad", "double"])
    for text in (str(table), table.to_markdown(), table.to_latex(), table.to_html()):
        plain = " ".join(text.split())
        assert "Warning: bad: convergence not achieved" in plain
        assert "Warning: double: double omitted because of collinearity" in plain
        assert "good:" not in plain
    assert sparsemixed.compare(good).notes == ()
